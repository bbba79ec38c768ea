#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/optim/power_profile.hpp>

#include <Eigen/Dense>

#include <cstdint>
#include <vector>

/// Averages of a width that is chosen after training (Karras et al. 2024, section 3.2): a sum of
/// power-function averages that a run has kept, weighted so that its profile comes closest to the wanted one.
namespace glyphdiff {

/// A power-function average as it was after `step` updates.
struct KeptAverage {
  double width;
  std::int64_t step;
};

/// The weight of each kept average in the one of this width after `step` updates, by least squares over all
/// profiles. Throws Error if there are none, or one is of step 0 or less.
inline std::vector<double> post_hoc_weights(std::vector<KeptAverage> const& kept, double width,
                                            std::int64_t step) {
  auto const count = Eigen::Index(kept.size());
  if (count == 0 || step < 1) throw Error("averages to compose another from", "at least one", "none");
  Eigen::VectorXd exponent(count), time(count), scale(count);
  for (Eigen::Index i = 0; i < count; ++i) {
    if (kept[i].step < 1) throw Error("step of a kept average", "1 or more", std::to_string(kept[i].step));
    exponent[i] = power_exponent(kept[i].width);
    time[i] = double(kept[i].step);
    scale[i] = 1 / std::sqrt(power_overlap(exponent[i], time[i], exponent[i], time[i]));
  }
  // The normal equations of the profiles, each scaled to length 1: neighbours are nearly parallel.
  Eigen::MatrixXd overlaps(count, count);
  Eigen::VectorXd target(count);
  double const wanted = power_exponent(width);
  for (Eigen::Index i = 0; i < count; ++i) {
    for (Eigen::Index j = 0; j < count; ++j)
      overlaps(i, j) = scale[i] * scale[j] * power_overlap(exponent[i], time[i], exponent[j], time[j]);
    target[i] = scale[i] * power_overlap(exponent[i], time[i], wanted, double(step));
  }
  Eigen::VectorXd solution = overlaps.completeOrthogonalDecomposition().solve(target).cwiseProduct(scale);
  solution /= solution.sum();  // what never changed must come out as it was
  return {solution.begin(), solution.end()};
}

}  // namespace glyphdiff
