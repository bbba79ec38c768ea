#pragma once

#include <glyphdiff/outline/local_fit.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

namespace glyphdiff::detail {

/// One end of a curve to fit: where it is, and the direction of the path there if that is given.
struct CurveEnd {
  Point position;
  std::optional<Point> tangent;  ///< of length 1, along the path
};

struct FittedCubic {
  Point control1, control2;
  double error = 0;    ///< largest distance of a point from the curve, in pixels
  std::size_t at = 0;  ///< that point
};

/// The cubic of least squares between two ends (Schneider 1990, "An Algorithm for Automatically Fitting
/// Digitized Curves", with free tangents where none is given). `points`: between the ends, in order.
inline FittedCubic fit_cubic(CurveEnd const& from, CurveEnd const& to, std::span<Point const> points) {
  Point const p0 = from.position, p3 = to.position;
  std::vector<double> t(points.size());
  double along = 0;
  Point last = p0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    along += length(points[i] - last);
    t[i] = along;
    last = points[i];
  }
  along += length(p3 - last);
  double const third = along / 3;
  for (double& value : t) value = along > 0 ? value / along : 0;

  // Control points are base + sum of unknowns times directions: one unknown along a tangent, else two.
  FittedCubic best;
  best.error = 1e300;
  Point const straight = direction(p3 - p0);
  for (int iteration = 0; iteration < 24; ++iteration) {
    std::array<std::array<double, 4>, 4> a{};
    std::array<double, 4> b{};
    Point const d1 = from.tangent.value_or(Point{1, 0}), d2 = to.tangent ? -1.0 * *to.tangent : Point{1, 0};
    std::array<Point, 4> const axis{d1, from.tangent ? Point{} : Point{0, 1}, d2,
                                    to.tangent ? Point{} : Point{0, 1}};
    for (std::size_t i = 0; i < points.size(); ++i) {
      double const u = t[i], v = 1 - u, b1 = 3 * v * v * u, b2 = 3 * v * u * u;
      Point const rest = points[i] - (v * v * v + b1) * p0 - (u * u * u + b2) * p3;
      std::array<Point, 4> const column{b1 * axis[0], b1 * axis[1], b2 * axis[2], b2 * axis[3]};
      for (int r = 0; r < 4; ++r) {
        for (int c = 0; c < 4; ++c) a[r][c] += dot(column[r], column[c]);
        b[r] += dot(column[r], rest);
      }
    }
    // Few points leave the handles open; a third of the length is what they should have then.
    double const weight = 1e-3 * double(points.size() + 1);
    Point const usual1 = third * from.tangent.value_or(straight),
                usual2 = -third * to.tangent.value_or(straight);
    for (int r = 0; r < 4; ++r) {
      double const norm = axis[r] == Point{} ? 0 : weight;
      a[r][r] += axis[r] == Point{} ? 1 : norm;
      b[r] += norm * dot(axis[r], r < 2 ? usual1 : usual2);
    }
    auto x = solve<4>(a, b);
    if (from.tangent) x[0] = std::clamp(x[0], 0.02 * along, 0.9 * along);
    if (to.tangent) x[2] = std::clamp(x[2], 0.02 * along, 0.9 * along);
    FittedCubic now{p0 + x[0] * axis[0] + x[1] * axis[1], p3 + x[2] * axis[2] + x[3] * axis[3], 0, 0};
    for (std::size_t i = 0; i < points.size(); ++i) {
      // A step of Newton towards the nearest point of the curve.
      double const u = t[i], v = 1 - u;
      Point const at = cubic_at(p0, now.control1, now.control2, p3, u) - points[i];
      Point const e1 = now.control1 - p0, e2 = now.control2 - now.control1, e3 = p3 - now.control2;
      Point const first = 3.0 * (v * v * e1 + 2 * u * v * e2 + u * u * e3);
      Point const second = 6.0 * (v * (e2 - e1) + u * (e3 - e2));
      double const slope = dot(first, first) + dot(at, second);
      if (std::abs(slope) > 1e-12) t[i] = std::clamp(u - dot(at, first) / slope, 0.0, 1.0);
      double const distance = length(cubic_at(p0, now.control1, now.control2, p3, t[i]) - points[i]);
      if (distance > now.error) now.error = distance, now.at = i;
    }
    double const gained = best.error - now.error;
    if (now.error < best.error) best = now;
    if (iteration > 3 && gained < 1e-3) break;
  }
  if (points.empty())
    best = {p0 + third * from.tangent.value_or(straight), p3 - third * to.tangent.value_or(straight), 0, 0};
  return best;
}

}  // namespace glyphdiff::detail
