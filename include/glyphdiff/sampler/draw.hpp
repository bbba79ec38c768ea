#pragma once

#include <glyphdiff/sampler/ddim.hpp>

#include <algorithm>

namespace glyphdiff {

/// Which pictures to draw.
struct DrawOptions {
  int count = 1, height = 64, width = 64, channels = 3;
  std::uint64_t seed = 0;
  std::uint64_t first_sample = 0;  ///< number of the first picture
  int batch = 64;                  ///< pictures at a time
};

/// Draws pictures (count,H,W,C) with any sampler, called as sample(x, noise) for each batch x, and brings
/// them to the host. Picture i depends on the seed and on first_sample + i alone, not on the batch size.
///
///     draw(exec, {.count = 9, .seed = 7},
///          [&](auto const& x, auto const& noise) { heun_sample(exec, diffusion, model, x, noise); });
template <class Exec, class Sample>
HostImages draw(Exec const& exec, DrawOptions const& options, Sample&& sample) {
  auto const [count, height, width, channels, seed, first_sample, batch] = options;
  HostImages const result(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::samples"), count,
                          height, width, channels);
  for (int first = 0; first < count; first += batch) {
    int const n = (std::min)(batch, count - first);
    Images<Exec> const x(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::sampler::x"), n, height,
                         width, channels);
    sample(x, SeededNoise{seed, first_sample + first});
    HostImages const destination(result.data() + std::size_t(first) * height * width * channels, n, height,
                                 width, channels);
    copy_values(exec, destination, x);
    fence(exec, "pictures to the host");
  }
  return result;
}

/// The same with DDIM.
template <class Exec, class D, Denoiser<Exec> Model>
HostImages draw_ddim(Exec const& exec, D const& diffusion, Model&& model, int count, int height, int width,
                     int channels, std::uint64_t seed, std::uint64_t first_sample = 0, int batch = 64,
                     DdimOptions options = {}) {
  return draw(exec, {count, height, width, channels, seed, first_sample, batch},
              [&](Images<Exec> const& x, SeededNoise const& noise) {
                ddim_sample(exec, diffusion, model, x, noise, options);
              });
}

}  // namespace glyphdiff
