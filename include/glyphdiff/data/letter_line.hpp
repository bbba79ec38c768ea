#pragma once

#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/image.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

/// Letters beside each other, as a font would set them.
namespace glyphdiff {

/// Columns of a gray picture that have ink, the last one excluded; left == right for a blank one.
struct InkColumns {
  int left = 0, right = 0;
};

inline InkColumns ink_columns(Image const& picture) {
  InkColumns columns{picture.width, 0};
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x)
      if (*picture.at(y, x) < 128) columns = {(std::min)(columns.left, x), (std::max)(columns.right, x + 1)};
  return columns.left < columns.right ? columns : InkColumns{};
}

/// White left and right of a letter's ink, pixels; negative where ink reaches into the neighbour.
struct SideBearings {
  double left = 0, right = 0;
};

/// The side bearings that a manifest gives a letter.
inline SideBearings side_bearings(Image const& picture, LetterEntry const& entry) {
  InkColumns const ink = ink_columns(picture);
  return {ink.left - entry.origin, entry.origin + entry.advance - ink.right};
}

/// Sets letters (size,size,1) on one line by the origin and the advance of their entries, which are rounded
/// to pixels; a null picture is a space, as wide as its entry's advance. Error if there are none, or of
/// different heights.
inline Image letter_line(std::vector<Image const*> const& pictures, std::vector<LetterEntry> const& entries) {
  int height = 0, width = 0;
  for (Image const* picture : pictures) {
    if (picture == nullptr) continue;
    if (height != 0 && picture->height != height)
      throw Error("a line of letters", "pictures of one height", std::to_string(picture->height));
    height = picture->height;
  }
  if (height == 0) throw Error("a line of letters", "at least one letter", "none");
  std::vector<int> starts;
  double pen = height / 8.0;  // a margin
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    starts.push_back(int(std::lround(pen - entries[i].origin)));
    pen += entries[i].advance;
  }
  width = int(std::lround(pen + height / 8.0));
  Image line(height, (std::max)(1, width), 1, 255);
  for (std::size_t i = 0; i < pictures.size(); ++i)
    for (int y = 0; pictures[i] != nullptr && y < height; ++y)
      for (int x = 0; x < pictures[i]->width; ++x) {
        int const column = starts[i] + x;
        if (column < 0 || column >= line.width) continue;
        *line.at(y, column) = (std::min)(*line.at(y, column), *pictures[i]->at(y, x));  // ink over ink
      }
  return line;
}

}  // namespace glyphdiff
