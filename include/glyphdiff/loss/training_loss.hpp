#pragma once

#include <glyphdiff/diffusion/prediction.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/kernels/diffusion.hpp>
#include <glyphdiff/loss/objective.hpp>
#include <glyphdiff/tensor.hpp>

#include <limits>
#include <numbers>
#include <span>
#include <string>
#include <vector>

namespace glyphdiff {

/// Losses of each sample, means over its pixels and channels, not weighted.
struct LossReport {
  std::vector<double> mse;    ///< squared error of the prediction
  std::vector<double> vb;     ///< variational bound term in bits, scaled by the objective; 0 if it has none
  std::vector<double> total;  ///< what is trained
};

namespace detail {

/// Whether D has the posterior that the variational bound needs.
template <class D>
concept HasPosterior = requires(D const& diffusion, typename D::Time t) {
  diffusion.posterior_mean_x0(t);
};

template <class D>
kernels::LossCoefficients loss_coefficients(D const& diffusion, typename D::Time t) {
  auto const level = diffusion.level(t);
  Mix const target = D::Prediction::target(level), x0 = D::Prediction::x0(level);
  kernels::LossCoefficients k{};
  k.target_x0 = static_cast<float>(target.first);
  k.target_eps = static_cast<float>(target.second);
  k.error_to_x0 = static_cast<float>(x0.second);
  if constexpr (HasPosterior<D>) {
    k.x0_to_mean = static_cast<float>(diffusion.posterior_mean_x0(t));
    k.log_true = k.log_small = static_cast<float>(diffusion.log_variance_small(t));
    k.log_large = static_cast<float>(diffusion.log_variance_large(t));
    k.first = t == 0 ? 1.0f : 0.0f;
  }
  return k;
}

template <class Exec, class D>
kernels::LossLayout loss_layout(Images<Exec> const& x0, Images<Exec> const& output) {
  int const expected = static_cast<int>(x0.extent(3)) * (D::Variance::learned ? 2 : 1);
  if (static_cast<int>(output.extent(3)) != expected)
    throw Error("loss", "an output of " + std::to_string(expected) + " channels",
                std::to_string(output.extent(3)) + " channels");
  return {static_cast<int>(x0.extent(1) * x0.extent(2)), static_cast<int>(x0.extent(3)), expected};
}

}  // namespace detail

/// The loss of a network's `output` for q_sample(x0, eps) at `times`, and, unless `gradient` is empty, the
/// gradient of sum_n weights[n] total[n] by the output. `weights` holds what else multiplies a sample's loss
/// (importance 1 / (T p), 1 / batch with the batch over all microbatches, a loss scale); empty: 1 / N. Images
/// are (N,H,W,C); output and gradient are (N,H,W,2C) where the variance is learned.
template <class Objective, class Exec, class D>
LossReport training_loss(Exec const& exec, D const& diffusion, std::span<typename D::Time const> times,
                         std::span<double const> weights, Images<Exec> const& x0, Images<Exec> const& eps,
                         Images<Exec> const& output, Images<Exec> const& gradient) {
  static_assert(ValidObjective<Objective>::value);
  static_assert(Objective::squared_error || detail::HasPosterior<D>,
                "the variational bound needs a discrete diffusion: use Mse with a continuous one");
  constexpr bool has_bound = D::Variance::learned || !Objective::squared_error;
  auto const layout = detail::loss_layout<Exec, D>(x0, output);
  int const elements = layout.pixels * layout.channels;
  double const scale = Objective::bound_scale(diffusion.steps()), bits = 1 / std::numbers::ln2;

  std::vector<kernels::LossCoefficients> coefficients;
  for (std::size_t n = 0; n < times.size(); ++n) {
    double const weight = (weights.empty() ? 1.0 / times.size() : weights[n]) / elements;
    auto k = detail::loss_coefficients(diffusion, times[n]);
    k.squared_weight = static_cast<float>(weight);
    k.bound_weight = static_cast<float>(weight * scale * bits);
    coefficients.push_back(k);
  }
  auto const device = kernels::upload(exec, coefficients);

  int const samples = static_cast<int>(times.size());
  LossReport report;
  report.mse = kernels::sum_per_sample(
      exec, samples, elements,
      kernels::SquaredError{x0.data(), eps.data(), output.data(), device.data(),
                            Objective::squared_error ? gradient.data() : nullptr, layout});
  report.vb.assign(samples, 0.0);
  if constexpr (has_bound)
    report.vb = kernels::sum_per_sample(
        exec, samples, elements,
        kernels::VariationalBound{x0.data(), eps.data(), output.data(), device.data(), gradient.data(),
                                  layout, std::numeric_limits<float>::infinity(), D::Variance::learned,
                                  !Objective::squared_error});
  for (int n = 0; n < samples; ++n) {
    report.mse[n] /= elements;
    report.vb[n] *= scale * bits / elements;
    report.total.push_back((Objective::squared_error ? report.mse[n] : 0.0) + report.vb[n]);
  }
  return report;
}

}  // namespace glyphdiff
