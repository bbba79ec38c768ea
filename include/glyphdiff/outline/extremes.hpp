#pragma once

#include <glyphdiff/outline/local_fit.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace glyphdiff::detail {

/// A place where a curve is highest, lowest, or farthest to a side.
struct Extreme {
  int index;  ///< of the nearest point of the line
  Point position;
  Point tangent;  ///< horizontal or vertical, along the line
};

/// The parabola through the points at most `reach` pixels from point i.
inline LocalFit fit_around(MeasuredLine const& line, int i, double reach) {
  auto points = line.arm(i, +1, 0, reach);
  for (auto const& point : line.arm(i, -1, 0.01, reach)) points.push_back(point);
  return local_fit(points, points.size() < 4);
}

/// The points from first to last at which one coordinate, times `sign`, is greatest between two places that
/// lie lower by a third of a pixel.
inline std::vector<int> peaks(MeasuredLine const& line, int first, int last, bool vertical, int sign) {
  constexpr double prominence = 0.35;  // px
  auto const value = [&](int i) { return sign * (vertical ? line[i].y : line[i].x); };
  std::vector<int> found;
  int top = first;
  double valley = value(first);  // the lowest since the last peak
  bool risen = false;
  for (int i = first; i <= last; ++i) {
    if (value(i) > value(top)) top = i;
    if (!risen) {
      valley = (std::min)(valley, value(i));
      if (value(i) > valley + prominence) risen = true, top = i;
    } else if (value(i) < value(top) - prominence) {
      found.push_back(top);
      risen = false;
      valley = value(i);
      top = i;
    }
  }
  return found;
}

/// The extremes of the curve from point first to point last, in the line's order, none close to an end or to
/// another. `closed`: it is the whole line, and has no ends.
inline std::vector<Extreme> find_extremes(MeasuredLine const& line, int first, int last, bool closed) {
  constexpr double from_end = 2.0, apart = 1.5;  // px
  std::vector<Extreme> found;
  for (bool const vertical : {false, true})
    for (int const sign : {+1, -1})
      for (int const top : peaks(line, first, closed ? last + line.size() : last, vertical, sign)) {
        if (!closed && (line.distance(top) - line.distance(first) < from_end ||
                        line.distance(last) - line.distance(top) < from_end))
          continue;
        int const index = closed ? line.wrapped(top) : top;
        // Found on the second turn as well, or for the other coordinate.
        bool const known = std::any_of(found.begin(), found.end(), [&](Extreme const& other) {
          double const s = std::abs(line.distance(other.index) - line.distance(index));
          return (std::min)(s, line.total() - s) < apart;
        });
        if (known) continue;
        LocalFit const fit = fit_around(line, index, 3.5);
        double const slope = vertical ? fit.velocity.y : fit.velocity.x,
                     bend = vertical ? fit.bend.y : fit.bend.x;
        Point const t = fit.tangent;
        found.push_back({index, fit.at(std::abs(bend) > 1e-6 ? std::clamp(-slope / bend, -2.0, 2.0) : 0.0),
                         vertical ? Point{t.x > 0 ? 1.0 : -1.0, 0} : Point{0, t.y > 0 ? 1.0 : -1.0}});
      }
  std::sort(found.begin(), found.end(), [](Extreme const& a, Extreme const& b) { return a.index < b.index; });
  return found;
}

}  // namespace glyphdiff::detail
