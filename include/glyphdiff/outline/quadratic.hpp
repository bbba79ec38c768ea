#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>
#include <glyphdiff/outline/path.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace glyphdiff {

/// From the end of the segment before to `end`, by a straight line or a quadratic Bezier curve.
struct QuadraticSegment {
  bool line = true;
  Point control;
  Point end;
};

using QuadraticContour = std::vector<QuadraticSegment>;

/// A contour in quadratic curves, as TrueType has them, nowhere farther than `tolerance` from the cubics. A
/// cubic is cut into n equal parts, each replaced by the quadratic of the same ends that meets it half way;
/// that misses it by at most sqrt(3)/36 |p3 - 3 p2 + 3 p1 - p0| / n^3, half the third derivative's bound.
/// Error unless the tolerance is above 0.
inline QuadraticContour to_quadratics(Contour const& contour, double tolerance) {
  if (is_nan(tolerance) || tolerance <= 0)
    throw Error("tolerance", "a number above 0", number_text(tolerance));
  QuadraticContour result;
  Point p0 = contour.start();
  for (Segment const& s : contour.segments) {
    if (s.line) {
      result.push_back({true, {}, s.end});
    } else {
      Point const p1 = s.control1, p2 = s.control2, p3 = s.end;
      double const third = std::sqrt(3.0) / 36 * length(p3 - 3 * p2 + 3 * p1 - p0);
      int const parts = (std::max)(1, int(std::ceil(std::cbrt(third / tolerance))));
      for (int k = 0; k < parts; ++k) {
        double const t0 = double(k) / parts, t1 = double(k + 1) / parts;
        auto const slope = [&](double t) {  // of the whole curve, by t
          double const v = 1 - t;
          return 3.0 * (v * v * (p1 - p0) + 2 * v * t * (p2 - p1) + t * t * (p3 - p2));
        };
        Point const begin = cubic_at(p0, p1, p2, p3, t0), end = cubic_at(p0, p1, p2, p3, t1);
        // The part's own control points, and from them (3 c1 + 3 c2 - begin - end) / 4.
        Point const c1 = begin + (t1 - t0) / 3 * slope(t0), c2 = end - (t1 - t0) / 3 * slope(t1);
        result.push_back({false, 0.25 * (3 * c1 + 3 * c2 - begin - end), k + 1 == parts ? p3 : end});
      }
    }
    p0 = s.end;
  }
  return result;
}

}  // namespace glyphdiff
