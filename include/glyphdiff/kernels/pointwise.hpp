#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>
#include <glyphdiff/random.hpp>

/// Elementwise passes that no other kernel could fold in.
namespace glyphdiff::kernels {

/// y = 0.
template <class Exec>
void fill_zero(Exec const& exec, float* y, std::int64_t count) {
  for_each(
      "glyphdiff::fill_zero", exec, count, KOKKOS_LAMBDA(std::int64_t i) { y[i] = 0; });
}

/// y = x.
template <class Exec>
void copy(Exec const& exec, float const* x, float* y, std::int64_t count) {
  for_each(
      "glyphdiff::copy", exec, count, KOKKOS_LAMBDA(std::int64_t i) { y[i] = x[i]; });
}

/// y = a + share (b - a).
template <class Exec>
void interpolate(Exec const& exec, float const* a, float const* b, float share, float* y,
                 std::int64_t count) {
  for_each(
      "glyphdiff::interpolate", exec, count,
      KOKKOS_LAMBDA(std::int64_t i) { y[i] = a[i] + share * (b[i] - a[i]); });
}

/// y += x.
template <class Exec, class T>
void add(Exec const& exec, T const* x, T* y, std::int64_t count) {
  for_each(
      "glyphdiff::add", exec, count,
      KOKKOS_LAMBDA(std::int64_t i) { put(to_float(y[i]) + to_float(x[i]), y + i); });
}

/// y = silu(x).
template <class Exec>
void silu_forward(Exec const& exec, float const* x, float* y, std::int64_t count) {
  for_each(
      "glyphdiff::silu::forward", exec, count,
      KOKKOS_LAMBDA(std::int64_t i) { silu(Pack<1>::load(x + i)).store(y + i); });
}

/// dx = dy * silu'(x); dx may be dy.
template <class Exec>
void silu_backward(Exec const& exec, float const* x, float const* dy, float* dx, std::int64_t count) {
  for_each(
      "glyphdiff::silu::backward", exec, count,
      KOKKOS_LAMBDA(std::int64_t i) { dx[i] = dy[i] * silu_derivative(Pack<1>::load(x + i)).v; });
}

/// y = max(x, 0); y may be x.
template <class Exec>
void relu_forward(Exec const& exec, float const* x, float* y, std::int64_t count) {
  for_each(
      "glyphdiff::relu::forward", exec, count,
      KOKKOS_LAMBDA(std::int64_t i) { y[i] = x[i] < 0 ? 0.0f : x[i]; });  // NaN stays NaN
}

/// dx = dy where y = relu(x) is positive, else 0; dx may be dy.
template <class Exec>
void relu_backward(Exec const& exec, float const* y, float const* dy, float* dx, std::int64_t count) {
  for_each(
      "glyphdiff::relu::backward", exec, count,
      KOKKOS_LAMBDA(std::int64_t i) { dx[i] = y[i] > 0 ? dy[i] : 0.0f; });
}

/// x (N,H,W,C) = [accumulate: x +] scale * values, one row of C for each image, `stride` floats apart.
template <class Backend, class T, class Exec>
void spread_per_image(Exec const& exec, Extent e, int channels, float const* values, int stride, float scale,
                      GradientSinkOf<T*> x) {
  int const pixels = e.h * e.w;
  Grain const grain = Grain::of<Backend>(pixels, channels, 64);
  T* const out_data = x.data;
  bool const accumulate = x.accumulate;
  for_each(
      "glyphdiff::spread_per_image", exec, items(e.n, grain), KOKKOS_LAMBDA(std::int64_t item) {
        int const c_begin = int(item % grain.blocks) * grain.channels;
        int const c_end = c_begin + grain.channels < channels ? c_begin + grain.channels : channels;
        int const p_begin = int(item / grain.blocks % grain.tiles) * grain.pixels;
        std::int64_t const n = item / grain.blocks / grain.tiles;
        int const p_end = p_begin + grain.pixels < pixels ? p_begin + grain.pixels : pixels;
        float const* const row = values + n * stride;
        for (int p = p_begin; p < p_end; ++p) {
          T* const out = out_data + (n * pixels + p) * channels;
          for (int c = c_begin; c < c_end; ++c)
            put((accumulate ? to_float(out[c]) : 0.0f) + scale * row[c], out + c);
        }
      });
}

/// x (N,H,W,C) += bias (N,C).
template <class Backend, class T, class Exec>
void add_per_image(Exec const& exec, Extent e, int channels, float const* bias, T* x) {
  spread_per_image<Backend, T>(exec, e, channels, bias, channels, 1.0f, {x, true});
}

/// scale * the sum of x (N,H,W,C) over the pixels of each image, in double, to rows of C, `stride` floats
/// apart.
template <class Backend, class T, class Exec>
void sum_per_image(Exec const& exec, Extent e, int channels, T const* x, float* sums, int stride,
                   double scale = 1) {
  constexpr int span = Backend::one_element_per_item ? 1 : 32;  // channels per item
  int const pixels = e.h * e.w, spans = (channels + span - 1) / span;
  for_each(
      "glyphdiff::sum_per_image", exec, std::int64_t(e.n) * spans, KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const n = item / spans;
        int const begin = int(item % spans) * span, count = begin + span < channels ? span : channels - begin;
        T const* const in = x + n * pixels * channels + begin;
        double totals[span] = {};
        for (int p = 0; p < pixels; ++p)
          for (int c = 0; c < count; ++c) totals[c] += to_float(in[std::int64_t(p) * channels + c]);
        for (int c = 0; c < count; ++c) sums[n * stride + begin + c] = float(scale * totals[c]);
      });
}

