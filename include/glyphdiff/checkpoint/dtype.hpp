#pragma once

#include <glyphdiff/bfloat16.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

/// Types of the numbers in files, by the names that safetensors gives them.
namespace glyphdiff::detail {

/// Bytes per value, or 0 for a type the format does not have.
inline std::uint64_t dtype_bytes(std::string_view dtype) {
  static constexpr std::pair<std::string_view, int> sizes[] = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"U16", 2}, {"I16", 2}, {"F16", 2},
      {"BF16", 2}, {"U32", 4}, {"I32", 4}, {"F32", 4},     {"U64", 8},     {"I64", 8}, {"F64", 8}};
  for (auto const& [name, bytes] : sizes)
    if (name == dtype) return std::uint64_t(bytes);
  return 0;
}

/// Whether a float can stand for the numbers of this type: F16, BF16, F32 or F64.
inline bool is_floating(std::string_view dtype) {
  return dtype == "F16" || dtype == "BF16" || dtype == "F32" || dtype == "F64";
}

/// IEEE half precision, exactly.
inline float half_to_float(std::uint16_t half) {
  std::uint32_t const sign = std::uint32_t(half & 0x8000u) << 16, magnitude = std::uint32_t(half & 0x7fffu)
                                                                              << 13;
  // Multiplying by 2^112 corrects the exponent's bias, of subnormal numbers too.
  std::uint32_t const finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f);
  return std::bit_cast<float>(sign | ((half & 0x7c00u) == 0x7c00u ? magnitude | 0x7f800000u : finite));
}

/// The nearest number of half precision, ties to even; infinite from 65,520 on.
inline std::uint16_t float_to_half(float value) {
  std::uint32_t const bits = std::bit_cast<std::uint32_t>(value), sign = bits >> 16 & 0x8000u;
  std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return std::uint16_t(sign | 0x7e00u);  // NaN
  if (magnitude >= 0x47800000u) return std::uint16_t(sign | 0x7c00u);
  if (magnitude < 0x38800000u) {  // subnormal: adding 1/2 rounds to a multiple of 2^-24
    float const rounded = std::bit_cast<float>(magnitude) + 0.5f;
    return std::uint16_t(sign | (std::bit_cast<std::uint32_t>(rounded) - 0x3f000000u));
  }
  magnitude += 0xfffu + (magnitude >> 13 & 1u) - (112u << 23);  // round, and correct the exponent's bias
  return std::uint16_t(sign | magnitude >> 13);
}

/// Converts `count` numbers of a floating type, which lie in memory as in a file, to floats.
inline void to_floats(std::string_view dtype, void const* from, std::int64_t count, float* to) {
  auto const convert = [&]<class T>(T, auto const& function) {
    for (std::int64_t i = 0; i < count; ++i) {
      T value;
      std::memcpy(&value, static_cast<char const*>(from) + i * std::int64_t(sizeof value), sizeof value);
      to[i] = function(value);
    }
  };
  if (dtype == "F16") convert(std::uint16_t(), half_to_float);
  if (dtype == "BF16") convert(std::uint16_t(), bfloat16_to_float);
  if (dtype == "F32") std::memcpy(to, from, std::size_t(count) * sizeof(float));
  if (dtype == "F64") convert(double(), [](double value) { return float(value); });
}

}  // namespace glyphdiff::detail
