#pragma once

#include <glyphdiff/diffusion/process.hpp>
#include <glyphdiff/kernels/random.hpp>
#include <glyphdiff/loss/training_loss.hpp>
#include <glyphdiff/sampler/denoiser.hpp>

#include <algorithm>
#include <cmath>

namespace glyphdiff {

/// The variational bound on -log2 p(x_0) per pixel and channel, for images of 256 levels in [-1, 1].
struct BitsPerDimension {
  std::vector<std::vector<double>> terms;  ///< [t][n]; t = 0 is the likelihood of the image itself
  std::vector<double> prior;               ///< [n] KL(q(x_T | x_0) || N(0, 1))
  std::vector<double> total;               ///< [n] the sum
};

/// Evaluates a network on the images x0 (N,H,W,C), with steps() passes, x_0 estimates clipped to [-1, 1], and
/// noise that depends on the seed and on the images' global numbers first_sample, first_sample + 1, ...
template <class Exec, class D, Denoiser<Exec> Model>
BitsPerDimension bits_per_dimension(Exec const& exec, D const& diffusion, Model&& model,
                                    Images<Exec> const& x0, std::uint64_t seed,
                                    std::uint64_t first_sample = 0) {
  static_assert(detail::HasPosterior<D>, "bits per dimension need a discrete diffusion");
  auto const images = [&](std::string const& label, int channels) {
    return Images<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, label), x0.extent(0), x0.extent(1),
                        x0.extent(2), channels);
  };
  int const samples = static_cast<int>(x0.extent(0)), channels = static_cast<int>(x0.extent(3));
  auto const eps = images("glyphdiff::bits_per_dimension::eps", channels);
  auto const x_t = images("glyphdiff::bits_per_dimension::x_t", channels);
  auto const output =
      images("glyphdiff::bits_per_dimension::output", channels * (D::Variance::learned ? 2 : 1));
  auto const layout = detail::loss_layout<Exec, D>(x0, output);
  int const elements = layout.pixels * channels;
  double const bits = 1 / (elements * std::numbers::ln2);

  BitsPerDimension result;
  NoiseLevel const end = diffusion.level(diffusion.steps() - 1);
  double const variance = end.sigma * end.sigma, alpha_bar = end.alpha * end.alpha;
  Runner<Exec, typename BackendOf<Model, Exec>::type> const runner(exec);
  result.prior = kernels::sum_per_sample(runner, samples, elements, kernels::SquaredValue{x0.data(), layout});
  for (double& prior : result.prior)
    prior = bits * 0.5 * (elements * (variance - 1 - std::log(variance)) + alpha_bar * prior);
  result.total = result.prior;

  for (int t = 0; t < diffusion.steps(); ++t) {
    std::vector<int> const times(samples, t);
    run(runner,
        kernels::FillNormal{samples,
                            elements,
                            {seed, Stream::evaluation, std::uint64_t(diffusion.original_timestep(t))},
                            first_sample},
        eps.data());
    q_sample(runner, diffusion, times, x0, eps, x_t);
    model(exec, x_t, std::span<float const>(network_timesteps(diffusion, std::span<int const>(times))),
          output);
    auto& uploads = runner.uploads();
    uploads.clear();
    auto const coefficients = uploads.template add<kernels::LossCoefficients>(std::size_t(samples));
    std::ranges::fill(uploads.host(coefficients), detail::loss_coefficients(diffusion, t));
    uploads.upload(runner);
    fence(runner, "coefficients of losses to the space");
    auto term = kernels::sum_per_sample(
        runner, samples, elements,
        kernels::VariationalBound{x0.data(), eps.data(), output.data(), uploads.device(coefficients), nullptr,
                                  layout, 1.0f, D::Variance::learned, false});
    for (int n = 0; n < samples; ++n) result.total[n] += term[n] *= bits;
    result.terms.push_back(std::move(term));
  }
  return result;
}

}  // namespace glyphdiff
