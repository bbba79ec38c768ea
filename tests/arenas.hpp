#pragma once

#include "arrays.hpp"

#include <cstddef>
#include <vector>

/// The execution spaces that every test of this folder runs for.
#if defined(KOKKOS_ENABLE_SERIAL) && defined(KOKKOS_ENABLE_OPENMP)
#define GLYPHDIFF_HOST_SPACES Kokkos::Serial, Kokkos::OpenMP
#elif defined(KOKKOS_ENABLE_OPENMP)
#define GLYPHDIFF_HOST_SPACES Kokkos::OpenMP
#else
#define GLYPHDIFF_HOST_SPACES Kokkos::Serial
#endif
#if defined(__CUDACC__) && defined(KOKKOS_ENABLE_CUDA)
#define GLYPHDIFF_TEST_SPACES GLYPHDIFF_HOST_SPACES, Kokkos::Cuda
#else
#define GLYPHDIFF_TEST_SPACES GLYPHDIFF_HOST_SPACES
#endif

namespace glyphdiff::test {

template <class Exec>
void assign(Arena<Exec> const& arena, float const* values) {
  Kokkos::deep_copy(arena, HostSpan<float>(const_cast<float*>(values), arena.extent(0)));
}

/// Repeatable values in [-1, 1) of very different sizes.
inline std::vector<float> scattered(std::size_t count, unsigned seed) {
  std::vector<float> values(count);
  unsigned state = seed * 2654435761u + 1;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    float const unit = float(state >> 8) / 8388608.0f - 1.0f;
    values[i] = i % 3 == 0 ? unit : i % 3 == 1 ? unit * 1e-4f : unit * 1e-9f;
  }
  return values;
}

}  // namespace glyphdiff::test