/// The mean of x (N,H,W,C) over the pixels of each image to rows of C, `stride` floats apart.
template <class Backend, class T, class Exec>
void mean_per_image(Exec const& exec, Extent e, int channels, T const* x, float* means, int stride) {
  sum_per_image<Backend, T>(exec, e, channels, x, means, stride, 1.0 / (e.h * e.w));
}

/// The backward pass of mean_per_image: dx, assigned or added, from rows of C, `stride` floats apart.
template <class Backend, class T, class Exec>
void mean_per_image_backward(Exec const& exec, Extent e, int channels, float const* d_means, int stride,
                             GradientSinkOf<T*> dx) {
  spread_per_image<Backend, T>(exec, e, channels, d_means, stride, 1.0f / float(e.h * e.w), dx);
}

/// Inverted dropout in place (Srivastava et al. 2014): x is zeroed with probability p, else divided by 1 - p.
/// The mask is a function of the key, with `part` for its own, the global number of the sample and the
/// element, so the backward pass applies the same call to the gradient, and recomputation replays it. `from`
/// is read in the space's memory.
template <class Exec, class T>
void dropout(Exec const& exec, T* x, int n, std::int64_t elements_per_image, float p, std::uint32_t part,
             RandomBatch const* from) {
  std::int64_t const quads = (elements_per_image + 3) / 4;
  float const keep_scale = 1.0f / (1.0f - p);
  for_each(
      "glyphdiff::dropout", exec, n * quads, KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const sample = item / quads, quad = item % quads;
        RandomBatch batch = *from;
        batch.key.part = part;
        auto const u = uniform4(batch.key, random_index(batch.first_sample + sample, quad));
        for (int k = 0; k < 4; ++k) {
          std::int64_t const i = 4 * quad + k;
          if (i < elements_per_image) {
            T* const value = x + sample * elements_per_image + i;
            put(u[k] < p ? 0.0f : to_float(*value) * keep_scale, value);
          }
        }
      });
}

inline constexpr int column_sum_rows = 256;  ///< rows per partial sum

/// Floats of scratch for add_column_sums.
inline std::int64_t column_sums_workspace(std::int64_t rows, int columns) {
  return (rows + column_sum_rows - 1) / column_sum_rows * columns;
}

/// y (columns) += the column sums of x (rows, columns): the gradient of a bias. Fixed runs of rows are summed
/// in float and the runs in double, in index order.
template <class Backend, class T, class Exec>
void add_column_sums(Exec const& exec, std::int64_t rows, int columns, T const* x, float* y,
                     float* workspace) {
  std::int64_t const runs = (rows + column_sum_rows - 1) / column_sum_rows;
  int const span = Backend::one_element_per_item ? 1 : columns, spans = columns / span;
  for_each(
      "glyphdiff::column_sums::runs", exec, runs * spans, KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const run = item / spans, begin = run * column_sum_rows;
        std::int64_t const end = begin + column_sum_rows < rows ? begin + column_sum_rows : rows;
        int const c_begin = int(item % spans) * span;
        float* const sums = workspace + run * columns;
        for (int c = c_begin; c < c_begin + span; ++c) sums[c] = 0;
        for (std::int64_t row = begin; row < end; ++row)
          for (int c = c_begin; c < c_begin + span; ++c) sums[c] += to_float(x[row * columns + c]);
      });
  for_each(
      "glyphdiff::column_sums::add", exec, columns, KOKKOS_LAMBDA(std::int64_t c) {
        double sum = 0;
        for (std::int64_t run = 0; run < runs; ++run) sum += workspace[run * columns + c];
        y[c] += float(sum);
      });
}

struct FillZero {
  static constexpr char const* name = "fill_zero";
  std::int64_t count;

  Work work(int) const { return {4.0 * count, 0}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float* y) const {
    fill_zero(exec, y, count);
  }
};

struct Copy {
  static constexpr char const* name = "copy";
  std::int64_t count;

  Work work(int) const { return {8.0 * count, 0}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* x, float* y) const {
    copy(exec, x, y, count);
  }
};

struct Add {
  static constexpr char const* name = "add";
  std::int64_t count;

  Work work(int value) const { return {3.0 * value * count, 1.0 * count}; }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, T const* x, T* y) const {
    add(exec, x, y, count);
  }
};

struct SiluForward {
  static constexpr char const* name = "silu::forward";
  std::int64_t count;

  Work work(int) const { return {8.0 * count, 2.0 * count}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* x, float* y) const {
    silu_forward(exec, x, y, count);
  }
};

