#pragma once

#include <glyphdiff/outline/path.hpp>

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace glyphdiff::detail {

inline double distance_to_segment(Point p, Point from, Point to) {
  Point const along = to - from;
  double const squared = dot(along, along), t = squared > 0 ? dot(p - from, along) / squared : 0;
  return t <= 0   ? length(p - from)
         : t >= 1 ? length(p - to)
                  : std::abs(cross(along, p - from)) / length(along);
}

/// A closed line as a polygon of few of its points, none of the others farther from it than the tolerance
/// (Ramer 1972; Douglas and Peucker 1973).
inline Contour simplified(std::vector<Point> const& line, double tolerance) {
  std::size_t const n = line.size();
  std::vector<char> kept(n + 1, 0);  // the last one is the first one again
  std::size_t opposite = 0;
  for (std::size_t i = 0; i < n; ++i)
    if (length(line[i] - line[0]) > length(line[opposite] - line[0])) opposite = i;
  kept[0] = kept[opposite] = 1;
  std::vector<std::pair<std::size_t, std::size_t>> pieces{{0, opposite}, {opposite, n}};
  while (!pieces.empty()) {
    auto const [first, last] = pieces.back();
    pieces.pop_back();
    double most = tolerance;
    std::size_t farthest = first;
    for (std::size_t i = first + 1; i < last; ++i)
      if (double const d = distance_to_segment(line[i], line[first], line[last % n]); d > most)
        most = d, farthest = i;
    if (farthest == first) continue;
    kept[farthest] = 1;
    pieces.emplace_back(first, farthest);
    pieces.emplace_back(farthest, last);
  }
  Contour contour;
  for (std::size_t i = 0; i < n; ++i)
    if (kept[i] != 0) contour.segments.push_back({true, {}, {}, line[i], false});
  return contour;
}

}  // namespace glyphdiff::detail
