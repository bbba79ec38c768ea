#pragma once

#include <glyphdiff/outline/path.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace glyphdiff::detail {

/// Whether a cubic's coordinate turns round between its ends.
inline bool turns(double a, double b, double c, double d) {
  // The derivative is 3 (p (1-t)^2 + 2 q t (1-t) + r t^2).
  double const p = b - a, q = c - b, r = d - c;
  if (p * r < 0) return true;
  if (p * r > 0) return p * q < 0 && q * q >= p * r;
  return (p + r) * q < 0;  // an end's handle is square to the axis
}

inline bool turns(Point from, Segment const& s) {
  return !s.line && (turns(from.x, s.control1.x, s.control2.x, s.end.x) ||
                     turns(from.y, s.control1.y, s.control2.y, s.end.y));
}

/// How much of a handle lies within the distance between the ends, at most all of it.
inline double share_within(Point handle, Point chord) {
  double share = 1;
  if (std::abs(handle.x) > std::abs(chord.x)) share = (std::min)(share, std::abs(chord.x / handle.x));
  if (std::abs(handle.y) > std::abs(chord.y)) share = (std::min)(share, std::abs(chord.y / handle.y));
  return share;
}

/// A handle shortened to whole units.
inline Point shortened(Point handle, double share) {
  return {std::trunc(share * handle.x), std::trunc(share * handle.y)};
}

/// Takes back what curves in whole units pass beyond their ends by, or waver between them: there fonts want
/// points at extremes, and so little of a curve is worth none. Handles that leave the box around both ends
/// become horizontal or vertical, then shorter, and those that overlap become shorter still.
inline void keep_within_ends(Contour& contour) {
  std::size_t const n = contour.segments.size();
  for (int pass = 0; pass < 3; ++pass)  // a handle that is made horizontal takes its neighbour along
    for (std::size_t k = 0; k < n; ++k) {
      Segment &s = contour.segments[k], &before = contour.segments[(k + n - 1) % n],
              &after = contour.segments[(k + 1) % n];
      Point const from = before.end, chord = s.end - from;
      if (!turns(from, s)) continue;

      // Both handles as if they left their end for the other one.
      auto const flatten = [&](Point& handle, Point way, bool& smooth, bool other_is_line, Point& other,
                               Point node) {
        auto const one = [&](double Point::*axis) {
          if (handle.*axis * way.*axis > 0 || handle.*axis == 0) return;
          handle.*axis = 0;
          if (!smooth || other.*axis == node.*axis) return;
          if (other_is_line || std::abs(other.*axis - node.*axis) > 4)
            smooth = false;
          else
            other.*axis = node.*axis;
        };
        one(&Point::x), one(&Point::y);
      };
      Point out = s.control1 - from, in = s.control2 - s.end;
      flatten(out, chord, before.smooth, before.line, before.control2, from);
      flatten(in, -1.0 * chord, s.smooth, after.line, after.control1, s.end);
      auto const put = [&] { s.control1 = from + out, s.control2 = s.end + in; };
      put();
      if (turns(from, s)) {
        out = shortened(out, share_within(out, chord)), in = shortened(in, share_within(in, chord));
        put();
      }
      if (turns(from, s)) {
        Point const both = out - in;  // no longer than the chord where they don't overlap
        double const share = share_within(both, chord);
        out = shortened(out, share), in = shortened(in, share);
        put();
      }
      if (cross(out, chord) == 0 && cross(in, chord) == 0) s.line = true;
    }
}

}  // namespace glyphdiff::detail
