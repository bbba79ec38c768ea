#pragma once

#include <glyphdiff/diffusion/prediction.hpp>
#include <glyphdiff/diffusion/sampling_step.hpp>
#include <glyphdiff/error.hpp>

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace glyphdiff {

/// A diffusion process in continuous time t in (0, 1), from image to noise (Kingma et al. 2021), with the
/// interface of Diffusion. Training draws t anywhere; sampling walks an even grid of steps() times from 1 to
/// 0.
///
///     ContinuousDiffusion<ContinuousCosine, V> diffusion;  // 50 sampling steps
template <class Schedule, class PredictionType = V, class VarianceType = FixedSmall>
class ContinuousDiffusion {
 public:
  static_assert(!VarianceType::learned,
                "ContinuousDiffusion has no learned variance: use FixedSmall or FixedLarge");
  using Time = double;
  using Prediction = PredictionType;
  using Variance = VarianceType;

  explicit ContinuousDiffusion(int sampling_steps = 50) : steps_(sampling_steps) {
    if (steps_ < 1) throw Error("sampling steps: expected 1 or more, found " + std::to_string(steps_));
  }

  /// The same process sampled in another number of steps, "50".
  ContinuousDiffusion respaced(std::string_view count) const {
    int value = 0;
    auto const [end, error] = std::from_chars(count.data(), count.data() + count.size(), value);
    if (error != std::errc{} || end != count.data() + count.size())
      throw Error("sampling steps of a continuous diffusion", "a number", "\"" + std::string(count) + "\"");
    return ContinuousDiffusion(value);
  }

  int steps() const { return steps_; }
  /// What the network is given: the scale of the discrete models.
  double network_timestep(double t) const { return 1000 * t; }
  NoiseLevel level(double t) const { return Schedule::level(t); }
  /// What the network is given at the level of this sigma / alpha, by bisection.
  double network_timestep_at(double ratio) const {
    double low = 0, high = 1;
    for (int halving = 0; halving < 54; ++halving) {
      double const middle = (low + high) / 2;
      (level(middle).ratio() < ratio ? low : high) = middle;
    }
    return network_timestep(high);
  }

  /// From noise to image; the last step ends at the image itself.
  std::vector<SamplingStep> sampling_steps() const {
    std::vector<SamplingStep> result;
    for (int i = steps_; i > 0; --i) {
      double const t = i / double(steps_);
      NoiseLevel const next = i > 1 ? level((i - 1) / double(steps_)) : NoiseLevel{1, 0};
      result.push_back(sampling_step<Variance>(network_timestep(t), level(t), next));
    }
    return result;
  }

 private:
  int steps_;
};

}  // namespace glyphdiff
