#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/pack.hpp>
#include <glyphdiff/kernels/shapes.hpp>

#include <cmath>

/// Attention for execution spaces without a kernel of their own. Rows of the score matrix are worked on
/// `rows` at a time, for all images and heads at once, so that no T x T matrix is ever stored.
namespace glyphdiff::kernels::portable {

inline constexpr int attention_rows = 64;

inline std::int64_t attention_workspace(AttentionShape s) {
  std::int64_t const rows = attention_rows < s.pixels ? attention_rows : s.pixels;
  return 2 * std::int64_t(s.n) * s.heads * rows * s.pixels;
}

namespace detail {

/// probabilities[nh][row][u] = softmax over u of scale * q(begin + row) . k(u).
template <class Exec>
void attention_probabilities(Exec const& exec, AttentionShape s, float const* qkv, int begin, int rows,
                             float* probabilities) {
  std::int64_t const work = std::int64_t(s.n) * s.heads * rows;
  int const T = s.pixels, width = s.head_channels, stride = 3 * s.heads * s.head_channels;
  float const scale = 1.0f / sqrtf(float(width));
  for_each(
      "glyphdiff::attention::scores", exec, work * T, KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const u = item % T, row = item / T % rows, head = item / T / rows % s.heads;
        std::int64_t const n = item / T / rows / s.heads;
        float const* const q = qkv + (n * T + begin + row) * stride + s.offset(int(head), 0);
        float const* const k = qkv + (n * T + u) * stride + s.offset(int(head), 1);
        float sum = 0;
        for (int c = 0; c < width; ++c) sum = fused(q[c], k[c], sum);
        probabilities[item] = scale * sum;
      });
  for_each(
      "glyphdiff::attention::softmax", exec, work, KOKKOS_LAMBDA(std::int64_t item) {
        float* const row = probabilities + item * T;
        float largest = row[0];
        for (int u = 1; u < T; ++u) largest = row[u] > largest ? row[u] : largest;
        float sum = 0;
        for (int u = 0; u < T; ++u) sum += row[u] = expf(row[u] - largest);
        float const inverse = 1.0f / sum;
        for (int u = 0; u < T; ++u) row[u] *= inverse;
      });
}

}  // namespace detail

/// y (N,T,heads*ch) from qkv (N,T,3*heads*ch).
template <class Exec>
void attention_forward(Exec const& exec, AttentionShape s, float const* qkv, float* y, float* workspace) {
  int const T = s.pixels, width = s.head_channels, stride = 3 * s.heads * width;
  for (int begin = 0; begin < T; begin += attention_rows) {
    int const rows = T - begin < attention_rows ? T - begin : attention_rows;
    detail::attention_probabilities(exec, s, qkv, begin, rows, workspace);
    for_each(
        "glyphdiff::attention::values", exec, std::int64_t(s.n) * s.heads * rows * width,
        KOKKOS_LAMBDA(std::int64_t item) {
          std::int64_t const c = item % width, row = item / width % rows,
                             head = item / width / rows % s.heads;
          std::int64_t const n = item / width / rows / s.heads;
          float const* const p = workspace + item / width * T;
          float const* const v = qkv + n * T * stride + s.offset(int(head), 2) + c;
          float sum = 0;
          for (int u = 0; u < T; ++u) sum = fused(p[u], v[std::int64_t(u) * stride], sum);
          y[(n * T + begin + row) * s.heads * width + head * width + c] = sum;
        });
  }
}

/// dqkv (assigned) from dy, recomputing the probabilities.
template <class Exec>
void attention_backward(Exec const& exec, AttentionShape s, float const* qkv, float const* dy, float* dqkv,
                        float* workspace) {
  int const T = s.pixels, width = s.head_channels, stride = 3 * s.heads * width;
  float const scale = 1.0f / sqrtf(float(width));
  for (int begin = 0; begin < T; begin += attention_rows) {
    int const rows = T - begin < attention_rows ? T - begin : attention_rows;
    std::int64_t const work = std::int64_t(s.n) * s.heads * rows;
    float* const probabilities = workspace;
    float* const dscores = workspace + work * T;
    detail::attention_probabilities(exec, s, qkv, begin, rows, probabilities);
    for_each(
        "glyphdiff::attention::dprobabilities", exec, work * T, KOKKOS_LAMBDA(std::int64_t item) {
          std::int64_t const u = item % T, row = item / T % rows, head = item / T / rows % s.heads;
          std::int64_t const n = item / T / rows / s.heads;
          float const* const v = qkv + (n * T + u) * stride + s.offset(int(head), 2);
          float const* const d = dy + (n * T + begin + row) * s.heads * width + head * width;
          float sum = 0;
          for (int c = 0; c < width; ++c) sum = fused(d[c], v[c], sum);
          dscores[item] = sum;
        });
    for_each(
        "glyphdiff::attention::dsoftmax", exec, work, KOKKOS_LAMBDA(std::int64_t item) {
          float const* const p = probabilities + item * T;
          float* const d = dscores + item * T;
          float mean = 0;
          for (int u = 0; u < T; ++u) mean = fused(p[u], d[u], mean);
          for (int u = 0; u < T; ++u) d[u] = scale * p[u] * (d[u] - mean);
        });
    for_each(
        "glyphdiff::attention::dq", exec, work * width, KOKKOS_LAMBDA(std::int64_t item) {
          std::int64_t const c = item % width, row = item / width % rows,
                             head = item / width / rows % s.heads;
          std::int64_t const n = item / width / rows / s.heads;
          float const* const d = dscores + item / width * T;
          float const* const k = qkv + n * T * stride + s.offset(int(head), 1) + c;
          float sum = 0;
          for (int u = 0; u < T; ++u) sum = fused(d[u], k[std::int64_t(u) * stride], sum);
          dqkv[(n * T + begin + row) * stride + s.offset(int(head), 0) + c] = sum;
        });
    for_each(
        "glyphdiff::attention::dk_dv", exec, std::int64_t(s.n) * s.heads * T * width,
        KOKKOS_LAMBDA(std::int64_t item) {
          std::int64_t const c = item % width, u = item / width % T, head = item / width / T % s.heads;
          std::int64_t const n = item / width / T / s.heads;
          std::int64_t const first_row = (n * s.heads + head) * rows;
          float dk = 0, dv = 0;
          for (int row = 0; row < rows; ++row) {
            std::int64_t const at = (first_row + row) * T + u, pixel = n * T + begin + row;
            dk = fused(dscores[at], qkv[pixel * stride + s.offset(int(head), 0) + c], dk);
            dv = fused(probabilities[at], dy[pixel * s.heads * width + head * width + c], dv);
          }
          float* const out = dqkv + (n * T + u) * stride + c;
          float& k_gradient = out[s.offset(int(head), 1)];
          float& v_gradient = out[s.offset(int(head), 2)];
          k_gradient = begin == 0 ? dk : k_gradient + dk;
          v_gradient = begin == 0 ? dv : v_gradient + dv;
        });
  }
}

}  // namespace glyphdiff::kernels::portable
