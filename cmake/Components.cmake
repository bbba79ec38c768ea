# glyphdiff_component(NAME [OWNS prefix...] [EXCEPT prefix...] [NEEDS package...] LINK target...)
# Defines the header-only target glyphdiff::NAME, which owns the headers of include/glyphdiff that begin with one of the
# prefixes (or all) except some, and what installs it if GLYPHDIFF_INSTALL is on. A component whose packages are missing is
# left out, with a message. Components are defined after those that they link.
include(CMakePackageConfigHelpers)
set(glyphdiff_components "")

function(glyphdiff_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "OWNS;EXCEPT;NEEDS;LINK")
  foreach(package IN LISTS arg_NEEDS)
    find_package(${package} QUIET)
    if(NOT ${package}_FOUND)
      message(STATUS "glyphdiff::${name} is left out: it needs ${package}")
      return()
    endif()
  endforeach()

  set(include "${PROJECT_SOURCE_DIR}/include")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${include}/glyphdiff/*.hpp")
  if(arg_OWNS)
    list(JOIN arg_OWNS "|" prefixes)
    list(FILTER headers INCLUDE REGEX "/include/glyphdiff/(${prefixes})")
  endif()
  if(arg_EXCEPT)
    list(JOIN arg_EXCEPT "|" prefixes)
    list(FILTER headers EXCLUDE REGEX "/include/glyphdiff/(${prefixes})")
  endif()

  set(target glyphdiff)
  if(NOT name STREQUAL "glyphdiff")
    set(target glyphdiff_${name})
    list(APPEND arg_LINK glyphdiff)
  endif()
  add_library(${target} INTERFACE)
  add_library(glyphdiff::${name} ALIAS ${target})
  target_sources(${target} INTERFACE FILE_SET HEADERS BASE_DIRS "${include}" FILES ${headers})
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_link_libraries(${target} INTERFACE ${arg_LINK})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})

  if(GLYPHDIFF_INSTALL)
    install(TARGETS ${target} EXPORT glyphdiff-${name} FILE_SET HEADERS)
    install(EXPORT glyphdiff-${name} NAMESPACE glyphdiff:: DESTINATION "${glyphdiff_package_destination}")
  endif()
  set(bases ${arg_LINK})
  list(FILTER bases INCLUDE REGEX "^glyphdiff_")
  list(TRANSFORM bases REPLACE "^glyphdiff_" "")
  set(glyphdiff_bases_${name} "${bases}" PARENT_SCOPE)
  set(glyphdiff_components ${glyphdiff_components} ${name} PARENT_SCOPE)
  set(glyphdiff_needs_${name} "${arg_NEEDS}" PARENT_SCOPE)
endfunction()

# Installs what find_package(glyphdiff [COMPONENTS ...]) reads.
function(glyphdiff_install_package)
  set(component_lists "set(_glyphdiff_components ${glyphdiff_components})\n")
  foreach(name IN LISTS glyphdiff_components)
    string(APPEND component_lists "set(_glyphdiff_needs_${name} ${glyphdiff_needs_${name}})\n"
                                  "set(_glyphdiff_bases_${name} ${glyphdiff_bases_${name}})\n")
  endforeach()
  set(data_directory "${CMAKE_INSTALL_DATADIR}/glyphdiff")
  configure_package_config_file(cmake/glyphdiffConfig.cmake.in "${PROJECT_BINARY_DIR}/glyphdiffConfig.cmake"
    INSTALL_DESTINATION "${glyphdiff_package_destination}" PATH_VARS data_directory)
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/glyphdiffConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
  install(FILES "${PROJECT_BINARY_DIR}/glyphdiffConfig.cmake" "${PROJECT_BINARY_DIR}/glyphdiffConfigVersion.cmake"
                cmake/Prebuilt.cmake cmake/FindRandom123.cmake cmake/Findlibrsvg.cmake cmake/Findlibzip.cmake cmake/Findstb.cmake
          DESTINATION "${glyphdiff_package_destination}")
  install(DIRECTORY examples/data/ DESTINATION "${data_directory}" FILES_MATCHING PATTERN "*.png" PATTERN "*.tsv" PATTERN "*.safetensors")
endfunction()
