# glyphdiff_add_prebuilt() adds the library glyphdiff::prebuilt, which holds the instances of kernels that all programs use
# (include/glyphdiff/kernels/prebuilt.hpp), for the host's default execution space; and glyphdiff::prebuilt_serial with those for
# Kokkos::Serial. What links them compiles faster and runs as fast; the headers are complete
# without them.
#
# They are compiled in the project that calls this, with that project's flags, since code for another processor would not fit.
function(glyphdiff_add_prebuilt)
  if(Kokkos_ENABLE_CUDA OR "CUDA" IN_LIST Kokkos_DEVICES OR TARGET glyphdiff_prebuilt)
    return()
  endif()
  glyphdiff_prebuilt_library(prebuilt Kokkos::DefaultHostExecutionSpace GLYPHDIFF_PREBUILT)
  glyphdiff_prebuilt_library(prebuilt_serial Kokkos::Serial GLYPHDIFF_PREBUILT_SERIAL)
endfunction()

function(glyphdiff_prebuilt_library name space definition)
  set(sources "")
  foreach(header IN ITEMS attention conv2d cross_entropy diffusion embedding group_norm matmul optimizer pointwise random
                          resample sampling tokens)
    set(source "${CMAKE_CURRENT_BINARY_DIR}/${name}/${header}.cpp")
    string(TOUPPER "GLYPHDIFF_${header}_KERNELS" list)
    file(CONFIGURE OUTPUT "${source}" CONTENT "#include <glyphdiff/kernels/${header}.hpp>
#if !defined(GLYPHDIFF_PREBUILT_SERIAL) || defined(KOKKOS_ENABLE_SERIAL)
namespace glyphdiff::kernels {
${list}(GLYPHDIFF_DEFINE_KERNEL, ${space})
}
#endif
")
    list(APPEND sources "${source}")
  endforeach()
  add_library(glyphdiff_${name} STATIC EXCLUDE_FROM_ALL ${sources})
  add_library(glyphdiff::${name} ALIAS glyphdiff_${name})
  target_link_libraries(glyphdiff_${name} PUBLIC glyphdiff::glyphdiff)
  target_compile_definitions(glyphdiff_${name} PUBLIC ${definition})
  set_target_properties(glyphdiff_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 4)
endfunction()
