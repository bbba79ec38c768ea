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

  static NoiseLevel level(double t) { return at_angle(t * std::numbers::pi / 2); }

  /// The level whose sigma / alpha is tan(angle); `angle` in radians, 0 to pi / 2.
  static NoiseLevel at_angle(double angle) {
    double const first = std::atan(std::exp(-max_log_snr / 2));
    double const kept = std::clamp(angle, first, std::numbers::pi / 2 - first);
    return {std::cos(kept), std::sin(kept)};
  }
};

/// ContinuousCosine for images of Size pixels per side with the signal-to-noise ratio that it gives images of
/// Reference pixels once both are averaged down to the same size: sigma / alpha grows by Size / Reference
/// (Hoogeboom, Heek and Salimans 2023, arXiv:2301.11093, "Adjusting Noise Schedules"). Larger images need
/// more noise before their shapes, and not only their edges, are gone.
template <int Size, int Reference>
struct ShiftedCosine {
  static_assert(Size >= 1 && Reference >= 1, "ShiftedCosine: both sizes must be at least 1");

  static NoiseLevel level(double t) {
    double const angle = t * std::numbers::pi / 2;
    return ContinuousCosine::at_angle(
        std::atan2(std::sin(angle) * Size, (std::max)(0.0, std::cos(angle)) * Reference));
  }
};

}  // namespace glyphdiff
