#pragma once

#include <glyphdiff/metrics/neighbours.hpp>
#include <glyphdiff/number_text.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace glyphdiff {

/// One sentence of warning if samples repeat training letters, else nothing. Both arguments are distances to
/// the nearest training letter. New letters come as near as the nearest 5 % of held-out letters in 5 % of
/// cases; it warns when that share is exceeded by more than two standard deviations of chance, in the samples
/// and in where the held-out letters' 5 % lie. Fewer than 20 held-out letters have no 5 %: then only samples
/// nearer than any of them are counted.
inline std::string memorisation_warning(std::vector<double> const& samples,
                                        std::vector<double> const& held_out) {
  if (samples.empty() || held_out.empty()) return {};
  auto const count = static_cast<double>(samples.size()), real = static_cast<double>(held_out.size());
  double const expected = std::fmax(0.05, 1 / real);
  double const limit = expected + 2 * std::sqrt(expected * (1 - expected) * (1 / count + 1 / real));
  double const copies = copies_rate(samples, held_out);
  if (copies <= limit) return {};
  return "warning: " + fixed_text(copies * count, 0) + " of " + std::to_string(samples.size()) +
         " samples are nearer to a training letter than " + number_text(quantile(held_out, 0.05), 3) +
         ", which " + number_text(100 * expected, 3) +
         " % of new letters would be; the model repeats letters it was trained on.";
}

}  // namespace glyphdiff
