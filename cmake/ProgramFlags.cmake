# Flags of our own programs (tests, examples, benchmarks), for the directory that includes this file. A consumer of
# the library gets none of them.
include(CheckCXXCompilerFlag)
if(GLYPHDIFF_NATIVE)
  check_cxx_compiler_flag(-march=native GLYPHDIFF_HAS_MARCH_NATIVE)
  if(GLYPHDIFF_HAS_MARCH_NATIVE)
    add_compile_options(-march=native)
  endif()
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  # -Wno-psabi: vectors of 64 bytes pass through no binary interface but our own.
  add_compile_options(-Wall -Wextra -Wno-psabi)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 means its own headers, of AVX-512 and of std::string (bug 105651).
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_CXX_COMPILER MATCHES "nvcc")
  # GCC lets its heap double before it collects. At a third, the largest program needs 1.1 GB instead of 1.4, and 3 % more time.
  add_compile_options(--param=ggc-min-expand=30)
endif()
