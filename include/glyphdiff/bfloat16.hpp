#pragma once

#include <glyphdiff/bits.hpp>

#include <cstdint>

/// bfloat16: the upper half of a float, its range with 8 significant bits.
namespace glyphdiff {

/// A value of that kind. It is read and written as a float, and has no arithmetic of its own.
struct bfloat16 {
  std::uint16_t bits;
};

GLYPHDIFF_FUNCTION float bfloat16_to_float(std::uint16_t value) {
  return bit_cast<float>(std::uint32_t(value) << 16);
}

namespace detail {

/// The upper half of the sum of the float's bits and `addend`, which rounds the magnitude. NaN stays NaN.
GLYPHDIFF_FUNCTION std::uint16_t upper_half(float value, std::uint32_t addend) {
  std::uint32_t const bits = bit_cast<std::uint32_t>(value);
  bool const nan = (bits & 0x7fffffffu) > 0x7f800000u;
  return std::uint16_t((nan ? 0x7fc00000u : bits + addend) >> 16);
}

}  // namespace detail

/// The nearest bfloat16, ties to even; infinite beyond the largest, 3.39e38.
GLYPHDIFF_FUNCTION std::uint16_t float_to_bfloat16(float value) {
  return detail::upper_half(value, 0x7fffu + (bit_cast<std::uint32_t>(value) >> 16 & 1u));
}

/// What a kernel computes with: activations are floats or bfloat16, and sums are floats.
GLYPHDIFF_FUNCTION float to_float(float value) { return value; }
GLYPHDIFF_FUNCTION float to_float(bfloat16 value) { return bfloat16_to_float(value.bits); }
/// *to = value, rounded to the nearest where it must be.
GLYPHDIFF_FUNCTION void put(float value, float* to) { *to = value; }
GLYPHDIFF_FUNCTION void put(float value, bfloat16* to) { to->bits = float_to_bfloat16(value); }

/// Stochastic rounding (Gupta et al. 2015, section 3): one of the two bfloat16 next to `value`, chosen by
/// `bits` in [0, 2^16) so that their mean over all bits is the value. What is a bfloat16 already stays.
GLYPHDIFF_FUNCTION std::uint16_t round_stochastically(float value, std::uint32_t bits) {
  return detail::upper_half(value, bits);
}

}  // namespace glyphdiff
