#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/diffusion/sampling_step.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// A diffusion process that is sampled along steps of its own. Samplers take it for the process itself.
template <class D>
class SamplingPlan {
 public:
  using Prediction = typename D::Prediction;
  using Variance = typename D::Variance;

  SamplingPlan(D diffusion, std::vector<SamplingStep> steps)
      : diffusion_(std::move(diffusion)), steps_(std::move(steps)) {}

  std::vector<SamplingStep> const& sampling_steps() const { return steps_; }
  double network_timestep_at(double ratio) const { return diffusion_.network_timestep_at(ratio); }

 private:
  D diffusion_;
  std::vector<SamplingStep> steps_;
};

/// Steps through the levels with these sigma / alpha, which fall; 0 is the image.
template <class D>
SamplingPlan<D> spaced(D const& diffusion, std::vector<double> const& ratios) {
  std::vector<SamplingStep> steps;
  for (std::size_t i = 1; i < ratios.size(); ++i) {
    if (is_nan(ratios[i - 1]) || !is_finite(ratios[i]) || ratios[i] < 0 || ratios[i] >= ratios[i - 1])
      throw Error("levels of a sampling run", "sigma / alpha that falls to 0 at the least",
                  number_text(ratios[i - 1]) + ", then " + number_text(ratios[i]));
    steps.push_back(sampling_step<typename D::Variance>(diffusion.network_timestep_at(ratios[i - 1]),
                                                        NoiseLevel::of_ratio(ratios[i - 1]),
                                                        NoiseLevel::of_ratio(ratios[i])));
  }
  return {diffusion, std::move(steps)};
}

namespace detail {

/// `count` steps from the process's highest level to its lowest, even in warp(sigma / alpha), then the image.
template <class D, class Warp, class Unwarp>
SamplingPlan<D> evenly_spaced(D const& diffusion, int count, Warp const& warp, Unwarp const& unwarp) {
  if (count < 1) throw Error("sampling steps", "1 or more", std::to_string(count));
  auto const all = diffusion.sampling_steps();
  double const highest = all.front().here.ratio(), lowest = all.back().here.ratio();
  std::vector<double> ratios{highest};
  for (int i = 1; i < count; ++i) {
    double const part = double(i) / (count - 1);
    ratios.push_back(i + 1 == count ? lowest : unwarp((1 - part) * warp(highest) + part * warp(lowest)));
  }
  ratios.push_back(0);
  return spaced(diffusion, ratios);
}

}  // namespace detail

/// Even in (sigma / alpha)^(1 / rho) (Karras et al. 2022, equation 5).
template <class D>
SamplingPlan<D> karras_spaced(D const& diffusion, int steps, double rho = 7) {
  return detail::evenly_spaced(
      diffusion, steps, [&](double ratio) { return std::pow(ratio, 1 / rho); },
      [&](double warped) { return std::pow(warped, rho); });
}

/// Even in sigma / alpha.
template <class D>
SamplingPlan<D> ratio_spaced(D const& diffusion, int steps) {
  return karras_spaced(diffusion, steps, 1);
}

/// Even in lambda = log(alpha / sigma) (Lu et al. 2022).
template <class D>
SamplingPlan<D> log_snr_spaced(D const& diffusion, int steps) {
  return detail::evenly_spaced(
      diffusion, steps, [](double ratio) { return std::log(ratio); },
      [](double warped) { return std::exp(warped); });
}

/// The last steps of a process: `strength` of them, 0 to 1, and at least one. See noised_to_start.
template <class D>
SamplingPlan<D> last_steps(D const& diffusion, double strength) {
  if (!is_finite(strength) || strength <= 0 || strength > 1)
    throw Error("strength", "above 0, to 1", number_text(strength));
  auto const all = diffusion.sampling_steps();
  auto const count = std::max<std::ptrdiff_t>(1, std::lround(strength * double(all.size())));
  return {diffusion, {all.end() - count, all.end()}};
}

/// Every step but the last `times` times over; Inpainting takes x back up in between (Lugmayr et al. 2022).
/// Multistep samplers begin anew at each step that way, so a one-step sampler does as well.
template <class D>
SamplingPlan<D> repeated(D const& diffusion, int times) {
  if (times < 1) throw Error("times to repeat a sampling step", "1 or more", std::to_string(times));
  std::vector<SamplingStep> steps;
  for (SamplingStep const& s : diffusion.sampling_steps()) steps.insert(steps.end(), s.last ? 1 : times, s);
  return {diffusion, std::move(steps)};
}

}  // namespace glyphdiff
