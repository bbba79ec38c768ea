#pragma once

#include <glyphdiff/kernels/shapes.hpp>

/// The numbers behind the convolutions of this folder. Chosen on a core with 1 MB of L2; they change the
/// speed, and where a comment says so the rounding of a result.
namespace glyphdiff::kernels::host::tuning {

inline constexpr int tiles = 28;  ///< Winograd tiles per block
inline constexpr int most_tiles =
    56;  ///< the same where weights are transformed for each block, or stream from memory
inline constexpr int most_transformed =
    1 << 22;                            ///< floats of transformed weights worth keeping: about half an L3
inline constexpr int fused_chunk = 64;  ///< input channels whose weights are transformed at a time (rounding)

inline constexpr int gradient_chunk = 64;   ///< channels, both ways, whose weight gradient a worker holds
inline constexpr int gradient_tiles = 32;   ///< tiles transformed at a time for it (rounding)
inline constexpr int gradient_slice = 128;  ///< tiles per slice, at least (rounding)
inline constexpr int gradient_items = 32;   ///< independent pieces of a weight gradient to aim at (rounding)

/// Winograd's algorithm does 36 multiplications for a tile of 4x4 outputs in place of 9 for every output, and
/// spends about a third of that again on its transforms. It wins for any number of channels; it loses only
/// where nearly all of every tile sticks out of the image, 2x2 or one pixel wide.
constexpr bool winograd_is_faster(ConvShape s) {
  std::int64_t const count = static_cast<std::int64_t>((s.h + 3) / 4) * ((s.w + 3) / 4);
  return s.kernel == 3 && s.stride == 1 && 9 * static_cast<std::int64_t>(s.h) * s.w >= 50 * count;
}

}  // namespace glyphdiff::kernels::host::tuning
