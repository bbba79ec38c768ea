#pragma once

#include <glyphdiff/kernels/host/matmul.hpp>
#include <glyphdiff/kernels/shapes.hpp>

#include <cmath>

/// Attention on the host's cores: a worker takes the rows of one head of one image a block at a time, so that
/// the T x T scores are never stored.
namespace glyphdiff::kernels::host {

inline constexpr int attention_rows = 64;

namespace detail {

/// Where the pieces of a worker's scratch lie.
template <int W>
struct AttentionScratch {
  int T, width, rows;
  std::int64_t product;  // of the largest matmul_serial

  explicit AttentionScratch(AttentionShape s)
      : T(s.pixels), width(s.head_channels), rows(s.pixels < attention_rows ? s.pixels : attention_rows) {
    product = 0;
    for (MatmulShape const& m :
         {MatmulShape{rows, T, width}, MatmulShape{rows, width, T}, MatmulShape{T, width, rows}}) {
      std::int64_t const needed = matmul_serial_scratch<W>(m);
      if (needed > product) product = needed;
    }
  }
  std::int64_t scores() const { return round_up(std::int64_t(rows) * T, W); }
  std::int64_t floats() const { return round_up(2 * scores() + product, W); }
};

template <int W>
inline float row_maximum(int T, float const* row) {
  float largest = row[0];
  int u = 0;
  if (T >= W) {
    auto v = Pack<W>::load(row).v;
    for (u = W; u + W <= T; u += W) {
      auto const next = Pack<W>::load(row + u).v;
      v = next > v ? next : v;
    }
    for (int i = 0; i < W; ++i) largest = v[i] > largest ? v[i] : largest;
  }
  for (; u < T; ++u) largest = row[u] > largest ? row[u] : largest;
  return largest;
}

/// Each row of `scores` (rows, T) becomes softmax(scale * row).
template <int W>
inline void softmax_rows(int rows, int T, float scale, float* scores) {
  for (int r = 0; r < rows; ++r, scores += T) {
    float const largest = row_maximum<W>(T, scores);
    auto const shift = Pack<W>::broadcast(largest * scale), factor = Pack<W>::broadcast(scale);
    auto sum = Pack<W>::broadcast(0);
    int u = 0;
    for (; u + W <= T; u += W) {
      auto const e = exp(Pack<W>::load(scores + u) * factor - shift);
      e.store(scores + u);
      sum += e;
    }
    float total = 0;
    for (int i = 0; i < W; ++i) total += sum.v[i];
    for (; u < T; ++u) total += scores[u] = std::exp(scores[u] * scale - largest * scale);
    float const inverse = 1.0f / total;
    for (int i = 0; i < T; ++i) scores[i] *= inverse;
  }
}

}  // namespace detail

/// Floats of workspace for either pass.
template <class Exec, int W = native_width>
std::int64_t attention_workspace(Exec const& exec, AttentionShape s) {
  return worker_count(exec) * detail::AttentionScratch<W>(s).floats();
}

/// y (N,T,heads*ch) from qkv (N,T,3*heads*ch).
template <class Exec, int W = native_width>
void attention_forward(Exec const& exec, AttentionShape s, float const* qkv, float* y, float* workspace) {
  detail::AttentionScratch<W> const cut(s);
  int const blocks = int(divide_up(s.pixels, cut.rows)), stride = 3 * s.heads * s.head_channels;
  for_items(exec, "glyphdiff::attention::forward", std::ptrdiff_t(s.n) * s.heads * blocks,
            [=](int worker, std::ptrdiff_t item) {
              int const begin = int(item % blocks) * cut.rows, head = int(item / blocks % s.heads);
              std::ptrdiff_t const n = item / blocks / s.heads;
              int const rows = cut.T - begin < cut.rows ? cut.T - begin : cut.rows;
              float const* const image = qkv + n * cut.T * stride;
              float const *q = image + s.offset(head, 0), *k = image + s.offset(head, 1),
                          *v = image + s.offset(head, 2);
              float* const scores = workspace + worker * cut.floats();
              float* const scratch = scores + 2 * cut.scores();
              matmul_serial<W>({rows, cut.T, cut.width}, q + std::ptrdiff_t(begin) * stride, stride,
                               Transpose::no, k, stride, Transpose::yes, scores, cut.T, false, scratch);
              detail::softmax_rows<W>(rows, cut.T, 1.0f / std::sqrt(float(cut.width)), scores);
              int const out_stride = s.heads * cut.width;
              matmul_serial<W>({rows, cut.width, cut.T}, scores, cut.T, Transpose::no, v, stride,
                               Transpose::no, y + (n * cut.T + begin) * out_stride + head * cut.width,
                               out_stride, false, scratch);
            });
}

/// dqkv (assigned) from dy and the forward pass's y, recomputing the probabilities (the identity sum_u p dp =
/// dy . y is that of FlashAttention, Dao et al. 2022).
template <class Exec, int W = native_width>
void attention_backward(Exec const& exec, AttentionShape s, float const* qkv, float const* y, float const* dy,
                        float* dqkv, float* workspace) {
  detail::AttentionScratch<W> const cut(s);
  int const stride = 3 * s.heads * s.head_channels, out_stride = s.heads * s.head_channels;
  for_items(exec, "glyphdiff::attention::backward", std::ptrdiff_t(s.n) * s.heads,
            [=](int worker, std::ptrdiff_t item) {
              int const head = int(item % s.heads), T = cut.T, width = cut.width;
              std::ptrdiff_t const n = item / s.heads, first = n * T * stride;
              float const* const q = qkv + first + s.offset(head, 0);
              float const* const k = qkv + first + s.offset(head, 1);
              float const* const v = qkv + first + s.offset(head, 2);
              float* const dq = dqkv + first + s.offset(head, 0);
              float* const dk = dqkv + first + s.offset(head, 1);
              float* const dv = dqkv + first + s.offset(head, 2);
              float* const p = workspace + worker * cut.floats();
              float* const ds = p + cut.scores();
              float* const scratch = ds + cut.scores();
              float const scale = 1.0f / std::sqrt(float(width));
              for (int begin = 0; begin < T; begin += cut.rows) {
                int const rows = T - begin < cut.rows ? T - begin : cut.rows;
                float const* const q_rows = q + std::ptrdiff_t(begin) * stride;
                std::ptrdiff_t const out = (n * T + begin) * out_stride + head * width;
                matmul_serial<W>({rows, T, width}, q_rows, stride, Transpose::no, k, stride, Transpose::yes,
                                 p, T, false, scratch);
                detail::softmax_rows<W>(rows, T, scale, p);
                matmul_serial<W>({T, width, rows}, p, T, Transpose::yes, dy + out, out_stride, Transpose::no,
                                 dv, stride, begin > 0, scratch);
                matmul_serial<W>({rows, T, width}, dy + out, out_stride, Transpose::no, v, stride,
                                 Transpose::yes, ds, T, false, scratch);
                for (int r = 0; r < rows; ++r) {
                  float const* const dy_row = dy + out + std::ptrdiff_t(r) * out_stride;
                  float const* const y_row = y + out + std::ptrdiff_t(r) * out_stride;
                  float mean = 0;
                  for (int c = 0; c < width; ++c) mean += dy_row[c] * y_row[c];
                  float* const ds_row = ds + std::ptrdiff_t(r) * T;
                  float const* const p_row = p + std::ptrdiff_t(r) * T;
                  for (int u = 0; u < T; ++u) ds_row[u] = scale * p_row[u] * (ds_row[u] - mean);
                }
                matmul_serial<W>({rows, width, T}, ds, T, Transpose::no, k, stride, Transpose::no,
                                 dq + std::ptrdiff_t(begin) * stride, stride, false, scratch);
                matmul_serial<W>({T, width, rows}, ds, T, Transpose::yes, q_rows, stride, Transpose::no, dk,
                                 stride, begin > 0, scratch);
              }
            });
}

}  // namespace glyphdiff::kernels::host
