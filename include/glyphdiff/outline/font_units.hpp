#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>
#include <glyphdiff/outline/keep_within_ends.hpp>
#include <glyphdiff/outline/path.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace glyphdiff {

/// How a picture of a letter lies in its font.
struct FontPlacement {
  double units_per_pixel = 1;
  double baseline = 0;  ///< pixels from the top of the picture
  double left = 0;      ///< pixels from the left of the picture to the glyph's origin
  double advance = 0;   ///< width of the glyph, in pixels
};

namespace detail {

/// Adds a curve from `from` to s.end, cut at its extremes, which fonts want points at: where it turns round
/// in x or y and runs more than a unit both before and after that.
inline void add_cut_at_extremes(Contour& contour, Point from, Segment const& s) {
  auto const cut = [&](auto const& coordinate) -> double {
    double const a = coordinate(from), b = coordinate(s.control1), c = coordinate(s.control2),
                 d = coordinate(s.end);
    // The derivative is 3 (p + 2 q t + r t^2).
    double const p = b - a, q = c - 2 * b + a, r = d - 3 * c + 3 * b - a;
    if (q * q < p * r) return 0;
    double const root = std::sqrt(q * q - p * r);
    // As quotients that are exact where r is nothing.
    double const sum = -(q + std::copysign(root, q));
    std::array<double, 2> times{p / sum, sum / r};
    std::sort(times.begin(), times.end());
    std::vector<double> turns, values{a};
    for (double const t : times)
      if (t > 0 && t < 1) {
        turns.push_back(t);
        values.push_back(coordinate(cubic_at(from, s.control1, s.control2, s.end, t)));
      }
    values.push_back(d);
    for (std::size_t k = 0; k < turns.size(); ++k) {
      Point const place = cubic_at(from, s.control1, s.control2, s.end, turns[k]);
      bool const room = length(place - from) > 2 && length(place - s.end) > 2;  // whole units would tangle
      if (room && std::abs(values[k + 1] - values[k]) > 1 && std::abs(values[k + 2] - values[k + 1]) > 1)
        return turns[k];
    }
    return 0;
  };
  double t = s.line ? 0 : cut([](Point p) { return p.x; });
  if (t == 0 && !s.line) t = cut([](Point p) { return p.y; });
  if (t == 0) {
    contour.segments.push_back(s);
    return;
  }
  // De Casteljau.
  auto const mix = [t](Point a, Point b) { return (1 - t) * a + t * b; };
  Point const a = mix(from, s.control1), b = mix(s.control1, s.control2), c = mix(s.control2, s.end),
              ab = mix(a, b), bc = mix(b, c), middle = mix(ab, bc);
  add_cut_at_extremes(contour, from, {false, a, ab, middle, true});
  add_cut_at_extremes(contour, middle, {false, bc, c, s.end, s.smooth});
}

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
/// and smooth joins stay so, as nearly as whole numbers allow, and curves turn round at points only. Segments
/// that shrink to nothing are left out. Error if the scale is no positive number, or a point lies farther
/// than 32,767 units from the origin.
inline Outline to_font_units(Outline const& pixels, FontPlacement const& place) {
  if (!is_finite(place.units_per_pixel) || place.units_per_pixel <= 0)
    throw Error("font units per pixel", "a number above 0", number_text(place.units_per_pixel));
  Outline const scaled = transformed(pixels, [&](Point p) {
    return Point{(p.x - place.left) * place.units_per_pixel, (place.baseline - p.y) * place.units_per_pixel};
  });
  auto const in_range = [](Point p) { return std::abs(p.x) <= 32767 && std::abs(p.y) <= 32767; };
  for (Contour const& contour : scaled)
    for (Segment const& s : contour.segments)
      if (!in_range(s.end) || (!s.line && (!in_range(s.control1) || !in_range(s.control2))))
        throw Error("an outline", "points within 32767 font units of the origin", "some farther away");
  Outline result;
  for (Contour const& source : scaled) {  // y has changed its sign, and so has the direction
    Contour contour;
    Point start = source.start();
    for (Segment const& s : reversed(source).segments) {
      detail::add_cut_at_extremes(contour, start, s);
      start = s.end;
    }
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
    if (whole.segments.size() < 2) continue;
    detail::keep_within_ends(whole);
    Point end = whole.start();
    std::erase_if(whole.segments, [&](Segment const& s) {
      bool const nothing = s.end == end && (s.line || (s.control1 == end && s.control2 == end));
      end = s.end;
      return nothing;
    });
    if (whole.segments.size() < 2) continue;
    if (std::abs(signed_area(whole)) >= 1) result.push_back(whole);
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
      box = {(std::min)(box.left, s.end.x), (std::min)(box.bottom, s.end.y), (std::max)(box.right, s.end.x),
             (std::max)(box.top, s.end.y)};
    }
  return box;
}

}  // namespace glyphdiff
