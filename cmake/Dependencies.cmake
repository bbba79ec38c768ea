# What the core of glyphdiff needs: Random123, and Kokkos from the first of
#   1. find_package at any prefix, with whatever backends it has,
#   2. a pinned upstream release, when the network answers,
#   3. the distribution's source package, through apt without touching its configuration.
# 2 and 3 are built along with glyphdiff, with OpenMP and Serial. FETCHCONTENT_SOURCE_DIR_KOKKOS, or a parent project
# that has the target already, goes before all. GLYPHDIFF_KOKKOS picks one of the three; within another project it is
# `installed` unless that asks for more, so that nothing is downloaded unasked.
include(FetchContent)
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # a host project that adds us as a subdirectory links them too

set(kokkos_default installed)
if(PROJECT_IS_TOP_LEVEL)
  set(kokkos_default auto)
endif()
set(GLYPHDIFF_KOKKOS ${kokkos_default} CACHE STRING "Where Kokkos comes from: auto, installed, upstream or distribution")
set_property(CACHE GLYPHDIFF_KOKKOS PROPERTY STRINGS auto installed upstream distribution)

function(glyphdiff_declare_upstream_kokkos)
  set(release https://github.com/kokkos/kokkos/releases/download/4.7.01)
  # A small file first and alone: where packets vanish, a connection attempt can take minutes.
  file(DOWNLOAD ${release}/kokkos-4.7.01-SHA-256.txt TIMEOUT 8 STATUS status)
  list(POP_FRONT status failed reason)
  if(failed)
    message(STATUS "Kokkos 4.7.01 cannot be downloaded from its own site (${reason})")
    return()
  endif()
  FetchContent_Declare(Kokkos SYSTEM URL ${release}/kokkos-4.7.01.tar.gz
    URL_HASH SHA256=404cf33e76159e83b8b4ad5d86f6899d442b5da4624820ab457412116cdcd201)
  set(kokkos_origin "upstream release 4.7.01" PARENT_SCOPE)
endfunction()

function(glyphdiff_declare_distribution_kokkos)
  execute_process(
    COMMAND sh "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/distribution_kokkos.sh" "${CMAKE_BINARY_DIR}/_deps"
    RESULT_VARIABLE failed OUTPUT_VARIABLE source OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT failed)
    FetchContent_Declare(Kokkos SYSTEM SOURCE_DIR "${source}")
    set(kokkos_origin "source package of the distribution" PARENT_SCOPE)
    set(kokkos_standard 17 PARENT_SCOPE)  # Kokkos 3.4 does not expect nvcc to know C++20
  endif()
endfunction()

function(glyphdiff_build_kokkos)
  set(Kokkos_ENABLE_SERIAL ON CACHE BOOL "Build Kokkos with its Serial execution space")
  set(Kokkos_ENABLE_OPENMP ON CACHE BOOL "Build Kokkos with its OpenMP execution space")
  # GCC 12.2 to 12.4 leave a default-constructed View of Kokkos 4.7 uninitialised (kokkos/kokkos issue 7464).
  # The distribution's 3.4, which is built as C++17, has only the former one.
  if(kokkos_standard EQUAL 20 AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\.")
    set(Kokkos_ENABLE_IMPL_VIEW_LEGACY ON CACHE BOOL "Build Kokkos with its former implementation of View")
  endif()
  set(CMAKE_CXX_STANDARD ${kokkos_standard})
  set(CMAKE_CXX_EXTENSIONS OFF)
  set(CMAKE_MESSAGE_LOG_LEVEL WARNING)
  FetchContent_MakeAvailable(Kokkos)
  if(NOT GLYPHDIFF_INSTALL)
    set_property(DIRECTORY "${kokkos_SOURCE_DIR}" PROPERTY EXCLUDE_FROM_ALL ON)  # and not installed either
  endif()
  if(Kokkos_ENABLE_CUDA)
    include(CudaShim)
  endif()
endfunction()

set(kokkos_origin "")
set(kokkos_standard 20)
if(FETCHCONTENT_SOURCE_DIR_KOKKOS)
  FetchContent_Declare(Kokkos SYSTEM)
  set(kokkos_origin "${FETCHCONTENT_SOURCE_DIR_KOKKOS}")
elseif(NOT TARGET Kokkos::kokkos)
  if(GLYPHDIFF_KOKKOS MATCHES "^(auto|installed)$")
    find_package(Kokkos QUIET)
    if(Kokkos_FOUND AND Kokkos_VERSION VERSION_LESS 3.4)
      message(FATAL_ERROR "${Kokkos_DIR}: expected Kokkos 3.4 or newer, found ${Kokkos_VERSION}; "
                          "-DGLYPHDIFF_KOKKOS=distribution builds another.")
    endif()
  endif()
  if(NOT Kokkos_FOUND AND GLYPHDIFF_KOKKOS MATCHES "^(auto|upstream)$")
    glyphdiff_declare_upstream_kokkos()
  endif()
  if(NOT Kokkos_FOUND AND NOT kokkos_origin AND GLYPHDIFF_KOKKOS MATCHES "^(auto|distribution)$")
    glyphdiff_declare_distribution_kokkos()
  endif()
  if(NOT Kokkos_FOUND AND NOT kokkos_origin)
    message(FATAL_ERROR "glyphdiff needs Kokkos 3.4 or newer, and GLYPHDIFF_KOKKOS=${GLYPHDIFF_KOKKOS} gave none. Install "
                        "it and set CMAKE_PREFIX_PATH or Kokkos_DIR, or define the target Kokkos::kokkos before glyphdiff is "
                        "added, or set FETCHCONTENT_SOURCE_DIR_KOKKOS to its source, or set GLYPHDIFF_KOKKOS to auto, "
                        "upstream or distribution, which download it.")
  endif()
endif()

if(kokkos_origin)
  message(STATUS "Kokkos: built along, from ${kokkos_origin}")
  glyphdiff_build_kokkos()
elseif(Kokkos_FOUND)
  message(STATUS "Kokkos: ${Kokkos_VERSION} (${Kokkos_DEVICES}) in ${Kokkos_DIR}")
endif()

find_package(Random123 REQUIRED)
