#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/io/image.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace glyphdiff {

/// How `resize` weighs source pixels. When shrinking, each is stretched by the ratio: no detail of the source
/// is skipped, so nothing aliases.
enum class ResizeFilter {
  area,  ///< the mean of what a target pixel covers (when enlarging: the nearest pixels); keeps letters crisp
  cubic,  ///< cubic convolution (Keys 1981, a = -1/2), clamped to 0..255; for photographs and when enlarging
};

namespace detail {

/// Weights of the source pixels `first`, `first + 1`, ... for one target pixel; they add up to 1.
struct ResizeTaps {
  int first;
  std::vector<float> weights;
};

inline double cubic_weight(double x) {
  x = std::abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

inline std::vector<ResizeTaps> resize_taps(int from, int to, ResizeFilter filter) {
  double const ratio = static_cast<double>(from) / to, stretch = (std::max)(ratio, 1.0);
  std::vector<ResizeTaps> taps(static_cast<std::size_t>(to));
  for (int i = 0; i < to; ++i) {
    double const centre = (i + 0.5) * ratio;
    double const reach = filter == ResizeFilter::area ? 0.5 * ratio : 2 * stretch;
    // The edge pixel stands for what lies beyond it.
    int const low = static_cast<int>(std::floor(centre - reach)),
              high = static_cast<int>(std::ceil(centre + reach));
    ResizeTaps& tap = taps[static_cast<std::size_t>(i)];
    tap.first = std::clamp(low, 0, from - 1);
    tap.weights.assign(static_cast<std::size_t>(std::clamp(high, tap.first + 1, from) - tap.first), 0.0f);
    std::vector<double> sums(tap.weights.size(), 0.0);
    double total = 0;
    for (int j = low; j < high; ++j) {
      double const weight =
          filter == ResizeFilter::area
              ? (std::max)(0.0, (std::min)(j + 1.0, centre + reach) - std::max<double>(j, centre - reach))
              : cubic_weight((j + 0.5 - centre) / stretch);
      sums[static_cast<std::size_t>(std::clamp(j, 0, from - 1) - tap.first)] += weight;
      total += weight;
    }
    for (std::size_t k = 0; k < sums.size(); ++k) tap.weights[k] = static_cast<float>(sums[k] / total);
  }
  return taps;
}

}  // namespace detail

/// Resizes to (height, width). Throws Error unless both images have at least one pixel.
inline Image resize(Image const& image, int height, int width, ResizeFilter filter = ResizeFilter::cubic) {
  if (image.height < 1 || image.width < 1 || height < 1 || width < 1)
    throw Error("cannot resize " + std::to_string(image.height) + "x" + std::to_string(image.width) + " to " +
                std::to_string(height) + "x" + std::to_string(width) + " pixels");
  if (image.height == height && image.width == width) return image;

  int const channels = image.channels;
  auto const index = [channels](int y, int x, int row) {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(row) + static_cast<std::size_t>(x)) *
           static_cast<std::size_t>(channels);
  };
  std::vector<float> wide(index(image.height, 0, width), 0.0f);  // (H, width, C)
  auto const across = detail::resize_taps(image.width, width, filter);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < width; ++x) {
      auto const& [first, weights] = across[static_cast<std::size_t>(x)];
      std::uint8_t const* in = image.at(y, first);
      float* const out = &wide[index(y, x, width)];
      for (float weight : weights)
        for (int c = 0; c < channels; ++c) out[c] += weight * static_cast<float>(*in++);
    }

  Image result(height, width, channels);
  std::size_t const row = index(1, 0, width);
  auto const down = detail::resize_taps(image.height, height, filter);
  std::vector<float> sum(row);
  for (int y = 0; y < height; ++y) {
    auto const& [first, weights] = down[static_cast<std::size_t>(y)];
    std::fill(sum.begin(), sum.end(), 0.5f);  // rounds
    float const* in = &wide[index(first, 0, width)];
    for (float weight : weights)
      for (std::size_t i = 0; i < row; ++i) sum[i] += weight * *in++;
    std::transform(sum.begin(), sum.end(), result.at(y, 0),
                   [](float value) { return static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f)); });
  }
  return result;
}

/// Resizes so that the image just fits a square of `size`, its proportions kept, centred on white.
inline Image fit_to_square(Image const& image, int size, ResizeFilter filter = ResizeFilter::cubic) {
  int const longer = (std::max)({image.height, image.width, 1});
  auto const scaled = [&](int extent) {
    return std::clamp(static_cast<int>(std::lround(static_cast<double>(extent) * size / longer)), 1,
                      (std::max)(size, 1));
  };
  Image const inner = resize(image, scaled(image.height), scaled(image.width), filter);
  if (inner.height == inner.width) return inner;
  Image result(size, size, image.channels, 255);
  int const top = (size - inner.height) / 2, left = (size - inner.width) / 2;
  for (int y = 0; y < inner.height; ++y)
    std::copy_n(inner.at(y, 0), static_cast<std::size_t>(inner.width * inner.channels),
                result.at(top + y, left));
  return result;
}

}  // namespace glyphdiff
