#pragma once

#include <cmath>

namespace glyphdiff {

/// Where a noisy image stands: x_t = alpha x_0 + sigma eps, alpha^2 + sigma^2 = 1 (Kingma, Salimans, Poole,
/// Ho 2021). In the notation of DDPM alpha = sqrt(alpha_bar), sigma = sqrt(1 - alpha_bar).
struct NoiseLevel {
  double alpha, sigma;

  /// sigma / alpha: the standard deviation of the noise in x / alpha, which is the sigma of Karras et al.
  /// 2022.
  double ratio() const { return sigma / alpha; }
  /// lambda = log(alpha / sigma), half the log signal-to-noise ratio (Lu et al. 2022); infinite for an image.
  double half_log_snr() const { return -std::log(ratio()); }

  static NoiseLevel of_ratio(double ratio) {
    double const alpha = 1 / std::sqrt(1 + ratio * ratio);
    return {alpha, ratio * alpha};
  }
};

/// A noise level and the timestep that the network is given there.
struct TimedLevel {
  double timestep;
  NoiseLevel level;
};

}  // namespace glyphdiff
