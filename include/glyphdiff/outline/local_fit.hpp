#pragma once

#include <glyphdiff/outline/path.hpp>

#include <array>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

namespace glyphdiff::detail {

/// Solves A x = b by elimination with row exchanges; zeros where A is singular.
template <int N>
std::array<double, N> solve(std::array<std::array<double, N>, N> a, std::array<double, N> b) {
  for (int k = 0; k < N; ++k) {
    int pivot = k;
    for (int row = k + 1; row < N; ++row)
      if (std::abs(a[row][k]) > std::abs(a[pivot][k])) pivot = row;
    if (std::abs(a[pivot][k]) < 1e-12) return {};
    std::swap(a[k], a[pivot]), std::swap(b[k], b[pivot]);
    for (int row = k + 1; row < N; ++row) {
      double const factor = a[row][k] / a[k][k];
      for (int column = k; column < N; ++column) a[row][column] -= factor * a[k][column];
      b[row] -= factor * b[k];
    }
  }
  std::array<double, N> x{};
  for (int k = N - 1; k >= 0; --k) {
    double sum = b[k];
    for (int column = k + 1; column < N; ++column) sum -= a[k][column] * x[column];
    x[k] = sum / a[k][k];
  }
  return x;
}

/// A piece of a line near a place: position and direction there, and how well they were told.
struct LocalFit {
  Point position, tangent;
  double residual = 0;  ///< root mean square distance, in pixels
  Point bend;           ///< second derivative: its length is 1 / radius
  Point velocity;       ///< first derivative, of length about 1

  Point at(double s) const { return position + s * velocity + (s * s / 2) * bend; }
};

/// The parabola (or straight line) of least squares through points at distances s along a line, at s = 0.
/// Needs as many different distances as the curve has coefficients.
inline LocalFit local_fit(std::span<std::pair<double, Point> const> points, bool straight) {
  std::array<std::array<double, 3>, 3> a{};
  std::array<double, 3> bx{}, by{};
  for (auto const& [s, p] : points) {
    double const powers[3] = {1, s, straight ? 0 : s * s};
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) a[i][j] += powers[i] * powers[j];
      bx[i] += powers[i] * p.x;
      by[i] += powers[i] * p.y;
    }
  }
  if (straight) a[2][2] = 1;
  auto const x = solve<3>(a, bx), y = solve<3>(a, by);
  LocalFit fit{{x[0], y[0]}, direction({x[1], y[1]}), 0, {2 * x[2], 2 * y[2]}, {x[1], y[1]}};
  for (auto const& [s, p] : points) fit.residual += dot(fit.at(s) - p, fit.at(s) - p) / double(points.size());
  fit.residual = std::sqrt(fit.residual);
  return fit;
}

/// A closed line that knows the distance of its points from the first one.
class MeasuredLine {
 public:
  explicit MeasuredLine(std::vector<Point> points) : points_(std::move(points)) {
    for (std::size_t i = 0; i < points_.size(); ++i) {
      distance_.push_back(total_);
      total_ += length(points_[(i + 1) % points_.size()] - points_[i]);
    }
  }

  int size() const { return int(points_.size()); }
  double total() const { return total_; }
  /// Point number i, which may go round in either direction, and its distance, which goes on growing then.
  Point operator[](int i) const { return points_[std::size_t(wrapped(i))]; }
  double distance(int i) const {
    int const turns = (i - wrapped(i)) / size();
    return distance_[std::size_t(wrapped(i))] + turns * total_;
  }
  int wrapped(int i) const { return ((i % size()) + size()) % size(); }

  /// The points at distances in [from, to] of point i, on one side (step +1 or -1) of it, nearest first;
  /// distances are negative on the side of -1.
  std::vector<std::pair<double, Point>> arm(int i, int step, double from, double to) const {
    std::vector<std::pair<double, Point>> result;
    for (int k = i; std::abs(k - i) < size(); k += step) {
      double const s = distance(k) - distance(i);
      if (std::abs(s) > to) break;
      if (std::abs(s) >= from) result.emplace_back(s, (*this)[k]);
    }
    return result;
  }

 private:
  std::vector<Point> points_;
  std::vector<double> distance_;
  double total_ = 0;
};

}  // namespace glyphdiff::detail
