#pragma once

#include <glyphdiff/data/stroke_weight.hpp>
#include <glyphdiff/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace glyphdiff {

/// How far `augment_letter` may go. Cap height and baseline stay.
struct LetterAugmentation {
  float width = 0.10f;    ///< letters become up to this share wider or narrower
  float shear = 0.08f;    ///< they lean by up to this, as width over height
  float weight = 0.0f;    ///< strokes grow or shrink on either side, by up to this share of the picture
  float contrast = 0.0f;  ///< upright strokes grow and level ones shrink, or the reverse, by up to this
};

/// For sets that are small enough to be learnt by heart: strokes change by up to 0.4 pixels of 64 as well.
inline constexpr LetterAugmentation few_letters_augmentation{.weight = 0.006f, .contrast = 0.004f};

/// Whether a set of so many letters needs augmentation.
inline constexpr bool few_letters(std::size_t count) { return count < 1000; }

/// Where a letter lies in the ranges of an augmentation: uniform in [0, 1]; 1/2 changes nothing.
struct LetterVariation {
  float width = 0.5f, shear = 0.5f, weight = 0.5f, contrast = 0.5f;
};

/// Draws a letter (source_size, source_size, C) a little wider or narrower, leaning, heavier or lighter,
/// about the middle of its ink, into (size, size, C); both in [-1, 1] with 1 as paper, which also comes in
/// from the sides. `source_size` is a multiple of `size`: a letter that is shrunk in the same step (64 to 32)
/// stays as crisp as one that is not augmented. A target pixel is the mean of what it covers. Where the ink
/// would leave the image, it gets less wide, and then leans less.
inline void augment_letter(float const* source, int source_size, float* target, int size, int channels,
                           LetterVariation const& u, LetterAugmentation const& most = {}) {
  if (size < 1 || channels < 1 || source_size % size != 0)
    throw Error("augmentation needs a source size that is a multiple of the target size, found " +
                std::to_string(source_size) + " and " + std::to_string(size) + " with " +
                std::to_string(channels) + " channels");
  int const factor = source_size / size;

  std::vector<float> weighted;
  if (most.weight > 0 || most.contrast > 0) {
    float const pixels = static_cast<float>(source_size), heavier = pixels * most.weight * (2 * u.weight - 1),
                upright = pixels * most.contrast * (2 * u.contrast - 1);
    weighted.assign(source, source + static_cast<std::ptrdiff_t>(source_size) * source_size * channels);
    change_weight(weighted.data(), source_size, channels, heavier + upright, heavier - upright);
    source = weighted.data();
  }
  auto const [left, top, right, bottom] = detail::ink_bounds(source, source_size, channels);
  float const centre_x = 0.5f * static_cast<float>(left + right),
              centre_y = 0.5f * static_cast<float>(top + bottom);

  float const half_width = 0.5f * static_cast<float>(right - left),
              half_height = 0.5f * static_cast<float>(bottom - top);
  float const room = (std::min)(centre_x, static_cast<float>(source_size) - centre_x);
  float const wish = 1.0f + (std::min)(most.width, 0.9f) * (2.0f * u.width - 1.0f),
              lean = most.shear * (2.0f * u.shear - 1.0f);
  float const stretch =
      (std::min)(wish, (std::max)(1.0f, (room - std::abs(lean) * half_height) / half_width));
  float const most_lean = (std::max)(0.0f, room - stretch * half_width) / half_height;
  float const shear = std::clamp(lean, -most_lean, most_lean);

  float const pace = static_cast<float>(factor) / stretch;  // source pixels to a target pixel
  float const share = 1.0f / (pace * static_cast<float>(factor));

  // ink[k] is the ink of a source row left of pixel left - pad + k, so that the ink of any piece of the row
  // is a difference.
  int const pad = static_cast<int>(2 * pace) + 5, knots = right - left + 2 * pad;
  std::vector<float> memory(static_cast<std::size_t>(knots + 2 * size) + 1, 0.0f);
  float *const ink = memory.data(), *const sum = ink + knots, *const edge = sum + size;
  for (int y = 0; y < size; ++y)
    for (int c = 0; c < channels; ++c) {
      std::fill_n(sum, size, 0.0f);
      for (int v = (std::max)(y * factor, top); v < (std::min)((y + 1) * factor, bottom); ++v) {
        float const* const row =
            source + (static_cast<std::ptrdiff_t>(v) * source_size + left) * channels + c;
        float total = 0;
        for (int k = 0; k < right - left; ++k) ink[pad + 1 + k] = total += 1.0f - row[k * channels];
        std::fill(ink + pad + 1 + right - left, ink + knots, total);

        float const height = centre_y - (static_cast<float>(v) + 0.5f);
        float const start =
            centre_x - (centre_x + shear * height) / stretch;  // of target edge 0, in source pixels
        int const from = (std::max)(0, static_cast<int>((static_cast<float>(left - 1) - start) / pace) - 1);
        int const to = (std::min)(size, static_cast<int>((static_cast<float>(right + 1) - start) / pace) + 1);
        float const origin = start - static_cast<float>(left - pad);
        for (int x = from; x <= to; ++x)
          edge[x] = detail::between_knots(ink, origin + pace * static_cast<float>(x));
        for (int x = from; x < to; ++x) sum[x] += edge[x + 1] - edge[x];
      }
      for (int x = 0; x < size; ++x)
        target[(static_cast<std::ptrdiff_t>(y) * size + x) * channels + c] =
            std::clamp(1.0f - share * sum[x], -1.0f, 1.0f);
    }
}

}  // namespace glyphdiff
