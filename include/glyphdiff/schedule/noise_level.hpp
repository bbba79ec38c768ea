#pragma once

namespace glyphdiff {

/// Where a noisy image stands: x_t = alpha x_0 + sigma eps, alpha^2 + sigma^2 = 1 (Kingma, Salimans, Poole,
/// Ho 2021). In the notation of DDPM alpha = sqrt(alpha_bar), sigma = sqrt(1 - alpha_bar).
struct NoiseLevel {
  double alpha, sigma;
};

}  // namespace glyphdiff
