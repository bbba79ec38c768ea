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

/// What the losses of samples at these times are computed with; `weights` as for training_loss.
template <class Objective, class D>
void write_loss_coefficients(D const& diffusion, std::span<typename D::Time const> times,
                             std::span<double const> weights, int elements,
                             std::span<kernels::LossCoefficients> to) {
  double const scale = Objective::bound_scale(diffusion.steps()), bits = 1 / std::numbers::ln2;
  for (std::size_t n = 0; n < times.size(); ++n) {
    double const weight = (weights.empty() ? 1.0 / times.size() : weights[n]) / elements;
    to[n] = loss_coefficients(diffusion, times[n]);
    to[n].squared_weight = static_cast<float>(weight);
    to[n].bound_weight = static_cast<float>(weight * scale * bits);
  }
}

/// Whether the loss has a term of the variational bound.
template <class Objective, class D>
inline constexpr bool has_bound = D::Variance::learned || !Objective::squared_error;

/// The sums of the squared errors of each sample, and of the terms of the bound in nats where there are any,
/// to the space's memory, with the gradient as for training_loss. `coefficients` lie there as well.
template <class Objective, class D, class Exec>
void launch_loss(Exec const& exec, kernels::LossCoefficients const* coefficients, Images<Exec> const& x0,
                 Images<Exec> const& eps, Images<Exec> const& output, Images<Exec> const& gradient,
                 double* squared_errors, double* bounds) {
  auto const layout = loss_layout<Exec, D>(x0, output);
  int const elements = layout.pixels * layout.channels;
  std::int64_t const samples = x0.extent(0);
  run(exec,
      kernels::SumPerSample<kernels::SquaredError>{
          samples,
          elements,
          {x0.data(), eps.data(), output.data(), coefficients,
           Objective::squared_error ? gradient.data() : nullptr, layout}},
      squared_errors);
  if constexpr (has_bound<Objective, D>)
    run(exec,
        kernels::SumPerSample<kernels::VariationalBound>{
            samples,
            elements,
            {x0.data(), eps.data(), output.data(), coefficients, gradient.data(), layout,
             std::numeric_limits<float>::infinity(), D::Variance::learned, !Objective::squared_error}},
        bounds);
}

/// The losses that the sums of launch_loss amount to, on the host.
template <class Objective, class D>
LossReport loss_report(D const& diffusion, int elements, std::span<double const> squared_errors,
                       std::span<double const> bounds) {
  double const scale = Objective::bound_scale(diffusion.steps()), bits = 1 / std::numbers::ln2;
  std::size_t const samples = squared_errors.size();
  LossReport report{std::vector<double>(samples), std::vector<double>(samples), std::vector<double>(samples)};
  for (std::size_t n = 0; n < samples; ++n) {
    report.mse[n] = squared_errors[n] / elements;
    if constexpr (has_bound<Objective, D>) report.vb[n] = bounds[n] * (scale * bits / elements);
    report.total[n] = (Objective::squared_error ? report.mse[n] : 0.0) + report.vb[n];
  }
  return report;
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
  auto const layout = detail::loss_layout<Exec, D>(x0, output);
  int const elements = layout.pixels * layout.channels;
  auto&& runner = runner_on(exec);
  auto &uploads = runner.uploads(), &results = runner.results();
  uploads.clear();
  auto const coefficients = uploads.template add<kernels::LossCoefficients>(times.size());
  detail::write_loss_coefficients<Objective>(diffusion, times, weights, elements, uploads.host(coefficients));
  uploads.upload(runner);
  fence(runner, "coefficients of losses to the space");

  results.clear();
  auto const squared_errors = results.template add<double>(times.size());
  auto const bounds = results.template add<double>(times.size());
  results.make_room();
  detail::launch_loss<Objective, D>(runner, uploads.device(coefficients), x0, eps, output, gradient,
                                    results.device(squared_errors), results.device(bounds));
  results.download(runner);
  fence(runner, "losses to the host");
  return detail::loss_report<Objective>(diffusion, elements, results.host(squared_errors),
                                        results.host(bounds));
}

}  // namespace glyphdiff
