#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/outline/path.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace glyphdiff {

/// How a picture of a letter lies in its font.
struct FontPlacement {
  double units_per_pixel = 1;
  double baseline = 0;  ///< pixels from the top of the picture
  double left = 0;      ///< pixels from the left of the picture to the glyph's origin
  double advance = 0;   ///< width of the glyph, in pixels
};

namespace detail {

inline Point rounded(Point p) { return {std::round(p.x), std::round(p.y)}; }

/// A handle at whole units that leaves `node` in a given direction as nearly as whole units allow, beside
/// where it was.
inline Point rounded_handle(Point node, Point handle, Point along) {
  Point best = rounded(handle);
  double least = 1e300;
  for (int dy = -1; dy <= 1; ++dy)
    for (int dx = -1; dx <= 1; ++dx) {
      Point const p = rounded(handle) + Point{double(dx), double(dy)};
      if (dot(p - node, along) <= 0) continue;
      double const turn = std::abs(cross(direction(p - node), along)) * length(handle - node);
      double const cost = turn + 0.3 * length(p - handle);
      if (cost < least) least = cost, best = p;
    }
  return best;
}

}  // namespace detail

/// The outline in whole font units, y up from the baseline, x right from the glyph's origin; around ink paths
/// go counter-clockwise and around holes clockwise, as PostScript fonts and UFO want. Horizontal, vertical
/// and smooth joins stay so, as nearly as whole numbers allow. Segments that shrink to nothing are left out.
/// Error if the scale is no positive number.
inline Outline to_font_units(Outline const& pixels, FontPlacement const& place) {
  if (!(place.units_per_pixel > 0) || !std::isfinite(place.units_per_pixel))
    throw Error("font units per pixel", "a number above 0", std::to_string(place.units_per_pixel));
  Outline const scaled = transformed(pixels, [&](Point p) {
    return Point{(p.x - place.left) * place.units_per_pixel, (place.baseline - p.y) * place.units_per_pixel};
  });
  Outline result;
  for (Contour const& source : scaled) {  // y has changed its sign, and so has the direction
    Contour const contour = reversed(source);
    Contour whole;
    std::size_t const n = contour.segments.size();
    Point before = contour.start();
    for (std::size_t k = 0; k < n; ++k) {
      Segment s = contour.segments[k];
      Segment const& last = contour.segments[(k + n - 1) % n];
      Point const from = detail::rounded(before), to = detail::rounded(s.end);
      if (!s.line) {
        // After a straight line that has been rounded, a smooth curve takes the line's new direction.
        Point out = direction(s.control1 - before), in = direction(s.end - s.control2);
        if (last.smooth && last.line) {
          Point const line_from = detail::rounded(contour.segments[(k + n - 2) % n].end);
          if (!(line_from == from)) out = direction(from - line_from);
        }
        Segment const& next = contour.segments[(k + 1) % n];
        if (s.smooth && next.line && !(detail::rounded(next.end) == to))
          in = direction(detail::rounded(next.end) - to);
        s.control1 = out == Point{} ? from : detail::rounded_handle(from, s.control1 - before + from, out);
        s.control2 = in == Point{} ? to : detail::rounded_handle(to, s.control2 - s.end + to, -1.0 * in);
      }
      before = s.end;
      s.end = to;
      if (s.line && from == to) {
        if (!whole.segments.empty()) whole.segments.back().smooth = false;
        continue;
      }
      whole.segments.push_back(s);
    }
    if (whole.segments.size() >= 2 && std::abs(signed_area(whole)) >= 1) result.push_back(whole);
  }
  return result;
}

/// The box around an outline's on-curve points, which for curves with points at their extremes is the
/// outline's own.
struct Box {
  double left = 0, bottom = 0, right = 0, top = 0;
};

inline Box bounds(Outline const& outline) {
  Box box;
  bool first = true;
  for (Contour const& contour : outline)
    for (Segment const& s : contour.segments) {
      if (first) box = {s.end.x, s.end.y, s.end.x, s.end.y};
      first = false;
      box = {std::min(box.left, s.end.x), std::min(box.bottom, s.end.y), std::max(box.right, s.end.x),
             std::max(box.top, s.end.y)};
    }
  return box;
}

}  // namespace glyphdiff
