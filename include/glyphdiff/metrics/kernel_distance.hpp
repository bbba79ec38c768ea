#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/metrics/neighbours.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <string>
#include <vector>

namespace glyphdiff {

/// Kernel distance of two sets of points: the unbiased estimate of MMD^2 with the cubic kernel
/// (x.y / dimensions + 1)^3 of Binkowski et al. 2018 (arXiv:1801.01401, section 4), who call it KID on
/// Inception's features. Unlike the Frechet distance it doesn't depend on the number of points in the mean,
/// and may come out below 0 for sets of one distribution. Kernels are evaluated once, for any number of
/// resamples.
class KernelDistance {
 public:
  /// `points` (N, K) are judged, `reference` (M, K) is what they should be like; N, M >= 2.
  KernelDistance(RowMatrix const& points, RowMatrix const& reference) : among_(kernel(points, points)) {
    if (points.rows() < 2 || reference.rows() < 2)
      throw Error("expected at least 2 letters in both sets of a kernel distance, found " +
                  std::to_string(std::min(points.rows(), reference.rows())));
    RowMatrix const own = kernel(reference, reference);
    auto const count = static_cast<double>(reference.rows());
    reference_ = (own.sum() - own.trace()) / (count * (count - 1));
    between_ = kernel(points, reference).rowwise().mean();
  }

  /// Of all points.
  double operator()() const { return distance(Eigen::VectorXd::Ones(among_.rows())); }

  /// Of a resample. A point drawn twice is not a pair: that would favour points that lie far out.
  double operator()(std::vector<int> const& rows) const {
    Eigen::VectorXd weights = Eigen::VectorXd::Zero(among_.rows());
    for (int row : rows) weights(row) += 1;
    return distance(weights);
  }

 private:
  static RowMatrix kernel(RowMatrix const& a, RowMatrix const& b) {
    RowMatrix const linear = matrix_product(a, b.transpose()) / static_cast<double>(a.cols());
    return (linear.array() + 1).cube().matrix();
  }

  double distance(Eigen::VectorXd const& weights) const {
    double within = 0;
    for (Eigen::Index i = 0; i < among_.rows(); ++i)
      if (weights(i) > 0) within += weights(i) * (among_.row(i).dot(weights) - weights(i) * among_(i, i));
    double const total = weights.sum();
    return within / (total * total - weights.squaredNorm()) + reference_ - 2 * between_.dot(weights) / total;
  }

  RowMatrix among_;  // (N, N)
  double reference_ = 0;
  Eigen::VectorXd between_;  // (N), mean over the reference
};

}  // namespace glyphdiff
