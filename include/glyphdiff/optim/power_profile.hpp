#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

/// Moving averages whose profile is a power function of time (Karras et al. 2024, "Analyzing and Improving
/// the Training Dynamics of Diffusion Models", section 3): the average after t updates is
///
///     (gamma + 1) / t^(gamma + 1) * integral from 0 to t of tau^gamma theta(tau) dtau.
///
/// It grows with the run, needs no warm-up and forgets where the run began; and averages of other widths can
/// be made afterwards from some that were kept (post_hoc_weights in checkpoint/post_hoc_average.hpp).
namespace glyphdiff {

/// The width of a profile, its standard deviation relative to the length of the run, as an exponent (equation
/// 123 of the paper): width^2 = (gamma + 1) / ((gamma + 2)^2 (gamma + 3)). Throws Error outside (0, 0.28].
inline double power_exponent(double width) {
  if (!is_finite(width) || width <= 0 || width > 0.28)
    throw Error("width of a power-function average", "above 0, at most 0.28", number_text(width));
  auto const width_of = [](double g) { return std::sqrt((g + 1) / ((g + 2) * (g + 2) * (g + 3))); };
  double low = 0, high = 1;  // the width falls with the exponent
  while (width_of(high) > width) high *= 2;
  for (int i = 0; i < 200 && high - low > 1e-14 * high; ++i) {
    double const middle = 0.5 * (low + high);
    (width_of(middle) > width ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

/// The average's rate at the update that follows `steps` others (equation 127): (1 - 1/t)^(gamma + 1), t =
/// steps + 1.
inline double power_rate(double exponent, std::int64_t steps) {
  return std::pow(double(steps) / double(steps + 1), exponent + 1);
}

/// The integral over time of the product of two profiles, of exponents a and b, after s and t updates.
inline double power_overlap(double a, double s, double b, double t) {
  if (s > t) return power_overlap(b, t, a, s);
  // integral from 0 to s of (a+1) tau^a / s^(a+1) * (b+1) tau^b / t^(b+1)
  return (a + 1) * (b + 1) / (a + b + 1) * std::pow(s / t, b) / t;
}

}  // namespace glyphdiff
