#pragma once

#include <glyphdiff/kernels/shapes.hpp>

/// The numbers behind the convolutions of this folder. Chosen on a core with 1 MB of L2; they change the speed, and
/// where a comment says so the rounding of a result.
namespace glyphdiff::kernels::host::tuning {

#ifndef GD_TB
#define GD_TB 28
#define GD_FT 56
#define GD_BT 32
#endif
inline constexpr int tiles = GD_TB;               ///< Winograd tiles per block
inline constexpr int most_tiles = GD_FT;          ///< the same where weights are transformed for each block, or stream from memory
inline constexpr int most_transformed = 1 << 22;  ///< floats of transformed weights worth keeping: about half an L3
inline constexpr int fused_chunk = 64;            ///< input channels whose weights are transformed at a time (rounding)

inline constexpr int gradient_chunk = 64;   ///< channels, both ways, whose weight gradient a worker holds
inline constexpr int gradient_tiles = GD_BT;   ///< tiles transformed at a time for it (rounding)
inline constexpr int gradient_slice = 128;  ///< tiles per slice, at least (rounding)
inline constexpr int gradient_items = 32;   ///< independent pieces of a weight gradient to aim at (rounding)

}  // namespace glyphdiff::kernels::host::tuning
