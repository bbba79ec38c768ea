#pragma once

#include <glyphdiff/outline/render.hpp>

#include <initializer_list>

/// Outlines to trace, in pixel coordinates; around ink their area is positive.
namespace glyphdiff::test {

inline Contour polygon(std::initializer_list<Point> points) {
  Contour contour;
  for (Point const p : points) contour.segments.push_back({true, {}, {}, p, false});
  return contour;
}

inline Contour ellipse(Point centre, double rx, double ry) {
  double const k = 0.5522847;
  auto const at = [&](double x, double y) { return centre + Point{rx * x, ry * y}; };
  return {{{false, at(1, k), at(k, 1), at(0, 1), true},
           {false, at(-k, 1), at(-1, k), at(-1, 0), true},
           {false, at(-1, -k), at(-k, -1), at(0, -1), true},
           {false, at(k, -1), at(1, -k), at(1, 0), true}}};
}

inline double total(Ink const& ink) {
  double sum = 0;
  for (float value : ink.coverage) sum += value;
  return sum;
}

/// Mean absolute difference as a share of the ink.
inline double difference(Ink const& a, Ink const& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.coverage.size(); ++i) sum += std::abs(double(a.coverage[i]) - b.coverage[i]);
  return sum / total(a);
}

}  // namespace glyphdiff::test
