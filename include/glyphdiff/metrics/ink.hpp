#pragma once

#include <glyphdiff/metrics/image_span.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace glyphdiff {

/// Share of all pixels between 0.2 and 0.8 on the 0..1 scale. Drawn letters have such pixels only along their
/// edges; blends and torn strokes have more.
inline double mid_gray_share(ImageSpan images) {
  std::size_t const total = images.image_size() * static_cast<std::size_t>(images.count);
  auto const gray = std::count_if(images.pixels, images.pixels + total, [](float pixel) {
    double const ink = ink_of(pixel);
    return ink > 0.2 && ink < 0.8;
  });
  return static_cast<double>(gray) / static_cast<double>(total);
}

/// Rows that a letter's ink occupies.
struct InkRows {
  int top, bottom;  ///< first and last row with ink, counted from the top of the image

  int height() const { return bottom - top + 1; }
};

/// Ink rows of every image that has ink; blank images are left out.
inline std::vector<InkRows> ink_rows(ImageSpan images) {
  std::vector<InkRows> found;
  for (int n = 0; n < images.count; ++n) {
    InkRows rows{.top = images.height, .bottom = -1};
    for (int y = 0; y < images.height; ++y) {
      float const* row =
          images.image(n) + static_cast<std::size_t>(y) * static_cast<std::size_t>(images.width);
      if (!std::any_of(row, row + images.width, is_ink)) continue;
      rows.top = (std::min)(rows.top, y);
      rows.bottom = y;
    }
    if (rows.bottom >= 0) found.push_back(rows);
  }
  return found;
}

/// Standard deviation (of the population); NaN when `values` is empty.
inline double standard_deviation(std::vector<double> const& values) {
  double mean = 0, square = 0;
  for (double value : values) mean += value;
  mean /= static_cast<double>(values.size());
  for (double value : values) square += (value - mean) * (value - mean);
  return std::sqrt(square / static_cast<double>(values.size()));
}

/// How much the baseline wanders: standard deviation of the last ink row, in pixels. NaN when every image is
/// blank.
inline double baseline_sd(ImageSpan images) {
  std::vector<double> bottoms;
  for (InkRows rows : ink_rows(images)) bottoms.push_back(rows.bottom);
  return standard_deviation(bottoms);
}

/// Standard deviation of the ink's height, in pixels. NaN when every image is blank.
inline double ink_height_sd(ImageSpan images) {
  std::vector<double> heights;
  for (InkRows rows : ink_rows(images)) heights.push_back(rows.height());
  return standard_deviation(heights);
}

}  // namespace glyphdiff
