#pragma once

#include <glyphdiff/sampler/ddim.hpp>

#include <algorithm>

namespace glyphdiff {

/// Draws `count` pictures (count,H,W,C) with a deterministic or DDIM sampler, `batch` at a time, and brings
/// them to the host. Picture i depends on the seed and on first_sample + i alone, not on the batch size.
template <class Exec, class D, Denoiser<Exec> Model>
HostImages draw_ddim(Exec const& exec, D const& diffusion, Model&& model, int count, int height, int width,
                     int channels, std::uint64_t seed, std::uint64_t first_sample = 0, int batch = 64,
                     DdimOptions options = {}) {
  HostImages const result(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::samples"), count,
                          height, width, channels);
  for (int first = 0; first < count; first += batch) {
    int const n = std::min(batch, count - first);
    Images<Exec> const x(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::sampler::x"), n, height,
                         width, channels);
    ddim_sample(exec, diffusion, model, x, SeededNoise{seed, first_sample + first}, options);
    HostImages const destination(result.data() + std::size_t(first) * height * width * channels, n, height,
                                 width, channels);
    Kokkos::deep_copy(exec, destination, x);
    exec.fence();
  }
  return result;
}

}  // namespace glyphdiff
