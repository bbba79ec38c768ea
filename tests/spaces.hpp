#pragma once

#include <glyphdiff/kernels/backend.hpp>

/// The execution spaces, and the paths on them, that every test of a kernel or a layer runs for.
namespace glyphdiff::test {

template <class Exec_, class Backend_>
struct On {
  using Exec = Exec_;
  using Backend = Backend_;
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
#define GLYPHDIFF_TEST_DEVICE_BACKENDS , glyphdiff::test::Cuda
#else
#define GLYPHDIFF_TEST_DEVICE_BACKENDS
#endif
#define GLYPHDIFF_TEST_BACKENDS                                                                          \
  glyphdiff::test::SinglePortable, glyphdiff::test::SingleVectorised, glyphdiff::test::ParallelPortable, \
      glyphdiff::test::ParallelVectorised GLYPHDIFF_TEST_DEVICE_BACKENDS
/// For what is built from kernels and takes longer to compile: each space once, each backend once.
#define GLYPHDIFF_TEST_LAYER_BACKENDS \
  glyphdiff::test::SinglePortable, glyphdiff::test::ParallelVectorised GLYPHDIFF_TEST_DEVICE_BACKENDS
