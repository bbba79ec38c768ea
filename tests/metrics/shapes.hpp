#pragma once

#include <glyphdiff/metrics/image_span.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

/// Drawings with antialiased edges, to judge; coordinates are shares of the image's side.
class Drawings {
 public:
  explicit Drawings(int size) : size_(size) {}

  int count() const { return static_cast<int>(pixels_.size()) / (size_ * size_); }
  glyphdiff::ImageSpan span() const { return {pixels_.data(), count(), size_, size_}; }
  std::vector<float>& pixels() { return pixels_; }
  float& at(int image, int y, int x) {
    return pixels_[static_cast<std::size_t>((image * size_ + y) * size_ + x)];
  }

  /// Starts a new image of white paper.
  Drawings& blank() {
    pixels_.resize(pixels_.size() + static_cast<std::size_t>(size_ * size_), 1.0F);
    return *this;
  }

  Drawings& ring(double x, double y, double radius, double width) {
    return draw([=](double u, double v) { return std::abs(std::hypot(u - x, v - y) - radius) - width / 2; });
  }

  Drawings& dot(double x, double y, double radius) {
    return draw([=](double u, double v) { return std::hypot(u - x, v - y) - radius; });
  }

  Drawings& stroke(double x0, double y0, double x1, double y1, double width) {
    return draw([=](double u, double v) {
      double const dx = x1 - x0, dy = y1 - y0;
      double const t = std::clamp(((u - x0) * dx + (v - y0) * dy) / (dx * dx + dy * dy), 0.0, 1.0);
      return std::hypot(u - x0 - t * dx, v - y0 - t * dy) - width / 2;
    });
  }

  /// A capital A: two legs and a bar.
  Drawings& letter_a(double half_width, double bar, double width, double lean = 0, double bottom = 0.85) {
    double const top = 0.15, apex = 0.5 + lean, reach = (bar - top) / (bottom - top);
    auto const leg = [&](double foot) { return apex + reach * (foot - apex); };
    stroke(apex, top, 0.5 - half_width, bottom, width);
    stroke(apex, top, 0.5 + half_width, bottom, width);
    return stroke(leg(0.5 - half_width), bar, leg(0.5 + half_width), bar, width);
  }

 private:
  template <class Distance>
  Drawings& draw(Distance const& distance) {  // negative inside the ink
    for (int y = 0; y < size_; ++y)
      for (int x = 0; x < size_; ++x) {
        double const inside = 2 * size_ * distance((x + 0.5) / size_, (y + 0.5) / size_);
        float& pixel = at(count() - 1, y, x);
        pixel = std::min(pixel, static_cast<float>(std::clamp(inside, -1.0, 1.0)));
      }
    return *this;
  }

  int size_;
  std::vector<float> pixels_;
};

/// `count` different capital As, the same for a seed everywhere.
inline Drawings random_letters(int size, int count, std::uint64_t seed) {
  std::mt19937_64 bits(seed);
  auto const between = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53;
  };
  Drawings letters(size);
  for (int n = 0; n < count; ++n) {
    double const half_width = between(0.22, 0.38), bar = between(0.55, 0.68), width = between(0.06, 0.12);
    letters.blank().letter_a(half_width, bar, width, between(-0.1, 0.1));
  }
  return letters;
}
