#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/pack.hpp>
#include <glyphdiff/kernels/shapes.hpp>

#include <cmath>
#include <type_traits>

/// Attention for execution spaces without a kernel of their own. Rows of the score matrix are worked on
/// `rows` at a time, for all images and heads at once, so that no T x T matrix is ever stored.
namespace glyphdiff::kernels::portable {

inline constexpr int attention_rows = 64;

/// Floats of scratch for either pass; `apart`: activations are no floats, so that sums over more than one
/// block of rows are kept apart.
inline std::int64_t attention_workspace(AttentionShape s, bool apart) {
  std::int64_t const rows = attention_rows < s.pixels ? attention_rows : s.pixels;
  std::int64_t const scores = 2 * std::int64_t(s.n) * s.heads * rows * s.pixels;
  bool const sums = apart && s.pixels > attention_rows;
  return scores + (sums ? 2 * std::int64_t(s.n) * s.pixels * s.heads * s.head_channels : 0);
}

namespace detail {

/// probabilities[nh][row][u] = softmax over u of scale * q(begin + row) . k(u).
template <class Exec, class Value>
void attention_probabilities(Exec const& exec, AttentionShape s, Value const* qkv, int begin, int rows,
                             float* probabilities) {
  std::int64_t const work = std::int64_t(s.n) * s.heads * rows;
  int const T = s.pixels, width = s.head_channels, stride = 3 * s.heads * s.head_channels;
  float const scale = 1.0f / sqrtf(float(width));
  for_each(
      "glyphdiff::attention::scores", exec, work * T, KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const u = item % T, row = item / T % rows, head = item / T / rows % s.heads;
        std::int64_t const n = item / T / rows / s.heads;
        Value const* const q = qkv + (n * T + begin + row) * stride + s.offset(int(head), 0);
        Value const* const k = qkv + (n * T + u) * stride + s.offset(int(head), 1);
        float sum = 0;
        for (int c = 0; c < width; ++c) sum = fused(to_float(q[c]), to_float(k[c]), sum);
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
template <class Exec, class Value>
void attention_forward(Exec const& exec, AttentionShape s, Value const* qkv, Value* y, float* workspace) {
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
          Value const* const v = qkv + n * T * stride + s.offset(int(head), 2) + c;
          float sum = 0;
          for (int u = 0; u < T; ++u) sum = fused(p[u], to_float(v[std::int64_t(u) * stride]), sum);
          put(sum, y + (n * T + begin + row) * s.heads * width + head * width + c);
        });
  }
}

/// dqkv (assigned) from dy, recomputing the probabilities.
template <class Exec, class Value>
void attention_backward(Exec const& exec, AttentionShape s, Value const* qkv, Value const* dy, Value* dqkv,
                        float* workspace) {
  // Where the outputs hold less than a float does, sums over blocks of rows are kept apart.
  bool const apart = !std::is_same_v<Value, float> && s.pixels > attention_rows;
  float* const sums =
      apart ? workspace + 2 * std::int64_t(s.n) * s.heads * attention_rows * s.pixels : nullptr;
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
          Value const* const v = qkv + (n * T + u) * stride + s.offset(int(head), 2);
          Value const* const d = dy + (n * T + begin + row) * s.heads * width + head * width;
          float sum = 0;
          for (int c = 0; c < width; ++c) sum = fused(to_float(d[c]), to_float(v[c]), sum);
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
          Value const* const k = qkv + n * T * stride + s.offset(int(head), 1) + c;
          float sum = 0;
          for (int u = 0; u < T; ++u) sum = fused(d[u], to_float(k[std::int64_t(u) * stride]), sum);
          put(sum, dqkv + (n * T + begin + row) * stride + s.offset(int(head), 0) + c);
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
            dk = fused(dscores[at], to_float(qkv[pixel * stride + s.offset(int(head), 0) + c]), dk);
            dv = fused(probabilities[at], to_float(dy[pixel * s.heads * width + head * width + c]), dv);
          }
          Value* const out = dqkv + (n * T + u) * stride + c;
          Value* const k_gradient = out + s.offset(int(head), 1);
          Value* const v_gradient = out + s.offset(int(head), 2);
          if (begin > 0) {
            dk += sums == nullptr ? to_float(*k_gradient) : sums[2 * item];
            dv += sums == nullptr ? to_float(*v_gradient) : sums[2 * item + 1];
          }
          if (sums != nullptr) {
            sums[2 * item] = dk;
            sums[2 * item + 1] = dv;
          }
          if (sums == nullptr || begin + rows == T) {
            put(dk, k_gradient);
            put(dv, v_gradient);
          }
        });
  }
}

}  // namespace glyphdiff::kernels::portable
