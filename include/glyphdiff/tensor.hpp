#pragma once

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdint>

namespace glyphdiff {

/// Images or activations as a host program sees them: (N,H,W,C), channels innermost, in the space's memory.
template <class Exec>
using Images = Kokkos::View<float****, Kokkos::LayoutRight, typename Exec::memory_space>;

/// One row of numbers for each image, (N,K), in the space's memory: what a classifier says of K classes.
template <class Exec>
using Logits = Kokkos::View<float**, Kokkos::LayoutRight, typename Exec::memory_space>;

/// Images on the host, the mirror of Images<Exec>.
using HostImages = Kokkos::View<float****, Kokkos::LayoutRight, Kokkos::HostSpace>;

/// A flat run of floats in the space's memory: parameters, gradients, moments.
template <class Exec>
using Arena = Kokkos::View<float*, Kokkos::LayoutRight, typename Exec::memory_space>;

/// The same of bfloat16, two bytes each (bfloat16.hpp).
template <class Exec>
using Bfloat16Arena = Kokkos::View<std::uint16_t*, Kokkos::LayoutRight, typename Exec::memory_space>;

/// Run-time extent of a batch of images, as kernels take it.
struct Extent {
  int n, h, w;
  KOKKOS_FUNCTION std::int64_t pixels() const { return std::int64_t(n) * h * w; }
};

/// Activations inside the network: a position in the workspace. The channel count is part of the type, so
/// that layers which don't fit together don't compile; height and width are free, so a network trained at 256
/// can sample at 512. Copies are shallow, and const does not reach the data (as with a View).
template <int C>
struct Tensor {
  static constexpr int channels = C;
  float* data = nullptr;  // (N,H,W,C)
  Extent extent{};
  std::int64_t size() const { return extent.pixels() * C; }
};

}  // namespace glyphdiff
