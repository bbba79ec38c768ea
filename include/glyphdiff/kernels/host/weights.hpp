#pragma once

#include <glyphdiff/kernels/host/lanes.hpp>
#include <glyphdiff/kernels/shapes.hpp>

/// Reading 3x3 weights with output channels in the lanes of a vector.
namespace glyphdiff::kernels::host {

/// The 3x3 weights of a convolution with `in` and `out` channels as they lie in memory, PyTorch's
/// [out][in][3][3], or as its data gradient sees them: in and out exchanged.
struct Weights {
  float const* data;
  float const* end;
  std::ptrdiff_t out_step, in_step;

  static Weights forward(ConvShape s, float const* weight) {
    return {weight, weight + s.weights(), static_cast<std::ptrdiff_t>(s.in) * 9, 9};
  }
  static Weights backward(ConvShape s, float const* weight) {
    return {weight, weight + s.weights(), 9, static_cast<std::ptrdiff_t>(s.in) * 9};
  }
};

/// The nine taps between input channel `in` and the output channels out + lane, lane < outs (at most W);
/// zeros beyond.
template <int W>
[[gnu::always_inline]] inline void load_taps(Weights const& weights, int in, int out, int outs,
                                             Lanes<W> (&taps)[9]) {
  constexpr int vectors = (9 + W - 1) / W, floats = vectors * W;
  float const* from = weights.data + in * weights.in_step + out * weights.out_step;
  std::ptrdiff_t step = weights.out_step;
  float copy[W * floats];
  if (outs < W ||
      weights.end - from < (W - 1) * step + floats) {  // whole vectors would reach beyond the array
    for (int lane = 0; lane < W; ++lane)
      for (int tap = 0; tap < 9; ++tap)
        copy[lane * floats + tap] = lane < outs ? from[lane * step + tap] : 0.0f;
    from = copy, step = floats;
  }
#pragma GCC unroll 3
  for (int vector = 0; vector < vectors; ++vector) {
    Lanes<W> v[W];
#pragma GCC unroll 16
    for (int lane = 0; lane < W; ++lane) v[lane] = load<W>(from + lane * step + vector * W);
    transpose<W>(v);
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i)
      if (vector * W + i < 9) taps[vector * W + i] = v[i];
  }
}

}  // namespace glyphdiff::kernels::host
