#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>
#include <glyphdiff/outline/path.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// Ink of a gray picture: share of each pixel that is covered, in [0, 1], row by row from the top.
struct Ink {
  int height = 0, width = 0;
  std::vector<float> coverage;

  /// Beyond the picture there is paper.
  float at(int y, int x) const {
    return y < 0 || x < 0 || y >= height || x >= width ? 0.0f : coverage[std::size_t(y) * width + x];
  }
};

/// A closed line through points of the edge.
using Polyline = std::vector<Point>;

namespace detail {

/// Where an edge crosses a row or column of pixels: between `inside`, a pixel that is mostly ink, and its
/// neighbour in direction `step` (+1 or -1). `at(k)` is the ink of pixel k. Pixels on an edge are covered in
/// part, and the parts add up to where the edge lies, exactly so for a straight one; where a stroke is too
/// thin for that, the level of one half between the two pixels' centres.
template <class At>
double edge_position(At const& at, int inside, int step) {
  constexpr int reach = 4;  // pixels that a soft edge may cover to either side
  constexpr float full = 0.98f, none = 0.02f;
  double sum = 0;
  int k = inside;
  float last = 0.5f;
  for (int n = 0; n <= reach; ++n, k -= step) {  // into the ink
    float const ink = at(k);
    if (ink + 1e-3f < last) break;
    last = ink;
    if (ink >= full) {
      double const begin = step > 0 ? k + 1 : k;  // the far side of the last full pixel
      float before = 0.5f;
      for (int m = inside + step, seen = 0;; m += step, ++seen) {
        float const rest = at(m);
        if (rest <= none) return begin + step * sum;
        if (seen == reach || rest > before + 1e-3f) break;
        before = rest;
        sum += rest;
      }
      break;
    }
    sum += ink;
  }
  double const a = at(inside), b = at(inside + step);
  return inside + 0.5 + step * (a - 0.5) / (a - b);
}

/// A crossing of the level between two neighbouring pixels' centres, by the first of the two (left or upper).
struct Crossing {
  int y, x;
  bool along_x;  ///< between (y, x) and (y, x + 1); else (y + 1, x)
  friend auto operator<=>(Crossing const&, Crossing const&) = default;
};

}  // namespace detail

/// The edges between ink and paper, where half a pixel is covered, as closed lines in pixel coordinates: (0,
/// 0) is the picture's corner at the top left, y points down. Ink lies to the right of where a line goes, so
/// that signed_area is positive around ink and negative around a hole. About one point for every pixel. Error
/// if the numbers don't fit the picture's size or aren't in [0, 1].
inline std::vector<Polyline> level_set(Ink const& ink) {
  using detail::Crossing;
  if (ink.coverage.size() != std::size_t(ink.height) * std::size_t(ink.width))
    throw Error("ink of a picture", std::to_string(ink.height) + "x" + std::to_string(ink.width) + " numbers",
                std::to_string(ink.coverage.size()));
  for (float value : ink.coverage)
    if (!is_finite(value) || value < 0 || value > 1)
      throw Error("ink of a picture", "numbers in [0, 1]", number_text(value));

  auto const in = [&](int y, int x) { return ink.at(y, x) >= 0.5f; };
  // Squares between four centres; each links the crossings on its sides, with the ink on the same hand.
  std::map<Crossing, Crossing> next;
  for (int y = -1; y < ink.height; ++y)
    for (int x = -1; x < ink.width; ++x) {
      bool const a = in(y, x), b = in(y, x + 1), c = in(y + 1, x + 1), d = in(y + 1, x);
      int const corners = a + 2 * b + 4 * c + 8 * d;
      if (corners == 0 || corners == 15) continue;
      Crossing const top{y, x, true}, right{y, x + 1, false}, bottom{y + 1, x, true}, left{y, x, false};
      bool const joined = ink.at(y, x) + ink.at(y, x + 1) + ink.at(y + 1, x + 1) + ink.at(y + 1, x) >= 2;
      auto const link = [&](Crossing from, Crossing to) { next.emplace(from, to); };
      // From where ink begins to where it ends, clockwise round the square's ink.
      switch (corners) {
        case 1:
          link(top, left);
          break;
        case 2:
          link(right, top);
          break;
        case 3:
          link(right, left);
          break;
        case 4:
          link(bottom, right);
          break;
        case 5:
          if (joined)
            link(top, right), link(bottom, left);
          else
            link(top, left), link(bottom, right);
          break;
        case 6:
          link(bottom, top);
          break;
        case 7:
          link(bottom, left);
          break;
        case 8:
          link(left, bottom);
          break;
        case 9:
          link(top, bottom);
          break;
        case 10:
          if (joined)
            link(left, top), link(right, bottom);
          else
            link(left, bottom), link(right, top);
          break;
        case 11:
          link(right, bottom);
          break;
        case 12:
          link(left, right);
          break;
        case 13:
          link(top, right);
          break;
        case 14:
          link(left, top);
          break;
      }
    }

  std::vector<Polyline> lines;
  while (!next.empty()) {
    std::vector<Crossing> crossings;
    Crossing at = next.begin()->first;
    for (auto found = next.find(at); found != next.end(); found = next.find(at)) {
      crossings.push_back(at);
      at = found->second;
      next.erase(found);
    }
    Polyline all, kept;
    for (Crossing const& c : crossings) {
      Point p{c.x + 0.5, c.y + 0.5};
      if (c.along_x) {
        bool const left_is_ink = in(c.y, c.x);
        p.x = detail::edge_position([&](int k) { return ink.at(c.y, k); }, left_is_ink ? c.x : c.x + 1,
                                    left_is_ink ? 1 : -1);
      } else {
        bool const upper_is_ink = in(c.y, c.x);
        p.y = detail::edge_position([&](int k) { return ink.at(k, c.x); }, upper_is_ink ? c.y : c.y + 1,
                                    upper_is_ink ? 1 : -1);
      }
      all.push_back(p);
      // A row tells the place of a steep edge, a column that of a flat one.
      auto const slope = [&](int y, int x) {
        return Point{double(ink.at(y, x + 1)) - ink.at(y, x - 1),
                     double(ink.at(y + 1, x)) - ink.at(y - 1, x)};
      };
      Point const g = slope(c.y, c.x) + (c.along_x ? slope(c.y, c.x + 1) : slope(c.y + 1, c.x));
      if (c.along_x ? std::abs(g.x) >= 0.8 * std::abs(g.y) : std::abs(g.y) >= 0.8 * std::abs(g.x))
        kept.push_back(p);
    }
    lines.push_back(kept.size() >= 4 && 3 * kept.size() >= all.size() ? std::move(kept) : std::move(all));
  }
  return lines;
}

}  // namespace glyphdiff
