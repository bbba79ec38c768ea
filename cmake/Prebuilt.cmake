# glyphdiff_add_prebuilt() adds the library glyphdiff::prebuilt, which holds the instances of kernels that all programs use
# (include/glyphdiff/kernels/prebuilt.hpp), for the host's default execution space; and glyphdiff::prebuilt_serial with those for
# Kokkos::Serial. Where the component checkpoint is, glyphdiff::prebuilt_checkpoint has what reads and writes JSON for it.
# What links them compiles faster and runs as fast; the headers are complete without them.
#
# They are compiled in the project that calls this, with that project's flags, since code for another processor would not fit.
function(glyphdiff_add_prebuilt)
  if(TARGET glyphdiff::checkpoint AND NOT TARGET glyphdiff_prebuilt_checkpoint)
    set(source "${CMAKE_CURRENT_BINARY_DIR}/prebuilt_checkpoint/json.cpp")
    file(CONFIGURE OUTPUT "${source}" CONTENT "#include <nlohmann/json.hpp>

#include <glyphdiff/checkpoint/piece_set.hpp>

#define GLYPHDIFF_DEFINE(...) template decltype(__VA_ARGS__) __VA_ARGS__;
namespace glyphdiff::detail {
GLYPHDIFF_SAFETENSORS_HEADER_JSON(GLYPHDIFF_DEFINE, nlohmann::json)
GLYPHDIFF_SAFETENSORS_JSON(GLYPHDIFF_DEFINE, nlohmann::json)
GLYPHDIFF_PIECE_SET_JSON(GLYPHDIFF_DEFINE, nlohmann::json)
}
")
    add_library(glyphdiff_prebuilt_checkpoint STATIC EXCLUDE_FROM_ALL "${source}")
    add_library(glyphdiff::prebuilt_checkpoint ALIAS glyphdiff_prebuilt_checkpoint)
    target_link_libraries(glyphdiff_prebuilt_checkpoint PUBLIC glyphdiff::checkpoint)
    target_compile_definitions(glyphdiff_prebuilt_checkpoint PUBLIC GLYPHDIFF_PREBUILT_CHECKPOINT)
  endif()
  if(Kokkos_ENABLE_CUDA OR "CUDA" IN_LIST Kokkos_DEVICES OR TARGET glyphdiff_prebuilt)
    return()
  endif()
  glyphdiff_prebuilt_library(prebuilt Kokkos::DefaultHostExecutionSpace GLYPHDIFF_PREBUILT)
  glyphdiff_prebuilt_library(prebuilt_serial Kokkos::Serial GLYPHDIFF_PREBUILT_SERIAL)
endfunction()

function(glyphdiff_prebuilt_library name space definition)
  set(sources "")
  foreach(header IN ITEMS attention conv2d cross_entropy diffusion embedding group_norm matmul optimizer pack_weights pointwise random
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
