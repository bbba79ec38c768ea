#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/metrics/image_span.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace glyphdiff {

/// Rows are images or points.
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Copies images into a matrix of ink on the 0..1 scale, one image a row. Double, because |a|^2 + |b|^2 - 2ab
/// cancels where copies are looked for.
inline RowMatrix ink_matrix(ImageSpan images) {  // (N, H*W)
  RowMatrix ink(images.count, static_cast<Eigen::Index>(images.image_size()));
  std::transform(images.pixels, images.pixels + ink.size(), ink.data(), ink_of);
  return ink;
}

/// The chosen rows, in the order given.
inline RowMatrix select_rows(RowMatrix const& from, std::vector<int> const& rows) {
  RowMatrix chosen(static_cast<Eigen::Index>(rows.size()), from.cols());
  for (std::size_t i = 0; i < rows.size(); ++i) chosen.row(static_cast<Eigen::Index>(i)) = from.row(rows[i]);
  return chosen;
}

/// a b. All products here come through this function: each further form of one would cost seconds of
/// compiling.
inline RowMatrix matrix_product(RowMatrix const& a, RowMatrix const& b) {
  RowMatrix product(a.rows(), b.cols());
  product.noalias() = a * b;
  return product;
}

/// `count` different integers of 0..population-1 in random order; the same for a seed on every platform.
inline std::vector<int> draw_without_replacement(int population, int count, std::uint64_t seed) {
  if (count > population)
    throw Error("expected a draw of at most " + std::to_string(population) + ", found " +
                std::to_string(count));
  std::vector<int> deck(static_cast<std::size_t>(population));
  std::iota(deck.begin(), deck.end(), 0);
  std::mt19937_64 bits(seed);  // its output is fixed by the standard, that of std::shuffle is not
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
    std::swap(deck[i], deck[i + bits() % (deck.size() - i)]);
  deck.resize(static_cast<std::size_t>(count));
  return deck;
}

/// Euclidean distance of every row of `a` (N,D) from every row of `b` (M,D), at the 0..1 scale of the pixels.
inline RowMatrix pairwise_distances(RowMatrix const& a, RowMatrix const& b) {  // (N, M)
  if (a.cols() != b.cols())
    throw Error("expected images of " + std::to_string(b.cols()) + " pixels, found " +
                std::to_string(a.cols()));
  RowMatrix squares = -2.0 * matrix_product(a, b.transpose());
  squares.colwise() += a.rowwise().squaredNorm();
  squares.rowwise() += b.rowwise().squaredNorm().transpose();
  return squares.cwiseMax(0.0).cwiseSqrt();
}

/// As above, for images.
inline RowMatrix pairwise_distances(ImageSpan a, ImageSpan b) {
  return pairwise_distances(ink_matrix(a), ink_matrix(b));
}

/// Smallest entry of each row: the distance of each image of the first set to its nearest in the second.
inline std::vector<double> nearest_distances(RowMatrix const& distances) {
  std::vector<double> nearest(static_cast<std::size_t>(distances.rows()));
  Eigen::VectorXd::Map(nearest.data(), distances.rows()) = distances.rowwise().minCoeff();
  return nearest;
}

/// Where the smallest entry of each row stands: which image of the second set is nearest.
inline std::vector<int> nearest_indices(RowMatrix const& distances) {
  std::vector<int> nearest;
  for (Eigen::Index i = 0; i < distances.rows(); ++i) {
    Eigen::Index at = 0;
    distances.row(i).minCoeff(&at);
    nearest.push_back(static_cast<int>(at));
  }
  return nearest;
}

/// A sample, the training letter that it is nearest to, and their distance.
struct NearestPair {
  int sample, training;
  double distance;
};

/// A pair for each row of `distances` (samples, training letters), those that may be copies first.
inline std::vector<NearestPair> nearest_pairs(RowMatrix const& distances) {
  std::vector<int> const nearest = nearest_indices(distances);
  std::vector<NearestPair> pairs;
  for (int n = 0; n < static_cast<int>(nearest.size()); ++n) {
    int const training = nearest[static_cast<std::size_t>(n)];
    pairs.push_back({n, training, distances(n, training)});
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](NearestPair const& a, NearestPair const& b) { return a.distance < b.distance; });
  return pairs;
}

