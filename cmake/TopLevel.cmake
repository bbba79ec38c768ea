# Settings for people who work on glyphdiff itself; a host project keeps its own.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(GLYPHDIFF_CCACHE ccache DOC "Compiler cache, used when present")
if(GLYPHDIFF_CCACHE AND NOT CMAKE_CXX_COMPILER MATCHES "nvcc")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${GLYPHDIFF_CCACHE}" CACHE STRING "Launcher of every compilation")
endif()
