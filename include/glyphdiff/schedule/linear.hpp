#pragma once

#include <vector>

namespace glyphdiff {

/// beta_t in equal steps from 1e-4 to 0.02 at T = 1000 (Ho et al. 2020, section 4); both ends scale with 1000
/// / T.
template <int T = 1000>
struct LinearSchedule {
  static_assert(T >= 2, "LinearSchedule<T> needs at least two timesteps");
  static constexpr int steps = T;

  static std::vector<double> betas() {
    double const scale = 1000.0 / T, first = scale * 1e-4, last = scale * 0.02,
                 step = (last - first) / (T - 1);
    std::vector<double> beta(T);
    for (int t = 0; t < T; ++t) beta[t] = t * step + first;
    beta[T - 1] = last;
    return beta;
  }
};

}  // namespace glyphdiff