/// The order statistic with at most `share` (0 <= share < 1) of the values below it. NaN when `values` is
/// empty.
inline double quantile(std::vector<double> values, double share) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  auto const place = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size()));
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

/// Share of samples nearer to a training letter than the held-out letters' 5th percentile: at most 0.05 for
/// those letters themselves, more for a model that has learnt letters by heart. Both arguments are distances
/// to the nearest training letter. NaN when either is empty.
inline double copies_rate(std::vector<double> const& samples, std::vector<double> const& held_out) {
  double const limit = quantile(held_out, 0.05);
  auto const copies = std::count_if(samples.begin(), samples.end(), [limit](double d) { return d < limit; });
  return static_cast<double>(copies) / static_cast<double>(samples.size());
}

/// Coverage of Naeem et al. 2020 (arXiv:2002.09797, eq. 9): the share of real letters that have at least one
/// sample no farther than their k-th nearest other real letter. `real` (M,M): distances among the real
/// letters; `real_to_samples` (M,N). It grows with N, so figures compare only at equal M, N and k.
inline double coverage(RowMatrix const& real, RowMatrix const& real_to_samples, int k = 5) {
  if (real.rows() <= k)
    throw Error("expected more than " + std::to_string(k) + " real letters for coverage with k = " +
                std::to_string(k) + ", found " + std::to_string(real.rows()));
  int covered = 0;
  std::vector<double> others;
  for (Eigen::Index i = 0; i < real.rows(); ++i) {
    others.clear();
    for (Eigen::Index j = 0; j < real.cols(); ++j)
      if (j != i) others.push_back(real(i, j));
    std::nth_element(others.begin(), others.begin() + (k - 1), others.end());
    covered += real_to_samples.row(i).minCoeff() <= others[static_cast<std::size_t>(k - 1)];
  }
  return static_cast<double>(covered) / static_cast<double>(real.rows());
}

/// Leave-one-out accuracy of a nearest-neighbour classifier that tells two sets apart (Lopez-Paz and Oquab
/// 2017, arXiv:1610.06545): 0.5 when they come from one distribution, 1 when they don't mix, below 0.5 when
/// one copies the other. A tie counts half. Rows of `a` and `b` are images; give equally many of both.
inline double one_nn_accuracy(RowMatrix const& a, RowMatrix const& b) {
  if (a.rows() < 2 || b.rows() < 2)
    throw Error("expected at least 2 images in both sets of a nearest-neighbour test, found " +
                std::to_string((std::min)(a.rows(), b.rows())));
  auto const within = [](RowMatrix const& set) {
    RowMatrix distances = pairwise_distances(set, set);
    distances.diagonal().setConstant(std::numeric_limits<double>::infinity());
    return nearest_distances(distances);
  };
  auto const right = [](std::vector<double> const& own, std::vector<double> const& other) {
    double score = 0;
    for (std::size_t i = 0; i < own.size(); ++i) {
      double const difference = other[i] - own[i];
      score +=
          std::abs(difference) < 1e-5 ? 0.5 : difference > 0;  // 1e-5: rounding of pairwise_distances at zero
    }
    return score;
  };
  RowMatrix const between = pairwise_distances(a, b);
  return (right(within(a), nearest_distances(between)) +
          right(within(b), nearest_distances(between.transpose()))) /
         static_cast<double>(a.rows() + b.rows());
}

/// The same for images: both sets cut to the size of the smaller one by `draws` seeded draws; the mean
/// accuracy.
inline double one_nn_accuracy(ImageSpan a, ImageSpan b, std::uint64_t seed, int draws = 7) {
  RowMatrix const ink_a = ink_matrix(a), ink_b = ink_matrix(b);
  int const count = (std::min)(a.count, b.count);
  double sum = 0;
  for (int draw = 0; draw < draws; ++draw) {
    std::uint64_t const key = seed + 2 * static_cast<std::uint64_t>(draw);
    sum += one_nn_accuracy(select_rows(ink_a, draw_without_replacement(a.count, count, key)),
                           select_rows(ink_b, draw_without_replacement(b.count, count, key + 1)));
  }
  return sum / draws;
}

}  // namespace glyphdiff
