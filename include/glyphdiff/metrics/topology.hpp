#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/metrics/image_span.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace glyphdiff {

/// Connected pieces of ink and enclosed pieces of paper of one image; a printed "A" has one of each.
struct Topology {
  int components = 0, holes = 0;

  bool operator==(Topology const&) const = default;
};

/// Pieces of fewer pixels than this, be they ink or paper, are specks and are not counted: what is smaller
/// than one pixel of a 32x32 image, so nothing at 32x32 and up to 3 pixels at 64x64. Holes of
/// real As can be as small as 3 pixels at 32x32, and a stray pixel of ink is a visible blemish there.
inline int smallest_counted_area(int height, int width) { return (std::max)(1, height * width / (32 * 32)); }

/// Areas, in pixels, of the pieces of one image: 8-connected ones of ink, and 4-connected ones of paper that
/// do not reach the border (the two connectivities must differ, or a diagonal hairline would both hold and
/// leak).
struct PieceAreas {
  std::vector<int> ink, holes;
};

inline PieceAreas piece_areas(float const* pixels, int height, int width) {
  // A frame of paper around the image joins everything that touches the border, so the frame's piece is
  // "outside".
  auto const index = [stride = static_cast<std::size_t>(width) + 2](int y, int x) {
    return static_cast<std::size_t>(y) * stride + static_cast<std::size_t>(x);
  };
  std::vector<char> ink(index(height + 2, 0), 0);
  for (int y = 1; y <= height; ++y)
    for (int x = 1; x <= width; ++x) ink[index(y, x)] = is_ink(*pixels++);

  std::vector<char> seen(ink.size(), 0);
  std::vector<std::pair<int, int>> open;                       // (y, x) yet to be visited
  std::array<int, 8> constexpr dy{-1, 1, 0, 0, -1, -1, 1, 1},  // the first four neighbours share an edge
      dx{0, 0, -1, 1, -1, 1, -1, 1};
  auto const fill = [&](int y0, int x0) {  // area of the piece of (y0, x0)
    char const kind = ink[index(y0, x0)];
    int area = 0;
    seen[index(y0, x0)] = 1;
    open.emplace_back(y0, x0);
    while (!open.empty()) {
      auto const [y, x] = open.back();
      open.pop_back();
      ++area;
      for (std::size_t s = 0; s < (kind ? 8 : 4); ++s) {
        int const v = y + dy[s], u = x + dx[s];
        if (v < 0 || u < 0 || v > height + 1 || u > width + 1 || seen[index(v, u)] ||
            ink[index(v, u)] != kind)
          continue;
        seen[index(v, u)] = 1;
        open.emplace_back(v, u);
      }
    }
    return area;
  };

  fill(0, 0);
  PieceAreas found;
  for (int y = 1; y <= height; ++y)
    for (int x = 1; x <= width; ++x)
      if (!seen[index(y, x)]) (ink[index(y, x)] ? found.ink : found.holes).push_back(fill(y, x));
  return found;
}

/// Counts the pieces of one image. Specks of either kind, smaller than `smallest_area` pixels, are left out.
inline Topology image_topology(float const* pixels, int height, int width, int smallest_area) {
  PieceAreas const areas = piece_areas(pixels, height, width);
  auto const counted = [=](std::vector<int> const& of) {
    return static_cast<int>(
        std::count_if(of.begin(), of.end(), [=](int area) { return area >= smallest_area; }));
  };
  return {.components = counted(areas.ink), .holes = counted(areas.holes)};
}

/// Topology of every image.
inline std::vector<Topology> letter_topology(ImageSpan images) {
  int const smallest_area = smallest_counted_area(images.height, images.width);
  std::vector<Topology> found;
  found.reserve(static_cast<std::size_t>(images.count));
  for (int n = 0; n < images.count; ++n)
    found.push_back(image_topology(images.image(n), images.height, images.width, smallest_area));
  return found;
}

/// The topology that most letters have; of equally frequent ones that with fewer pieces. Throws Error if
/// there are no letters.
inline Topology most_frequent_topology(std::vector<Topology> const& letters) {
  if (letters.empty()) throw Error("expected letters to tell components and holes from, found none");
  auto const rank = [&](Topology t) {
    return std::pair(std::count(letters.begin(), letters.end(), t), -(t.components + t.holes));
  };
  return *std::max_element(letters.begin(), letters.end(),
                           [&](Topology a, Topology b) { return rank(a) < rank(b); });
}

/// Share of letters with this topology. NaN when there is none.
inline double topology_rate(std::vector<Topology> const& letters, Topology wanted) {
  auto const good = std::count(letters.begin(), letters.end(), wanted);
  return static_cast<double>(good) / static_cast<double>(letters.size());
}

/// Share of letters with exactly one hole. NaN when there is none.
inline double one_hole_rate(std::vector<Topology> const& letters) {
  auto const good = std::count_if(letters.begin(), letters.end(), [](Topology t) { return t.holes == 1; });
  return static_cast<double>(good) / static_cast<double>(letters.size());
}

/// Share of letters with exactly one hole and one component. NaN when there is none.
inline double one_hole_one_component_rate(std::vector<Topology> const& letters) {
  return topology_rate(letters, {.components = 1, .holes = 1});
}

}  // namespace glyphdiff
