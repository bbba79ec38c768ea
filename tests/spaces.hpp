#pragma once

#include <glyphdiff/kernels/path.hpp>

/// The execution spaces, and the paths on them, that every test of a kernel or a layer runs for.
namespace glyphdiff::test {

template <class Exec_, class Path_>
struct On {
  using Exec = Exec_;
  using Path = Path_;
};

using Parallel = Kokkos::DefaultHostExecutionSpace;
using ParallelPortable = On<Parallel, kernels::Portable>;
using ParallelVectorised = On<Parallel, kernels::Vectorised>;
#if defined(KOKKOS_ENABLE_SERIAL)
using Single = Kokkos::Serial;
#else
using Single = Parallel;
#endif
using SinglePortable = On<Single, kernels::Portable>;
using SingleVectorised = On<Single, kernels::Vectorised>;
#if defined(__CUDACC__) && defined(KOKKOS_ENABLE_CUDA)
using Cuda = On<Kokkos::Cuda, kernels::Portable>;
#endif

}  // namespace glyphdiff::test

#if defined(__CUDACC__) && defined(KOKKOS_ENABLE_CUDA)
#define GLYPHDIFF_TEST_DEVICE_PATHS , glyphdiff::test::Cuda
#else
#define GLYPHDIFF_TEST_DEVICE_PATHS
#endif
#define GLYPHDIFF_TEST_PATHS                                                                             \
  glyphdiff::test::SinglePortable, glyphdiff::test::SingleVectorised, glyphdiff::test::ParallelPortable, \
      glyphdiff::test::ParallelVectorised GLYPHDIFF_TEST_DEVICE_PATHS
/// For what is built from kernels and takes longer to compile: each space once, each path once.
#define GLYPHDIFF_TEST_LAYER_PATHS \
  glyphdiff::test::SinglePortable, glyphdiff::test::ParallelVectorised GLYPHDIFF_TEST_DEVICE_PATHS