struct SiluBackward {
  static constexpr char const* name = "silu::backward";
  std::int64_t count;

  Work work(int) const { return {12.0 * count, 4.0 * count}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* x, float const* dy, float* dx) const {
    silu_backward(exec, x, dy, dx, count);
  }
};

struct ReluForward {
  static constexpr char const* name = "relu::forward";
  std::int64_t count;

  Work work(int) const { return {8.0 * count, 0}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* x, float* y) const {
    relu_forward(exec, x, y, count);
  }
};

struct ReluBackward {
  static constexpr char const* name = "relu::backward";
  std::int64_t count;

  Work work(int) const { return {12.0 * count, 0}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* y, float const* dy, float* dx) const {
    relu_backward(exec, y, dy, dx, count);
  }
};

struct AddPerImage {
  static constexpr char const* name = "add_per_image";
  Extent extent;
  int channels;

  Work work(int value) const {
    return {2.0 * value * extent.pixels() * channels, 1.0 * extent.pixels() * channels};
  }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, float const* bias, T* x) const {
    add_per_image<Backend, T>(exec, extent, channels, bias, x);
  }
};

struct SumPerImage {
  static constexpr char const* name = "sum_per_image";
  Extent extent;
  int channels;

  Work work(int value) const {
    return {1.0 * value * extent.pixels() * channels, 1.0 * extent.pixels() * channels};
  }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, T const* x, float* sums) const {
    sum_per_image<Backend, T>(exec, extent, channels, x, sums, channels);
  }
};

struct MeanPerImage {
  static constexpr char const* name = "mean_per_image";
  Extent extent;
  int channels, stride;

  Work work(int value) const {
    return {1.0 * value * extent.pixels() * channels, 1.0 * extent.pixels() * channels};
  }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, T const* x, float* means) const {
    mean_per_image<Backend, T>(exec, extent, channels, x, means, stride);
  }
};

struct MeanPerImageBackward {
  static constexpr char const* name = "mean_per_image::backward";
  Extent extent;
  int channels, stride;

  Work work(int value) const {
    return {1.0 * value * extent.pixels() * channels, 1.0 * extent.pixels() * channels};
  }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, float const* d_means, GradientSinkOf<T*> dx) const {
    mean_per_image_backward<Backend, T>(exec, extent, channels, d_means, stride, dx);
  }
};

struct Dropout {
  static constexpr char const* name = "dropout";
  int n;
  std::int64_t elements_per_image;
  float p;
  std::uint32_t part;

  Work work(int value) const { return {2.0 * value * n * elements_per_image, 1.0 * n * elements_per_image}; }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, T* x, RandomBatch const* from) const {
    dropout(exec, x, n, elements_per_image, p, part, from);
  }
};

struct AddColumnSums {
  static constexpr char const* name = "add_column_sums";
  std::int64_t rows;
  int columns;

  Work work(int value) const { return {1.0 * value * rows * columns, 1.0 * rows * columns}; }
  template <class Backend, class Exec>
  std::int64_t scratch(Backend, Exec const&) const {
    return column_sums_workspace(rows, columns);
  }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, float* scratch, T const* x, float* y) const {
    add_column_sums<Backend, T>(exec, rows, columns, x, y, scratch);
  }
};

struct Interpolate {
  static constexpr char const* name = "interpolate";
  float share;
  std::int64_t count;

  Work work(int) const { return {12.0 * count, 3.0 * count}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* a, float const* b, float* y) const {
    interpolate(exec, a, b, share, y, count);
  }
};

#define GLYPHDIFF_POINTWISE_KERNELS(MAKE, Exec)          \
  MAKE(fill_zero<Exec>)                                  \
  MAKE(copy<Exec>)                                       \
  MAKE(interpolate<Exec>)                                \
  MAKE(add<Exec, float>)                                 \
  MAKE(silu_forward<Exec>)                               \
  MAKE(silu_backward<Exec>)                              \
  MAKE(relu_forward<Exec>)                               \
  MAKE(relu_backward<Exec>)                              \
  MAKE(dropout<Exec, float>)                             \
  MAKE(spread_per_image<Portable, float, Exec>)          \
  MAKE(spread_per_image<Vectorised, float, Exec>)        \
  MAKE(add_per_image<Portable, float, Exec>)             \
  MAKE(add_per_image<Vectorised, float, Exec>)           \
  MAKE(sum_per_image<Portable, float, Exec>)             \
  MAKE(sum_per_image<Vectorised, float, Exec>)           \
  MAKE(mean_per_image<Portable, float, Exec>)            \
  MAKE(mean_per_image<Vectorised, float, Exec>)          \
  MAKE(mean_per_image_backward<Portable, float, Exec>)   \
  MAKE(mean_per_image_backward<Vectorised, float, Exec>) \
  MAKE(add_column_sums<Portable, float, Exec>)           \
  MAKE(add_column_sums<Vectorised, float, Exec>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_POINTWISE_KERNELS)

}  // namespace glyphdiff::kernels
