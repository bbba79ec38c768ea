# CUDA 13 changed functions that Kokkos calls up to release 4.6 with their old arguments. For a Kokkos built along with
# glyphdiff, a header included before everything else offers the old forms again, here and to consumers.
set(shim cuda13_kokkos_shim.hpp)
target_compile_options(kokkoscore PUBLIC
  "SHELL:-include $<BUILD_INTERFACE:${CMAKE_CURRENT_LIST_DIR}/${shim}>$<INSTALL_INTERFACE:$<INSTALL_PREFIX>/${glyphdiff_package_destination}/${shim}>")
if(GLYPHDIFF_INSTALL)
  install(FILES "${CMAKE_CURRENT_LIST_DIR}/${shim}" DESTINATION "${glyphdiff_package_destination}")
endif()
