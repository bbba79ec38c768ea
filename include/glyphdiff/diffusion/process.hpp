#pragma once

#include <glyphdiff/diffusion/prediction.hpp>
#include <glyphdiff/kernels/diffusion.hpp>
#include <glyphdiff/tensor.hpp>

#include <limits>
#include <span>
#include <type_traits>
#include <vector>

/// The forward process and what a network's output says about it, over batches of images. D is a Diffusion or
/// a ContinuousDiffusion, `times` one D::Time per sample; images are (N,H,W,C), and a network's output may
/// have further channels, which are not read. `exec` is an execution space instance or a Runner. Coefficients
/// are computed in double and cast to float.
namespace glyphdiff {
namespace detail {

/// Writes (first, second) of mix(t), a Mix, for each time.
template <class Time, class MixOf>
void write_mixes(std::span<Time const> times, MixOf const& mix, std::span<float> coefficients) {
  for (std::size_t n = 0; n < times.size(); ++n) {
    Mix const m = mix(times[n]);
    coefficients[2 * n] = static_cast<float>(m.first);
    coefficients[2 * n + 1] = static_cast<float>(m.second);
  }
}

/// What q_sample takes of x0 and eps at a time.
template <class D>
auto noising(D const& diffusion) {
  return [&diffusion](auto t) {
    auto const level = diffusion.level(t);
    return Mix{level.alpha, level.sigma};
  };
}

/// out = first * a + second * b, limited, with (first, second) of each sample in the space's memory.
template <class Exec>
void combine(Exec const& exec, float const* coefficients, Images<Exec> const& a, Images<Exec> const& b,
             float limit, Images<Exec> const& out) {
  run(exec,
      kernels::Combine{std::int64_t(a.extent(0)), std::int64_t(a.extent(1) * a.extent(2)), int(a.extent(3)),
                       int(b.extent(3)), limit},
      a.data(), b.data(), coefficients, out.data());
}

/// The same with mix(t), a Mix, for the time of each sample.
template <class Exec, class Time, class MixOf>
void combine(Exec const& exec, std::span<Time const> times, MixOf const& mix, Images<Exec> const& a,
             Images<Exec> const& b, float limit, Images<Exec> const& out) {
  auto&& runner = runner_on(exec);
  auto& uploads = runner.uploads();
  uploads.clear();
  auto const coefficients = uploads.template add<float>(2 * times.size());
  write_mixes(times, mix, uploads.host(coefficients));
  uploads.upload(runner);
  fence(runner, "coefficients of images to the space");
  combine<std::remove_cvref_t<decltype(runner)>>(runner, uploads.device(coefficients), a, b, limit, out);
}

}  // namespace detail

inline constexpr float unclipped = std::numeric_limits<float>::infinity();

/// What the network is given for each sample.
template <class D>
std::vector<float> network_timesteps(D const& diffusion, std::span<typename D::Time const> times) {
  std::vector<float> result;
  result.reserve(times.size());
  for (auto t : times) result.push_back(static_cast<float>(diffusion.network_timestep(t)));
  return result;
}

/// x_t = alpha x0 + sigma eps, a draw of q(x_t | x_0) if eps is standard normal (Ho et al. 2020, equation 4).
/// x_t may be x0 or eps.
template <class Exec, class D>
void q_sample(Exec const& exec, D const& diffusion, std::span<typename D::Time const> times,
              Images<Exec> const& x0, Images<Exec> const& eps, Images<Exec> const& x_t) {
  detail::combine<Exec>(exec, times, detail::noising(diffusion), x0, eps, unclipped, x_t);
}

/// What the network should output.
template <class Exec, class D>
void prediction_target(Exec const& exec, D const& diffusion, std::span<typename D::Time const> times,
                       Images<Exec> const& x0, Images<Exec> const& eps, Images<Exec> const& target) {
  auto const mix = [&](auto t) { return D::Prediction::target(diffusion.level(t)); };
  detail::combine<Exec>(exec, times, mix, x0, eps, unclipped, target);
}

/// The estimate of x_0 that the network's output amounts to, clipped to [-limit, limit].
template <class Exec, class D>
void predict_x0(Exec const& exec, D const& diffusion, std::span<typename D::Time const> times,
                Images<Exec> const& x_t, Images<Exec> const& output, Images<Exec> const& x0,
                float limit = unclipped) {
  auto const mix = [&](auto t) { return D::Prediction::x0(diffusion.level(t)); };
  detail::combine<Exec>(exec, times, mix, x_t, output, limit, x0);
}

/// The estimate of eps.
template <class Exec, class D>
void predict_eps(Exec const& exec, D const& diffusion, std::span<typename D::Time const> times,
                 Images<Exec> const& x_t, Images<Exec> const& output, Images<Exec> const& eps) {
  auto const mix = [&](auto t) { return D::Prediction::eps(diffusion.level(t)); };
  detail::combine<Exec>(exec, times, mix, x_t, output, unclipped, eps);
}

/// The mean of q(x_{t-1} | x_t, x_0); its variance is D's posterior_variance(t). For discrete processes.
template <class Exec, class D>
void posterior_mean(Exec const& exec, D const& diffusion, std::span<typename D::Time const> times,
                    Images<Exec> const& x0, Images<Exec> const& x_t, Images<Exec> const& mean) {
  auto const mix = [&](auto t) { return Mix{diffusion.posterior_mean_x0(t), diffusion.posterior_mean_x(t)}; };
  detail::combine<Exec>(exec, times, mix, x0, x_t, unclipped, mean);
}

}  // namespace glyphdiff
