#pragma once

#include <glyphdiff/kernels/backend.hpp>

/// Kernels take run-time extents, so all programs use the same few instances of them. The library
/// glyphdiff::prebuilt holds those for Kokkos::DefaultHostExecutionSpace, and glyphdiff::prebuilt_serial
/// those for Kokkos::Serial. GLYPHDIFF_PREBUILT and GLYPHDIFF_PREBUILT_SERIAL, which they hand to whoever
/// links them, keep the instances from being compiled again. Without them the headers are complete.
///
/// Each header of this folder ends with the list of its instances, for example
///
///     #define GLYPHDIFF_RANDOM_KERNELS(MAKE, Exec) MAKE(fill_normal<Exec, Portable>) ...
///     GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_RANDOM_KERNELS)
///
/// and cmake/Prebuilt.cmake compiles GLYPHDIFF_DEFINE_KERNEL of all lists.
#define GLYPHDIFF_DECLARE_KERNEL(...) extern template decltype(__VA_ARGS__) __VA_ARGS__;
#define GLYPHDIFF_DEFINE_KERNEL(...) template decltype(__VA_ARGS__) __VA_ARGS__;

#if defined(GLYPHDIFF_PREBUILT)
#define GLYPHDIFF_DECLARE_DEFAULT(LIST) LIST(GLYPHDIFF_DECLARE_KERNEL, Kokkos::DefaultHostExecutionSpace)
#else
#define GLYPHDIFF_DECLARE_DEFAULT(LIST)
#endif
#if defined(GLYPHDIFF_PREBUILT_SERIAL) && defined(KOKKOS_ENABLE_SERIAL)
#define GLYPHDIFF_DECLARE_SERIAL(LIST) LIST(GLYPHDIFF_DECLARE_KERNEL, Kokkos::Serial)
#else
#define GLYPHDIFF_DECLARE_SERIAL(LIST)
#endif
#define GLYPHDIFF_DECLARE_KERNELS(LIST) \
  GLYPHDIFF_DECLARE_DEFAULT(LIST)       \
  GLYPHDIFF_DECLARE_SERIAL(LIST)
