#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>

/// Pixels as tokens of attention, led by one more that stands for all of them.
namespace glyphdiff::kernels {

/// y (N,T,C) = [first (N,C), then the T - 1 pixels of x (N,H,W,C)] + positions (C,T).
template <class Exec, class T>
void tokens_forward(Exec const& exec, int n, int tokens, int channels, float const* first, T const* x,
                    float const* positions, float* y) {
  for_each(
      "glyphdiff::tokens::forward", exec, std::int64_t(n) * tokens * channels,
      KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const c = item % channels, token = item / channels % tokens,
                           image = item / channels / tokens;
        float const value = token == 0 ? first[image * channels + c]
                                       : to_float(x[(image * (tokens - 1) + token - 1) * channels + c]);
        y[item] = value + positions[c * tokens + token];
      });
}

/// dx (N,H,W,C) from dy (N,T,C), where the first token is the mean of the others.
template <class Exec, class T>
void tokens_backward(Exec const& exec, int n, int tokens, int channels, float const* dy, T* dx) {
  float const share = 1.0f / float(tokens - 1);
  for_each(
      "glyphdiff::tokens::backward", exec, std::int64_t(n) * (tokens - 1) * channels,
      KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const c = item % channels, pixel = item / channels % (tokens - 1),
                           image = item / channels / (tokens - 1);
        float const* const in = dy + image * tokens * channels + c;
        put(in[(pixel + 1) * channels] + share * in[0], dx + item);
      });
}

/// Adds to the gradient of positions (C,T) from dy (N,T,C), image by image.
template <class Exec>
void positions_backward(Exec const& exec, int n, int tokens, int channels, float const* dy,
                        float* d_positions) {
  std::int64_t const size = std::int64_t(tokens) * channels;
  for_each(
      "glyphdiff::tokens::positions", exec, size, KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const c = item % channels, token = item / channels;
        float sum = 0;
        for (int image = 0; image < n; ++image) sum += dy[image * size + item];
        d_positions[c * tokens + token] += sum;
      });
}

/// y = x for `rows` rows of `columns` floats, which lie so many floats apart in x and y.
template <class Exec>
void copy_rows(Exec const& exec, int rows, int columns, float const* x, int x_stride, float* y,
               int y_stride) {
  for_each(
      "glyphdiff::copy_rows", exec, std::int64_t(rows) * columns, KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const row = item / columns, c = item % columns;
        y[row * y_stride + c] = x[row * x_stride + c];
      });
}

struct TokensForward {
  static constexpr char const* name = "tokens::forward";
  int n, tokens, channels;

  Work work(int) const { return {8.0 * n * tokens * channels, 1.0 * n * tokens * channels}; }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, float const* first, T const* x, float const* positions,
           float* y) const {
    tokens_forward(exec, n, tokens, channels, first, x, positions, y);
  }
};

struct TokensBackward {
  static constexpr char const* name = "tokens::backward";
  int n, tokens, channels;

  Work work(int) const { return {8.0 * n * tokens * channels, 2.0 * n * tokens * channels}; }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, float const* dy, T* dx) const {
    tokens_backward(exec, n, tokens, channels, dy, dx);
  }
};

struct PositionsBackward {
  static constexpr char const* name = "tokens::positions";
  int n, tokens, channels;

  Work work(int) const { return {4.0 * n * tokens * channels, 1.0 * n * tokens * channels}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* dy, float* d_positions) const {
    positions_backward(exec, n, tokens, channels, dy, d_positions);
  }
};

struct CopyRows {
  static constexpr char const* name = "copy_rows";
  int rows, columns, x_stride, y_stride;

  Work work(int) const { return {8.0 * rows * columns, 0}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* x, float* y) const {
    copy_rows(exec, rows, columns, x, x_stride, y, y_stride);
  }
};

#define GLYPHDIFF_TOKENS_KERNELS(MAKE, Exec) \
  MAKE(tokens_forward<Exec, float>)          \
  MAKE(tokens_backward<Exec, float>)         \
  MAKE(positions_backward<Exec>)             \
  MAKE(copy_rows<Exec>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_TOKENS_KERNELS)

}  // namespace glyphdiff::kernels
