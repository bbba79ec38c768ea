#pragma once

#include <glyphdiff/outline/level_set.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace glyphdiff {

namespace detail {

/// Adds what a straight edge contributes: to every pixel of its rows the area to its right, signed by the
/// edge's direction, spread so that a running sum over the row gives the coverage.
inline void add_edge(std::vector<double>& area, int height, int width, Point a, Point b) {
  double const sign = b.y > a.y ? 1 : -1;
  if (sign < 0) std::swap(a, b);
  if (a.y == b.y) return;
  double const slope = (b.x - a.x) / (b.y - a.y);
  for (int y = (std::max)(0, int(std::floor(a.y))); y < height && y < b.y; ++y) {
    double const top = (std::max)(a.y, double(y)), bottom = (std::min)(b.y, double(y + 1));
    if (bottom <= top) continue;
    double x0 = a.x + (top - a.y) * slope, x1 = a.x + (bottom - a.y) * slope;
    if (x0 > x1) std::swap(x0, x1);
    double rows = sign * (bottom - top);
    double* const row = area.data() + std::size_t(y) * std::size_t(width + 2);
    double const run = x1 - x0, limit = width;
    if (run > 0) {  // what lies beyond the left side covers whole rows, beyond the right side nothing
      row[0] += rows * (std::max)(0.0, (std::min)(x1, 0.0) - x0) / run;
      rows *= (std::max)(0.0, (std::min)(x1, limit) - (std::max)(x0, 0.0)) / run;
    }
    x0 = std::clamp(x0, 0.0, limit), x1 = std::clamp(x1, 0.0, limit);
    int const first = int(x0), last = int(x1);
    if (first == last) {
      double const covered = 1 - ((x0 + x1) / 2 - first);
      row[first] += rows * covered;
      row[first + 1] += rows * (1 - covered);
      continue;
    }
    double const per_pixel = rows / (x1 - x0);
    for (int x = first; x <= last; ++x) {
      double const from = (std::max)(x0, double(x)), to = (std::min)(x1, double(x + 1));
      double const part = per_pixel * (to - from), covered = part * (1 - ((from + to) / 2 - x));
      row[x] += covered;
      row[x + 1] += part - covered;
    }
  }
}

}  // namespace detail

/// The ink of an outline in pixel coordinates: exact areas, with curves as 32 straight pieces each. Contours
/// around ink and around holes go round in opposite directions, and don't overlap.
inline Ink render(Outline const& outline, int height, int width) {
  std::vector<double> area(std::size_t(height) * std::size_t(width + 2), 0.0);
  for (Contour const& contour : outline) {
    Point last = contour.start();
    for (Segment const& s : contour.segments) {
      constexpr int pieces = 32;
      Point const p0 = last;
      for (int k = 1; k <= (s.line ? 1 : pieces); ++k) {
        Point const p = s.line ? s.end : cubic_at(p0, s.control1, s.control2, s.end, double(k) / pieces);
        detail::add_edge(area, height, width, last, p);
        last = p;
      }
    }
  }
  Ink ink{height, width, std::vector<float>(std::size_t(height) * width)};
  for (int y = 0; y < height; ++y) {
    double sum = 0;
    for (int x = 0; x < width; ++x) {
      sum += area[std::size_t(y) * (width + 2) + x];
      ink.coverage[std::size_t(y) * width + x] = float(std::clamp(std::abs(sum), 0.0, 1.0));
    }
  }
  return ink;
}

}  // namespace glyphdiff
