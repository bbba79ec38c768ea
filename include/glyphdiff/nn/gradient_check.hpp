#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/random.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace glyphdiff {

/// How well an analytic gradient agrees with finite differences.
struct GradientCheck {
  double worst = 0;  ///< largest |analytic - numeric| over the probes, relative to their largest magnitude
  double analytic = 0, numeric = 0;  ///< at the worst probe
};

/// Compares `gradient` with central differences of `loss()`, which must read `values` (host memory) anew at
/// each call. Probes are directions of random signs over random subsets of the values, which says more per
/// evaluation than single elements and loses less to rounding. Each probe moves a value by +-`step` and by
/// half as much, and extrapolates the two differences to none (Richardson 1911). A correct gradient in single
/// precision gives `worst` below about 1e-3; a wrong one about 1.
template <class Loss>
GradientCheck check_gradient(Loss&& loss, std::span<float> values, std::span<float const> gradient,
                             float step = 1e-2f, int probes = 8, std::uint64_t seed = 0) {
  std::vector<float> const original(values.begin(), values.end());
  std::vector<double> analytic, numeric;
  for (int probe = 0; probe < probes; ++probe) {
    RandomKey const key{seed, Stream::user, std::uint64_t(probe)};
    auto const direction = [&](std::size_t i) {
      auto const u = uniform4(key, i);
      bool const chosen = u[0] < 1.0f / (1 << probe % 4);  // all values, half of them, a quarter, an eighth
      return chosen ? (u[1] < 0.5f ? -1.0f : 1.0f) : 0.0f;
    };
    double expected = 0;
    for (std::size_t i = 0; i < values.size(); ++i) expected += double(direction(i)) * gradient[i];
    auto const difference = [&](float distance) {
      double side[2];
      for (int k = 0; k < 2; ++k) {
        for (std::size_t i = 0; i < values.size(); ++i)
          values[i] = original[i] + (k == 0 ? distance : -distance) * direction(i);
        side[k] = loss();
      }
      return (side[0] - side[1]) / (2.0 * distance);
    };
    double const wide = difference(step), narrow = difference(step / 2);
    std::copy(original.begin(), original.end(), values.begin());
    analytic.push_back(expected);
    numeric.push_back((4 * narrow - wide) / 3);
  }
  double largest = 1e-30;
  for (int i = 0; i < probes; ++i)
    largest = (std::max)({largest, std::abs(analytic[i]), std::abs(numeric[i])});
  GradientCheck result;
  for (int i = 0; i < probes; ++i) {
    double const error = std::abs(analytic[i] - numeric[i]) / largest;
    if (i == 0 || error > result.worst || is_nan(error)) result = {error, analytic[i], numeric[i]};
  }
  return result;
}

}  // namespace glyphdiff
