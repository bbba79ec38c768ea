#pragma once

#include <algorithm>
#include <cstdint>

namespace glyphdiff {

/// The byte of a value in [-1, 1], as the reference writes it: (x + 1) * 127.5, clamped, truncated. NaN gives
/// 0.
inline std::uint8_t to_byte(float value) {
  float const scaled = (value + 1.0f) * 127.5f;
  return scaled > 0.0f ? static_cast<std::uint8_t>((std::min)(scaled, 255.0f)) : std::uint8_t{0};
}

}  // namespace glyphdiff
