#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace glyphdiff {

namespace detail {

/// Columns and rows that ink occupies, the last ones exclusive; of a blank image all.
struct InkBounds {
  int left, top, right, bottom;
};
inline InkBounds ink_bounds(float const* image, int size, int channels) {
  static constexpr float paper = 0.99f;  // the least value that is no ink
  InkBounds found{size, size, 0, 0};
  for (int y = 0; y < size; ++y) {
    float const* const row = image + static_cast<std::ptrdiff_t>(y) * size * channels;
    int const length = size * channels;
    int first = 0, last = length;
    while (first < length && row[first] > paper) ++first;
    if (first == length) continue;
    while (row[last - 1] > paper) --last;
    found.left = (std::min)(found.left, first / channels);
    found.right = (std::max)(found.right, (last - 1) / channels + 1);
    found.top = (std::min)(found.top, y), found.bottom = y + 1;
  }
  return found.left < found.right ? found : InkBounds{0, 0, size, size};
}

/// Values of a line's running sum between its knots, by a Catmull-Rom curve: a straight line there would blur
/// edges. `knots` has one knot before and two behind.
inline float between_knots(float const* knots, float position) {
  int const k = static_cast<int>(position);
  float const f = position - static_cast<float>(k);
  float const p = knots[k - 1], q = knots[k], r = knots[k + 1], s = knots[k + 2];
  return q + 0.5f * f * (r - p + f * (2 * p - 5 * q + 4 * r - s + f * (3 * (q - r) + s - p)));
}

/// Grows the ink of a line of `count` values, each `stride` from the next, by `growth` pixels to both sides,
/// negative: shrinks it; the whole is squeezed so that ink still begins at `first` and ends before `last`.
inline void grow_line(float* line, std::ptrdiff_t stride, int count, int first, int last, float growth,
                      std::vector<float>& memory) {
  int const pad = static_cast<int>(2 * std::abs(growth)) + 4;
  memory.assign(static_cast<std::size_t>(count + 2 * pad + 1), 0.0f);
  float* const knots = memory.data() + pad;  // knots[k]: ink before pixel k
  for (int k = 0; k < count; ++k) knots[k + 1] = knots[k] + 1.0f - line[k * stride];
  std::fill(knots + count + 1, memory.data() + memory.size(), knots[count]);
  if (knots[count] == 0.0f) return;

  float const centre = 0.5f * static_cast<float>(first + last), length = static_cast<float>(last - first);
  float const pace = (length + 2 * growth) / length;
  for (int k = first; k < last; ++k) {
    float const from = centre + (static_cast<float>(k) - centre) * pace + static_cast<float>(pad);
    auto const ink = [&](float shift) {
      return between_knots(memory.data(), from + pace + shift) - between_knots(memory.data(), from + shift);
    };
    // The greatest or least ink within reach; strokes that are thinner than the reach show at its middle.
    float const before = ink(-growth), behind = ink(growth), here = ink(0);
    float const most = growth > 0 ? (std::max)({before, here, behind}) : (std::min)({before, here, behind});
    line[k * stride] = std::clamp(1.0f - most / pace, -1.0f, 1.0f);
  }
}

}  // namespace detail

/// Makes a letter's strokes heavier (or lighter, where negative): upright ones by `across` pixels on either
/// side, level ones by `down`. `image` is (size, size, channels) in [-1, 1] with 1 as paper. Its ink keeps
/// the rows and columns where it begins and ends, edges keep their antialiasing.
inline void change_weight(float* image, int size, int channels, float across, float down) {
  detail::InkBounds const ink = detail::ink_bounds(image, size, channels);
  // A letter must not vanish between its own edges.
  auto const limited = [](float growth, int length) {
    float const most = 0.1f * static_cast<float>(length);
    return std::clamp(growth, -most, most);
  };
  across = limited(across, ink.right - ink.left);
  down = limited(down, ink.bottom - ink.top);
  std::vector<float> memory;
  std::ptrdiff_t const row = static_cast<std::ptrdiff_t>(size) * channels;
  for (int c = 0; c < channels; ++c) {
    for (int y = ink.top; y < ink.bottom; ++y)
      detail::grow_line(image + y * row + c, channels, size, ink.left, ink.right, across, memory);
    for (int x = ink.left; x < ink.right; ++x)
      detail::grow_line(image + static_cast<std::ptrdiff_t>(x) * channels + c, row, size, ink.top, ink.bottom,
                        down, memory);
  }
}

}  // namespace glyphdiff
