#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace glyphdiff {

/// alpha_bar_t follows cos^2 (Nichol & Dhariwal 2021, equation 17), beta_t clipped at 0.999.
template <int T = 1000>
struct CosineSchedule {
  static_assert(T >= 2, "CosineSchedule<T> needs at least two timesteps");
  static constexpr int steps = T;

  static std::vector<double> betas() {
    auto const alpha_bar = [](double t) {
      double const c = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2);
      return c * c;
    };
    std::vector<double> beta(T);
    for (int t = 0; t < T; ++t)
      beta[t] = (std::min)(1 - alpha_bar((t + 1) / double(T)) / alpha_bar(t / double(T)), 0.999);
    return beta;
  }
};

}  // namespace glyphdiff
