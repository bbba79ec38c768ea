#pragma once

#include <glyphdiff/schedule/noise_level.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace glyphdiff {

/// alpha = cos(pi t / 2), sigma = sin(pi t / 2) for continuous t in [0, 1], from image to noise. The log
/// signal-to-noise ratio log(alpha^2 / sigma^2) = -2 log tan(pi t / 2) is kept within +-20 (Saharia et al.
/// 2022), which moves t by less than 3e-5 at the ends.
struct ContinuousCosine {
  static constexpr double max_log_snr = 20;

  static NoiseLevel level(double t) {
    double const first = std::atan(std::exp(-max_log_snr / 2));
    double const angle = std::clamp(t * std::numbers::pi / 2, first, std::numbers::pi / 2 - first);
    return {std::cos(angle), std::sin(angle)};
  }
};

}  // namespace glyphdiff
