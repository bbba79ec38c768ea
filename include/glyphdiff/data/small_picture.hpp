#pragma once

#include <glyphdiff/data/ink_box.hpp>
#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/data/place_drawing.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace glyphdiff {

/// A letter at 32 x 32, with the middle of its ink in the middle, to compare it with many others.
class SmallPicture {
 public:
  static constexpr int side = 32;
  static constexpr std::size_t pixel_count = std::size_t(side) * side;

  /// `picture`: gray, black on white.
  explicit SmallPicture(Image picture) {
    double const scale = double(side) / (std::max)({picture.height, picture.width, 1});
    auto const ink = ink_box(picture);
    double const left = ink ? side / 2.0 - scale * (ink->left + ink->right) / 2 : 0;
    ink_ = inverted(place_drawing(std::move(picture), {scale, left, 0}, side)).pixels;
  }

  double ink() const { return std::accumulate(ink_.begin(), ink_.end(), 0.0); }

  /// The Euclidean distance, as at 64 x 64 on a scale of 0 to 1, that pictures have at least whose ink
  /// differs by so much (Cauchy and Schwarz).
  static double least_distance(double ink_difference) { return ink_difference / (side * unit); }

  /// Whether another picture is nearer than that distance.
  bool is_nearer(SmallPicture const& other, double distance) const {
    double const most = distance * unit * distance * unit;
    double squares = 0;
    for (std::size_t k = 0; k < pixel_count && squares < most; ++k) {
      double const difference = double(ink_[k]) - double(other.ink_[k]);
      squares += difference * difference;
    }
    return squares < most;
  }

  void add_to(std::vector<double>& sum) const {
    for (std::size_t k = 0; k < pixel_count; ++k) sum[k] += ink_[k];
  }

  SmallPicture mirrored() const {
    SmallPicture result = *this;
    for (auto row = result.ink_.begin(); row != result.ink_.end(); row += side) std::reverse(row, row + side);
    return result;
  }

  /// Pearson's correlation with a sum or mean of pictures; 0 if either is blank.
  double correlation(std::vector<double> const& other) const {
    double const n = double(pixel_count);
    double sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
    for (std::size_t k = 0; k < pixel_count; ++k) {
      double const a = ink_[k], b = other[k];
      sum_a += a, sum_b += b, aa += a * a, bb += b * b, ab += a * b;
    }
    double const variances = (aa - sum_a * sum_a / n) * (bb - sum_b * sum_b / n);
    return variances > 0 ? (ab - sum_a * sum_b / n) / std::sqrt(variances) : 0;
  }

 private:
  static constexpr double unit = 255.0 * side / 64;  // a distance of 1

  std::vector<std::uint8_t> ink_;  // (side, side)
};

}  // namespace glyphdiff
