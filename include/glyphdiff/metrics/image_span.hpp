#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/error.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace glyphdiff {

/// Non-owning view of `count` gray images on the host: row-major, one after another, in [-1, 1] where 1 is
/// white paper and -1 is ink. Values slightly outside the range (an unclamped sampler) are allowed.
struct ImageSpan {
  float const* pixels;
  int count, height, width;

  std::size_t image_size() const {
    return static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  }
  float const* image(int n) const { return pixels + static_cast<std::size_t>(n) * image_size(); }
};

/// Darkness of a pixel value: 0 is white paper, 1 is ink.
inline double ink_of(float pixel) { return 0.5 - 0.5 * static_cast<double>(pixel); }

/// A pixel counts as ink when its intensity on the 0..1 scale (0 black, 1 white) is below one half.
inline bool is_ink(float pixel) { return pixel < 0.0F; }

/// Gray version of (N,H,W,C) host data: the mean over the channels, shape (N,H,W).
inline std::vector<float> channel_mean(float const* pixels, int count, int height, int width, int channels) {
  std::size_t const total =
      ImageSpan{pixels, count, height, width}.image_size() * static_cast<std::size_t>(count);
  std::vector<float> gray(total);
  for (std::size_t i = 0; i < total; ++i) {
    double sum = 0;
    for (int c = 0; c < channels; ++c) sum += static_cast<double>(*pixels++);
    gray[i] = static_cast<float>(sum / channels);
  }
  return gray;
}

/// Throws Error unless `images` holds at least `at_least` images of finite pixels. `name` is used in the
/// sentence.
inline void require_images(ImageSpan images, std::string const& name, int at_least = 1) {
  if (images.height < 1 || images.width < 1)
    throw Error(name + ": expected images of at least 1x1 pixels, found " + std::to_string(images.height) +
                "x" + std::to_string(images.width));
  if (images.count < at_least || images.pixels == nullptr)
    throw Error(name + ": expected at least " + std::to_string(at_least) + " images, found " +
                std::to_string(images.pixels == nullptr ? 0 : images.count));
  for (int n = 0; n < images.count; ++n)
    for (std::size_t i = 0; i < images.image_size(); ++i)
      if (!is_finite(images.image(n)[i]))
        throw Error(name + ": expected finite pixels, found NaN or infinity in image " + std::to_string(n));
}

/// Throws Error unless both sets have images of one size.
inline void require_same_size(ImageSpan a, std::string const& name_a, ImageSpan b,
                              std::string const& name_b) {
  if (a.height != b.height || a.width != b.width)
    throw Error(name_a + ": expected images of the size of the " + name_b + " (" + std::to_string(b.height) +
                "x" + std::to_string(b.width) + "), found " + std::to_string(a.height) + "x" +
                std::to_string(a.width));
}

}  // namespace glyphdiff
