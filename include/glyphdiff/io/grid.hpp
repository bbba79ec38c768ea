#pragma once

#include <glyphdiff/byte.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/tensor.hpp>

#include <xtensor/xtensor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace glyphdiff {

namespace detail {

inline Image image_grid(float const* in, int count, int height, int width, int channels, int columns,
                        int padding) {
  if (count < 1 || height < 1 || width < 1 || (channels != 1 && channels != 3) || columns < 1 || padding < 0)
    throw Error("an image grid needs images of 1 or 3 channels, columns and no negative padding, found " +
                std::to_string(count) + " images of " + std::to_string(height) + "x" + std::to_string(width) +
                "x" + std::to_string(channels) + ", " + std::to_string(columns) + " columns, padding " +
                std::to_string(padding));
  columns = std::min(columns, count);
  int const rows = (count + columns - 1) / columns;
  Image grid(rows * (height + padding) + padding, columns * (width + padding) + padding, channels, 255);
  for (int n = 0; n < count; ++n)
    for (int y = 0; y < height; ++y) {
      std::uint8_t* out =
          grid.at(padding + n / columns * (height + padding) + y, padding + n % columns * (width + padding));
      for (int i = 0; i < width * channels; ++i) *out++ = to_byte(*in++);
    }
  return grid;
}

}  // namespace detail

/// A contact sheet of images (N,H,W,C), C = 1 or 3, in [-1, 1]: row by row, `padding` white pixels around
/// each. Throws Error if there are none, or for another number of channels.
inline Image image_grid(xt::xtensor<float, 4> const& images, int columns, int padding = 2) {
  auto const extent = [&](int axis) { return static_cast<int>(images.shape(axis)); };
  return detail::image_grid(images.data(), extent(0), extent(1), extent(2), extent(3), columns, padding);
}
inline Image image_grid(HostImages const& images, int columns, int padding = 2) {
  auto const extent = [&](int axis) { return static_cast<int>(images.extent(axis)); };
  return detail::image_grid(images.data(), extent(0), extent(1), extent(2), extent(3), columns, padding);
}

}  // namespace glyphdiff
