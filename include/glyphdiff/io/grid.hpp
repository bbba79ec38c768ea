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
#include <vector>

namespace glyphdiff {

namespace detail {

inline Image image_grid(float const* in, int count, int height, int width, int channels, int columns,
                        int padding) {
  if (count < 1 || height < 1 || width < 1 || (channels != 1 && channels != 3) || columns < 1 || padding < 0)
    throw Error("an image grid needs images of 1 or 3 channels, columns and no negative padding, found " +
                std::to_string(count) + " images of " + std::to_string(height) + "x" + std::to_string(width) +
                "x" + std::to_string(channels) + ", " + std::to_string(columns) + " columns, padding " +
                std::to_string(padding));
  columns = (std::min)(columns, count);
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

/// The images of such a sheet of square ones, in order; paper at its end is no image. They are `size` pixels
/// high and wide if that leaves all padding white, else the smallest from 8 to 1024 that does. `name` is for
/// the sentence of the Error where none does.
inline std::vector<Image> images_of_grid(Image const& grid, int size, std::string const& name,
                                         int padding = 2) {
  auto const is_white = [&](int top, int left, int height, int width) {
    for (int y = top; y < top + height; ++y) {
      std::uint8_t const* const row = grid.at(y, left);
      if (!std::all_of(row, row + width * grid.channels, [](std::uint8_t byte) { return byte == 255; }))
        return false;
    }
    return true;
  };
  auto const is_size_of_all = [&](int side) {
    int const pitch = side + padding;
    if (grid.height <= pitch || grid.width <= pitch || (grid.height - padding) % pitch != 0 ||
        (grid.width - padding) % pitch != 0)
      return false;
    for (int y = 0; y < grid.height; y += pitch)
      if (!is_white(y, 0, padding, grid.width)) return false;
    for (int x = 0; x < grid.width; x += pitch)
      if (!is_white(0, x, grid.height, padding)) return false;
    return true;
  };
  int side = size;
  if (size < 1 || !is_size_of_all(size))
    for (side = 8; !is_size_of_all(side); ++side)
      if (side >= (std::min)({grid.height, grid.width, 1024}))
        throw Error(
            name, "a sheet of square pictures with " + std::to_string(padding) + " white pixels around each",
            "a picture of " + std::to_string(grid.width) + "x" + std::to_string(grid.height) +
                " that is none");
  std::vector<Image> images;
  std::size_t inked = 0;
  for (int y = padding; y < grid.height; y += side + padding)
    for (int x = padding; x < grid.width; x += side + padding) {
      Image image(side, side, grid.channels);
      for (int row = 0; row < side; ++row)
        std::copy_n(grid.at(y + row, x), side * grid.channels, image.at(row, 0));
      images.push_back(std::move(image));
      if (!is_white(y, x, side, side)) inked = images.size();
    }
  images.resize(inked);
  if (images.empty()) throw Error(name, "a sheet with pictures on it", "white paper");
  return images;
}

}  // namespace glyphdiff
