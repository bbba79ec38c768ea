#pragma once

#include <glyphdiff/diffusion/prediction.hpp>
#include <glyphdiff/diffusion/sampling_step.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/schedule/respacing.hpp>

#include <cmath>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace glyphdiff {

/// A diffusion process in discrete steps t = 0 .. steps() - 1 (Ho et al. 2020; Nichol & Dhariwal 2021),
/// composed at compile time. Tables are double.
///
///     Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange> diffusion;
///     auto const fast = diffusion.respaced("ddim50");
template <class Schedule, class PredictionType = Epsilon, class VarianceType = FixedLarge>
class Diffusion {
 public:
  using Time = int;
  using Prediction = PredictionType;
  using Variance = VarianceType;

  /// `rescale_timesteps`: the network is given t * 1000 / T (IDDPM's habit) instead of t.
  explicit Diffusion(bool rescale_timesteps = false)
      : Diffusion(Schedule::betas(), all_timesteps(), rescale_timesteps) {}

  /// The same process in fewer steps (Nichol & Dhariwal 2021, section 4). Each new step spans the old ones
  /// between two that are kept; the network is still given the original timesteps. `respacing`: see
  /// respaced_timesteps().
  Diffusion respaced(std::string_view respacing) const {
    std::vector<double> beta;
    std::vector<int> original;
    double previous = 1;
    for (int t : respaced_timesteps(respacing, steps())) {
      beta.push_back(1 - alpha_bar_[t] / previous);
      original.push_back(original_[t]);
      previous = alpha_bar_[t];
    }
    return Diffusion(std::move(beta), std::move(original), rescale_timesteps_);
  }

  int steps() const { return static_cast<int>(beta_.size()); }
  /// The step of the schedule that step t was before respacing.
  int original_timestep(int t) const { return original_[t]; }
  /// What the network is given.
  double network_timestep(int t) const { return rescaled(original_[t]); }
  /// What the network is given at the level of this sigma / alpha: between two timesteps of the schedule, by
  /// the logarithm; beyond them, the outermost one.
  double network_timestep_at(double ratio) const {
    double const wanted = std::log(ratio);
    for (int t = 0; t < Schedule::steps; ++t)
      if (double const here = log_ratios_[t]; here >= wanted)
        return rescaled(t == 0 ? 0 : t - (here - wanted) / (here - log_ratios_[t - 1]));
    return rescaled(Schedule::steps - 1);
  }

  double beta(int t) const { return beta_[t]; }
  double alpha_bar(int t) const { return alpha_bar_[t]; }
  double alpha_bar_previous(int t) const { return t > 0 ? alpha_bar_[t - 1] : 1.0; }
  NoiseLevel level(int t) const { return level_of(alpha_bar_[t]); }

  /// q(x_{t-1} | x_t, x_0) has this variance, and the mean posterior_mean_x0 x_0 + posterior_mean_x x_t (Ho
  /// et al. 2020, equation 7).
  double posterior_variance(int t) const {
    return beta_[t] * (1 - alpha_bar_previous(t)) / (1 - alpha_bar_[t]);
  }
  double posterior_mean_x0(int t) const {
    return beta_[t] * std::sqrt(alpha_bar_previous(t)) / (1 - alpha_bar_[t]);
  }
  double posterior_mean_x(int t) const {
    return (1 - alpha_bar_previous(t)) * std::sqrt(1 - beta_[t]) / (1 - alpha_bar_[t]);
  }
  /// Its logarithm, with the value of t = 1 at t = 0, where the variance is 0.
  double log_variance_small(int t) const {
    return std::log(t > 0 ? posterior_variance(t) : steps() > 1 ? posterior_variance(1) : beta_[0]);
  }
  /// log beta_t; for a fixed variance, at t = 0 the value of log_variance_small.
  double log_variance_large(int t) const {
    if constexpr (std::is_same_v<Variance, FixedSmall>) return log_variance_small(t);
    if (std::is_same_v<Variance, FixedLarge> && t == 0) return log_variance_small(0);
    return std::log(beta_[t]);
  }

  /// From noise to image.
  std::vector<SamplingStep> sampling_steps() const {
    std::vector<SamplingStep> result;
    for (int t = steps() - 1; t >= 0; --t)
      result.push_back({network_timestep(t), level(t), level_of(alpha_bar_previous(t)), posterior_mean_x0(t),
                        posterior_mean_x(t), log_variance_small(t), log_variance_large(t), t == 0});
    return result;
  }

 private:
  Diffusion(std::vector<double> beta, std::vector<int> original, bool rescale_timesteps)
      : beta_(std::move(beta)), original_(std::move(original)), rescale_timesteps_(rescale_timesteps) {
    double product = 1;
    for (double b : beta_) alpha_bar_.push_back(product *= 1 - b);
    double of_schedule = 1;
    for (double b : Schedule::betas())
      log_ratios_.push_back(std::log(level_of(of_schedule *= 1 - b).ratio()));
  }

  double rescaled(double original) const {
    return rescale_timesteps_ ? original * (1000.0 / Schedule::steps) : original;
  }
  static std::vector<int> all_timesteps() { return respaced_timesteps("", Schedule::steps); }
  static NoiseLevel level_of(double alpha_bar) { return {std::sqrt(alpha_bar), std::sqrt(1 - alpha_bar)}; }

  std::vector<double> beta_, alpha_bar_;
  std::vector<double> log_ratios_;  // of the schedule, whatever the respacing
  std::vector<int> original_;
  bool rescale_timesteps_;
};

}  // namespace glyphdiff
