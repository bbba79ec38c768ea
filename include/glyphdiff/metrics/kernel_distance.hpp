#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/metrics/interval.hpp>
#include <glyphdiff/metrics/neighbours.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <string>

namespace glyphdiff {

/// Kernel distance of two sets of points: the unbiased estimate of MMD^2 with the cubic kernel
/// k(x, y) = (x.y / dimensions + 1)^3 of Binkowski et al. 2018 (arXiv:1801.01401, section 4), who call it KID
/// on Inception's features. Unlike the Frechet distance it doesn't depend on the number of points in the
/// mean, and may come out below 0 for sets of one distribution.
///
/// `points` (N, K) are judged, `reference` (M, K) is what they should be like; N >= 4, M >= 2. With the
/// reference given, it is the mean of h(x, y) = k(x, y) - b(x) - b(y) over pairs of points, but for a
/// constant, where b is a point's mean kernel with the reference. The interval is of Hoeffding's variance of
/// such a mean (1948, eq. 5.13), each part of it estimated without bias from different points: a bootstrap's
/// would be up to 3 times as large where both sets are alike (Arcones and Gine 1992).
inline Estimate kernel_distance(RowMatrix const& points, RowMatrix const& reference) {
  if (points.rows() < 4 || reference.rows() < 2)
    throw Error("expected at least 4 letters and 2 to compare them with for a kernel distance, found " +
                std::to_string(points.rows()) + " and " + std::to_string(reference.rows()));
  auto const kernel = [](RowMatrix const& a, RowMatrix const& b) {
    RowMatrix const linear = matrix_product(a, b.transpose()) / static_cast<double>(a.cols());
    return RowMatrix((linear.array() + 1).cube());
  };
  RowMatrix const own = kernel(reference, reference);
  auto const m = static_cast<double>(reference.rows()), n = static_cast<double>(points.rows());
  double const constant = (own.sum() - own.trace()) / (m * (m - 1));

  Eigen::VectorXd const b = kernel(points, reference).rowwise().mean();
  RowMatrix h = kernel(points, points);
  h.colwise() -= b;
  h.rowwise() -= b.transpose();
  h.diagonal().setZero();
  Eigen::VectorXd const rows = h.rowwise().sum();
  double const sum = rows.sum(), squares = h.squaredNorm(), of_rows = rows.squaredNorm();

  // Means over different points of h(x,y), h(x,y)^2, h(x,y) h(x,z) and h(x,y) h(z,w).
  double const pairs = n * (n - 1), triples = pairs * (n - 2), quadruples = triples * (n - 3);
  double const mean = sum / pairs, square = squares / pairs, chain = (of_rows - squares) / triples,
               mean_squared = (sum * sum - 4 * of_rows + 2 * squares) / quadruples;
  double const variance =
      (4 * (n - 2) * (std::max)(0.0, chain - mean_squared) + 2 * (std::max)(0.0, square - mean_squared)) /
      pairs;
  return normal_interval(mean + constant, std::sqrt(variance));
}

}  // namespace glyphdiff
