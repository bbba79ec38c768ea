#pragma once

#include <glyphdiff/config.hpp>
#include <glyphdiff/profile.hpp>

#include <Kokkos_Macros.hpp>

#include <cstdint>

namespace glyphdiff::kernels {

enum class Transpose { no, yes };

/// C (m,n) = A (m,k) * B (k,n).
struct MatmulShape {
  int m, n, k;
};

/// A square convolution over (N,H,W,C) with padding kernel / 2; h and w are the input's.
struct ConvShape {
  int n, h, w;
  int in, out;
  int kernel = 3, stride = 1;

  constexpr int padding() const { return kernel / 2; }
  constexpr int out_h() const { return (h + 2 * padding() - kernel) / stride + 1; }
  constexpr int out_w() const { return (w + 2 * padding() - kernel) / stride + 1; }
  constexpr std::int64_t weights() const { return std::int64_t(in) * out * kernel * kernel; }
};

/// How a backend reads weights: as they are, or those of a convolution as its forward pass or its data
/// gradient does.
enum class WeightOrder { plain, forward, backward };

struct WeightPacking {
  WeightOrder order;
  int out, in, kernel = 1;

  KOKKOS_FUNCTION std::int64_t count() const { return std::int64_t(out) * in * kernel * kernel; }
};

/// Self-attention over the `pixels` positions of each image.
struct AttentionShape {
  int n, pixels, heads, head_channels;
  QkvOrder order = QkvOrder::legacy;

  /// First channel of q (part 0), k (1) or v (2) of a head in a row of qkv.
  KOKKOS_FUNCTION constexpr int offset(int head, int part) const {
    return order == QkvOrder::legacy ? (3 * head + part) * head_channels
                                     : (part * heads + head) * head_channels;
  }
};

inline Work conv2d_work(ConvShape s, int value) {
  double const outputs = double(s.n) * s.out_h() * s.out_w();
  return {value * (double(s.n) * s.h * s.w * s.in + outputs * s.out + double(s.weights())),
          2 * outputs * s.weights()};
}

/// `tensors`: how often N x T x C values pass; `products`: matrix products of T x T x C.
inline Work attention_work(AttentionShape s, int value, int tensors, int products) {
  double const rows = double(s.n) * s.pixels, channels = double(s.heads) * s.head_channels;
  return {value * tensors * rows * channels, 2.0 * products * rows * s.pixels * channels};
}

}  // namespace glyphdiff::kernels
