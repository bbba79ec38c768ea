#pragma once

#include <cstdint>
#include <cstring>

#if defined(__CUDACC__) || defined(__HIPCC__)
#define GLYPHDIFF_FUNCTION __host__ __device__ inline
#else
#define GLYPHDIFF_FUNCTION inline
#endif

/// Numbers as their bits, on the host and on devices. std::bit_cast and other constexpr functions of the
/// standard library are host functions to nvcc unless a flag says otherwise, and what they return on the
/// device is then not defined; these need no flag. Files are read without Kokkos, hence no macro of its own.
namespace glyphdiff {

/// The same bits as another type of that size.
template <class To, class From>
GLYPHDIFF_FUNCTION To bit_cast(From const& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  ::memcpy(&to, &from, sizeof to);
  return to;
}

/// Neither infinite nor NaN. By its bits: -ffast-math lets compilers take std::isfinite for true.
GLYPHDIFF_FUNCTION bool is_finite(float x) {
  return (bit_cast<std::uint32_t>(x) & 0x7f800000u) != 0x7f800000u;
}
GLYPHDIFF_FUNCTION bool is_finite(double x) {
  return (bit_cast<std::uint64_t>(x) & 0x7ff0000000000000u) != 0x7ff0000000000000u;
}

/// Likewise for std::isnan.
GLYPHDIFF_FUNCTION bool is_nan(float x) { return (bit_cast<std::uint32_t>(x) & 0x7fffffffu) > 0x7f800000u; }
GLYPHDIFF_FUNCTION bool is_nan(double x) {
  return (bit_cast<std::uint64_t>(x) & 0x7fffffffffffffffu) > 0x7ff0000000000000u;
}

}  // namespace glyphdiff
