#pragma once

#include <glyphdiff/diffusion/prediction.hpp>
#include <glyphdiff/kernels/diffusion.hpp>
#include <glyphdiff/tensor.hpp>

#include <limits>
#include <span>
#include <vector>

/// The forward process and what a network's output says about it, over batches of images. D is a Diffusion or
/// a ContinuousDiffusion, `times` one D::Time per sample; images are (N,H,W,C), and a network's output may
/// have further channels, which are not read. `exec` is an execution space instance or a Runner. Coefficients
/// are computed in double and cast to float.
namespace glyphdiff {
namespace detail {

/// out = first * a + second * b with one Mix per sample.
template <class Exec>
void combine(Exec const& exec, std::vector<Mix> const& mixes, Images<Exec> const& a, Images<Exec> const& b,
             float limit, Images<Exec> const& out) {
  std::vector<float> coefficients;
  for (Mix const& mix : mixes) {
    coefficients.push_back(static_cast<float>(mix.first));
    coefficients.push_back(static_cast<float>(mix.second));
  }
  auto const device = kernels::upload(exec, coefficients);
  run(exec,
      kernels::Combine{std::int64_t(a.extent(0)), std::int64_t(a.extent(1) * a.extent(2)), int(a.extent(3)),
                       int(b.extent(3)), limit},
      a.data(), b.data(), device.data(), out.data());
}

}  // namespace detail

inline constexpr float unclipped = std::numeric_limits<float>::infinity();

/// What the network is given for each sample.
template <class D>
std::vector<float> network_timesteps(D const& diffusion, std::span<typename D::Time const> times) {
  std::vector<float> result;
  for (auto t : times) result.push_back(static_cast<float>(diffusion.network_timestep(t)));
  return result;
}

/// x_t = alpha x0 + sigma eps, a draw of q(x_t | x_0) if eps is standard normal (Ho et al. 2020, equation 4).
/// x_t may be x0 or eps.
template <class Exec, class D>
void q_sample(Exec const& exec, D const& diffusion, std::span<typename D::Time const> times,
              Images<Exec> const& x0, Images<Exec> const& eps, Images<Exec> const& x_t) {
  std::vector<Mix> mixes;
  for (auto t : times) mixes.push_back({diffusion.level(t).alpha, diffusion.level(t).sigma});
  detail::combine<Exec>(exec, mixes, x0, eps, unclipped, x_t);
}

/// What the network should output.
template <class Exec, class D>
void prediction_target(Exec const& exec, D const& diffusion, std::span<typename D::Time const> times,
                       Images<Exec> const& x0, Images<Exec> const& eps, Images<Exec> const& target) {
  std::vector<Mix> mixes;
  for (auto t : times) mixes.push_back(D::Prediction::target(diffusion.level(t)));
  detail::combine<Exec>(exec, mixes, x0, eps, unclipped, target);
}

/// The estimate of x_0 that the network's output amounts to, clipped to [-limit, limit].
template <class Exec, class D>
void predict_x0(Exec const& exec, D const& diffusion, std::span<typename D::Time const> times,
                Images<Exec> const& x_t, Images<Exec> const& output, Images<Exec> const& x0,
                float limit = unclipped) {
  std::vector<Mix> mixes;
  for (auto t : times) mixes.push_back(D::Prediction::x0(diffusion.level(t)));
  detail::combine<Exec>(exec, mixes, x_t, output, limit, x0);
}

/// The estimate of eps.
template <class Exec, class D>
void predict_eps(Exec const& exec, D const& diffusion, std::span<typename D::Time const> times,
                 Images<Exec> const& x_t, Images<Exec> const& output, Images<Exec> const& eps) {
  std::vector<Mix> mixes;
  for (auto t : times) mixes.push_back(D::Prediction::eps(diffusion.level(t)));
  detail::combine<Exec>(exec, mixes, x_t, output, unclipped, eps);
}

/// The mean of q(x_{t-1} | x_t, x_0); its variance is D's posterior_variance(t). For discrete processes.
template <class Exec, class D>
void posterior_mean(Exec const& exec, D const& diffusion, std::span<typename D::Time const> times,
                    Images<Exec> const& x0, Images<Exec> const& x_t, Images<Exec> const& mean) {
  std::vector<Mix> mixes;
  for (auto t : times) mixes.push_back({diffusion.posterior_mean_x0(t), diffusion.posterior_mean_x(t)});
  detail::combine<Exec>(exec, mixes, x0, x_t, unclipped, mean);
}

}  // namespace glyphdiff
