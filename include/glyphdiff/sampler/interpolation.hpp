#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/sampler/ddim.hpp>

#include <cmath>
#include <span>
#include <string>
#include <vector>

namespace glyphdiff {

/// Spherical interpolation (Shoemake 1985; Song et al. 2020, appendix D.5): x (N,H,W,C) gets, for each
/// fraction of the way, sin((1 - f) theta) / sin theta a + sin(f theta) / sin theta b, theta the angle
/// between a and b. What is between two noises looks like noise, as their mean does not. `a` and `b` have N
/// pictures, or one that counts for all. x may be neither of them.
template <class Exec>
void slerp(Exec const& exec, Images<Exec> const& a, Images<Exec> const& b, std::span<double const> fractions,
           Images<Exec> const& x) {
  std::int64_t const count = x.extent(0), size = x.size() / count;
  for (auto const& v : {a, b})
    if (std::int64_t(v.size()) != size * std::int64_t(v.extent(0)) ||
        (v.extent(0) != 1 && v.extent(0) != x.extent(0)))
      throw Error("slerp",
                  "1 or " + std::to_string(count) + " pictures of " + std::to_string(size) + " values",
                  std::to_string(v.extent(0)) + " with " + std::to_string(v.size()) + " in all");
  if (std::int64_t(fractions.size()) != count)
    throw Error("slerp", std::to_string(count) + " fractions", std::to_string(fractions.size()));

  std::int64_t const a_stride = a.extent(0) > 1 ? size : 0, b_stride = b.extent(0) > 1 ? size : 0;
  kernels::Pairs const pairs{a.data(), b.data(), a_stride, b_stride};
  auto&& runner = runner_on(exec);
  auto const products = [&](kernels::Pairs const& of) {
    return kernels::sum_per_sample(runner, count, static_cast<int>(size), kernels::PairProduct{of});
  };
  auto const ab = products(pairs), aa = products({a.data(), a.data(), a_stride, a_stride}),
             bb = products({b.data(), b.data(), b_stride, b_stride});
  auto& uploads = runner.uploads();
  uploads.clear();
  auto const part = uploads.template add<float>(std::size_t(2 * count));
  auto const coefficients = uploads.host(part);
  for (std::int64_t n = 0; n < count; ++n) {
    double const cosine = ab[n] / std::sqrt(aa[n] * bb[n]), f = fractions[n];
    double first = 1 - f, second = f;
    if (std::abs(cosine) < 1 - 1e-9) {  // else a straight line: there is one direction, or too many
      double const theta = std::acos(cosine);
      first = std::sin((1 - f) * theta) / std::sin(theta);
      second = std::sin(f * theta) / std::sin(theta);
    }
    coefficients[2 * n] = static_cast<float>(first);
    coefficients[2 * n + 1] = static_cast<float>(second);
  }
  uploads.upload(runner);
  runner.run(kernels::Blend{count, size, pairs}, uploads.device(part), x.data());
  fence(runner, "interpolated noise, and its coefficients on the host");
}

/// What lies between two images: x (N,H,W,C) gets the pictures at those fractions of the way from `first` to
/// `second` (1 or N pictures each), whose noises ddim_encode finds. Between two seeds, slerp what
/// SeededNoise::start gives, and start any sampler from that (StartFrom).
template <class Exec, class D, Denoiser<Exec> Model>
void ddim_interpolate(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& first,
                      Images<Exec> const& second, std::span<double const> fractions, Images<Exec> const& x,
                      DdimOptions options = {}) {
  Runner<Exec, typename BackendOf<Model, Exec>::type> const runner(exec);
  auto const encoded = [&](Images<Exec> const& image) {
    Images<Exec> const noise(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::interpolation"),
                             image.extent(0), image.extent(1), image.extent(2), image.extent(3));
    runner.run(kernels::Copy{std::int64_t(image.size())}, image.data(), noise.data());
    ddim_encode(exec, diffusion, model, noise, options);
    return noise;
  };
  slerp(runner, encoded(first), encoded(second), fractions, x);
  options.eta = 0;
  ddim_decode(exec, diffusion, model, x, SeededNoise{}, options);
}

}  // namespace glyphdiff
