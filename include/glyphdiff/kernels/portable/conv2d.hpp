#pragma once

#include <glyphdiff/kernels/portable/matmul.hpp>

/// Convolutions for execution spaces without a kernel of their own: a thread owns a tile of `tile` pixels by
/// `tile` channels and walks the taps; weights are packed (kernels/packed_weights.hpp) so that neighbouring
/// threads read neighbouring values.
namespace glyphdiff::kernels::portable {

/// Floats of scratch for the weights' gradients.
inline std::int64_t conv2d_weight_workspace(ConvShape s) {
  std::int64_t const cuts = slices(std::int64_t(s.n) * s.out_h() * s.out_w());
  return cuts * (s.weights() + s.out);
}

/// y (N,Ho,Wo,K) = x (N,H,W,C) convolved with packed weights [+ bias (K)] [+ residual, of y's shape].
template <class Exec, class T>
void conv2d_forward(Exec const& exec, ConvShape s, T const* x, T const* packed, float const* bias,
                    T const* residual, T* y) {
  int const out_h = s.out_h(), out_w = s.out_w(), padding = s.padding(), column_tiles = tiles(s.out);
  std::int64_t const pixels = std::int64_t(s.n) * out_h * out_w;
  for_each(
      "glyphdiff::conv2d::forward", exec, tiles(pixels) * std::int64_t(column_tiles),
      KOKKOS_LAMBDA(std::int64_t item) {
        int const k_begin = int(item % column_tiles) * tile;
        std::int64_t const first = item / column_tiles * tile;
        int const rows = pixels - first < tile ? int(pixels - first) : tile;
        int const columns = s.out - k_begin < tile ? s.out - k_begin : tile;
        float sum[tile][tile] = {};
        for (int tap = 0; tap < s.kernel * s.kernel; ++tap) {
          T const* source[tile];
          for (int i = 0; i < tile; ++i) {
            std::int64_t const pixel = first + (i < rows ? i : rows - 1);
            int const h = int(pixel / out_w % out_h) * s.stride + tap / s.kernel - padding;
            int const w = int(pixel % out_w) * s.stride + tap % s.kernel - padding;
            bool const inside = h >= 0 && h < s.h && w >= 0 && w < s.w;
            source[i] = inside ? x + ((pixel / out_w / out_h * s.h + h) * s.w + w) * s.in : nullptr;
          }
          T const* const taps = packed + std::int64_t(tap) * s.in * s.out + k_begin;
          for (int c = 0; c < s.in; ++c) {
            float right[tile];
            for (int j = 0; j < tile; ++j)
              right[j] = to_float(taps[std::int64_t(c) * s.out + (j < columns ? j : columns - 1)]);
            for (int i = 0; i < tile; ++i) {
              float const left = source[i] == nullptr ? 0.0f : to_float(source[i][c]);
              for (int j = 0; j < tile; ++j) sum[i][j] = fused(left, right[j], sum[i][j]);
            }
          }
        }
        for (int i = 0; i < tile; ++i)
          for (int j = 0; j < tile; ++j) {
            if (i >= rows || j >= columns) continue;  // loops of constant length keep the sums in registers
            std::int64_t const at = (first + i) * s.out + k_begin + j;
            float value = sum[i][j];
            if (bias != nullptr) value += bias[k_begin + j];
            if (residual != nullptr) value += to_float(residual[at]);
            put(value, y + at);
          }
      });
}

/// dx (N,H,W,C) = [accumulate: dx +] the data gradient of dy (N,Ho,Wo,K), with weights that are packed for
/// it.
template <class Exec, class T>
void conv2d_backward_data(Exec const& exec, ConvShape s, T const* dy, T const* packed, T* dx,
                          bool accumulate) {
  int const out_h = s.out_h(), out_w = s.out_w(), padding = s.padding(), column_tiles = tiles(s.in);
  std::int64_t const pixels = std::int64_t(s.n) * s.h * s.w;
  for_each(
      "glyphdiff::conv2d::backward_data", exec, tiles(pixels) * std::int64_t(column_tiles),
      KOKKOS_LAMBDA(std::int64_t item) {
        int const c_begin = int(item % column_tiles) * tile;
        std::int64_t const first = item / column_tiles * tile;
        int const rows = pixels - first < tile ? int(pixels - first) : tile;
        int const columns = s.in - c_begin < tile ? s.in - c_begin : tile;
        float sum[tile][tile] = {};
        for (int tap = 0; tap < s.kernel * s.kernel; ++tap) {
          T const* source[tile];
          for (int i = 0; i < tile; ++i) {
            std::int64_t const pixel = first + (i < rows ? i : rows - 1);
            int const h = int(pixel / s.w % s.h) + padding - tap / s.kernel;
            int const w = int(pixel % s.w) + padding - tap % s.kernel;
            bool const inside = h >= 0 && w >= 0 && h % s.stride == 0 && w % s.stride == 0 &&
                                h / s.stride < out_h && w / s.stride < out_w;
            source[i] = inside
                            ? dy + ((pixel / s.w / s.h * out_h + h / s.stride) * out_w + w / s.stride) * s.out
                            : nullptr;
          }
          T const* const taps = packed + std::int64_t(tap) * s.in * s.out + c_begin;
          for (int k = 0; k < s.out; ++k) {
            float right[tile];
            for (int j = 0; j < tile; ++j)
              right[j] = to_float(taps[std::int64_t(k) * s.in + (j < columns ? j : columns - 1)]);
            for (int i = 0; i < tile; ++i) {
              float const left = source[i] == nullptr ? 0.0f : to_float(source[i][k]);
              for (int j = 0; j < tile; ++j) sum[i][j] = fused(left, right[j], sum[i][j]);
            }
          }
        }
        for (int i = 0; i < tile; ++i)
          for (int j = 0; j < tile; ++j) {
            if (i >= rows || j >= columns) continue;  // loops of constant length keep the sums in registers
            std::int64_t const at = (first + i) * s.in + c_begin + j;
            put(accumulate ? to_float(dx[at]) + sum[i][j] : sum[i][j], dx + at);
          }
      });
}

/// dweight (K,C,k,k) += and dbias (K) += (null: none) from x (N,H,W,C) and dy (N,Ho,Wo,K). Pixels are cut
/// into fixed slices whose partial sums are added in index order.
template <class Exec, class T>
void conv2d_backward_weight(Exec const& exec, ConvShape s, T const* x, T const* dy, float* dweight,
                            float* dbias, float* workspace) {
  int const out_h = s.out_h(), out_w = s.out_w(), padding = s.padding(), taps = s.kernel * s.kernel;
  int const k_tiles = tiles(s.out), c_tiles = tiles(s.in);
  std::int64_t const pixels = std::int64_t(s.n) * out_h * out_w;
  int const cuts = slices(pixels);
  std::int64_t const weights = s.weights();
  for_each(
      "glyphdiff::conv2d::backward_weight", exec, std::int64_t(cuts) * taps * k_tiles * c_tiles,
      KOKKOS_LAMBDA(std::int64_t item) {
        int const c_begin = int(item % c_tiles) * tile, k_begin = int(item / c_tiles % k_tiles) * tile;
        int const tap = int(item / c_tiles / k_tiles % taps);
        std::int64_t const cut = item / c_tiles / k_tiles / taps;
        std::int64_t const begin = cut * slice, end = begin + slice < pixels ? begin + slice : pixels;
        int const rows = s.out - k_begin < tile ? s.out - k_begin : tile;
        int const columns = s.in - c_begin < tile ? s.in - c_begin : tile;
        float sum[tile][tile] = {};
        for (std::int64_t pixel = begin; pixel < end; ++pixel) {
          int const h = int(pixel / out_w % out_h) * s.stride + tap / s.kernel - padding;
          int const w = int(pixel % out_w) * s.stride + tap % s.kernel - padding;
          if (h < 0 || h >= s.h || w < 0 || w >= s.w) continue;
          T const* const left = dy + pixel * s.out + k_begin;
          T const* const right = x + ((pixel / out_w / out_h * s.h + h) * s.w + w) * s.in + c_begin;
          for (int i = 0; i < tile; ++i)
            for (int j = 0; j < tile; ++j)
              sum[i][j] = fused(to_float(left[i < rows ? i : rows - 1]),
                                to_float(right[j < columns ? j : columns - 1]), sum[i][j]);
        }
        for (int i = 0; i < tile; ++i)
          for (int j = 0; j < tile; ++j) {
            if (i >= rows || j >= columns) continue;
            workspace[cut * weights + (std::int64_t(k_begin + i) * s.in + c_begin + j) * taps + tap] =
                sum[i][j];
          }
      });
  for_each(
      "glyphdiff::conv2d::add_slices", exec, weights, KOKKOS_LAMBDA(std::int64_t i) {
        double sum = 0;
        for (int cut = 0; cut < cuts; ++cut) sum += workspace[cut * weights + i];
        dweight[i] += float(sum);
      });
  if (dbias == nullptr) return;
  float* const partial = workspace + cuts * weights;
  int const out = s.out;
  for_each(
      "glyphdiff::conv2d::bias_slices", exec, std::int64_t(cuts) * out, KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const cut = item / out, begin = cut * slice,
                           end = begin + slice < pixels ? begin + slice : pixels;
        double sum = 0;
        for (std::int64_t pixel = begin; pixel < end; ++pixel) sum += to_float(dy[pixel * out + item % out]);
        partial[item] = float(sum);
      });
  for_each(
      "glyphdiff::conv2d::add_bias_slices", exec, out, KOKKOS_LAMBDA(std::int64_t k) {
        double sum = 0;
        for (int cut = 0; cut < cuts; ++cut) sum += partial[std::int64_t(cut) * out + k];
        dbias[k] += float(sum);
      });
}

}  // namespace glyphdiff::kernels::portable
