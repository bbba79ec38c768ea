#pragma once

#include <cmath>
#include <vector>

/// Outlines of letters: closed paths of straight lines and cubic Bezier curves.
namespace glyphdiff {

struct Point {
  double x = 0, y = 0;

  friend Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
  friend Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
  friend Point operator*(double s, Point a) { return {s * a.x, s * a.y}; }
  friend bool operator==(Point const&, Point const&) = default;
};

inline double dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }
inline double cross(Point a, Point b) { return a.x * b.y - a.y * b.x; }
inline double length(Point a) { return std::hypot(a.x, a.y); }

/// The direction of a vector; (0, 0) of none.
inline Point direction(Point a) {
  double const l = length(a);
  return l > 0 ? (1 / l) * a : Point{};
}

/// From the end of the segment before to `end`.
struct Segment {
  bool line = true;
  Point control1, control2;  ///< of a curve
  Point end;
  bool smooth = false;  ///< the path goes on in the same direction at `end`
};

/// A closed path, which begins at the end of its last segment.
struct Contour {
  std::vector<Segment> segments;

  Point start() const { return segments.empty() ? Point{} : segments.back().end; }
  /// On-curve points, and control points: what a type designer counts.
  int points() const {
    int count = 0;
    for (Segment const& s : segments) count += s.line ? 1 : 3;
    return count;
  }
};

using Outline = std::vector<Contour>;

/// The point of a cubic at t in [0, 1].
inline Point cubic_at(Point p0, Point p1, Point p2, Point p3, double t) {
  double const s = 1 - t;
  return s * s * s * p0 + 3 * s * s * t * p1 + 3 * s * t * t * p2 + t * t * t * p3;
}

/// The signed area within a contour by Green's theorem, exact for its curves: positive where the path turns
/// from the x axis towards the y axis.
inline double signed_area(Contour const& contour) {
  double twice = 0;
  Point p0 = contour.start();
  for (Segment const& s : contour.segments) {
    if (s.line)
      twice += cross(p0, s.end);
    else  // the integral of x dy - y dx over a cubic
      twice +=
          (6 * cross(p0, s.control1) + 3 * cross(p0, s.control2) + cross(p0, s.end) +
           3 * cross(s.control1, s.control2) + 3 * cross(s.control1, s.end) + 6 * cross(s.control2, s.end)) /
          10;
    p0 = s.end;
  }
  return twice / 2;
}

/// The same path the other way round.
inline Contour reversed(Contour const& contour) {
  Contour result;
  std::size_t const n = contour.segments.size();
  for (std::size_t i = n; i-- > 0;) {
    Segment const &s = contour.segments[i], &before = contour.segments[(i + n - 1) % n];
    result.segments.push_back({s.line, s.control2, s.control1, before.end, before.smooth});
  }
  return result;
}

/// Every point moved by a function.
template <class Map>
Outline transformed(Outline outline, Map const& map) {
  for (Contour& contour : outline)
    for (Segment& s : contour.segments) {
      s.control1 = map(s.control1);
      s.control2 = map(s.control2);
      s.end = map(s.end);
    }
  return outline;
}

}  // namespace glyphdiff
