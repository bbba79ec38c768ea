#pragma once

#include <glyphdiff/io/image.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace glyphdiff {

/// Where the ink of a picture lies, in pixels from its left and top edge: to a part of a pixel, as far as
/// gray edges tell.
struct InkBox {
  double left, top, right, bottom;

  double width() const { return right - left; }
  double height() const { return bottom - top; }
};

/// The ink of a gray picture, black on white; none if it has no pixel darker than half.
inline std::optional<InkBox> ink_box(Image const& picture) {
  std::vector<std::uint8_t> rows(std::size_t(picture.height)), columns(std::size_t(picture.width));
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x) {
      std::uint8_t const ink = std::uint8_t(255 - *picture.at(y, x));
      rows[std::size_t(y)] = (std::max)(rows[std::size_t(y)], ink);
      columns[std::size_t(x)] = (std::max)(columns[std::size_t(x)], ink);
    }
  // The outermost line that is at least half covered, and the one before it, tell where a straight edge lies.
  auto const begin = [](auto from, auto to) -> double {
    auto const first = std::find_if(from, to, [](std::uint8_t ink) { return ink >= 128; });
    double const before = first == from ? 0 : *(first - 1);
    return double(first - from) + 1 - (*first + before) / 255;
  };
  if (std::none_of(rows.begin(), rows.end(), [](std::uint8_t ink) { return ink >= 128; })) return {};
  return InkBox{begin(columns.begin(), columns.end()), begin(rows.begin(), rows.end()),
                picture.width - begin(columns.rbegin(), columns.rend()),
                picture.height - begin(rows.rbegin(), rows.rend())};
}

/// Whether there is ink along the edge of a gray picture, black on white: a letter that was cut off.
inline bool touches_edge(Image const& picture) {
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width;
         x += y == 0 || y == picture.height - 1 ? 1 : (std::max)(1, picture.width - 1))
      if (*picture.at(y, x) < 128) return true;
  return false;
}

}  // namespace glyphdiff
