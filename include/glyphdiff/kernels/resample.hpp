#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>

/// Changes of resolution without parameters, forward and backward, and the layouts that the stem reads.
namespace glyphdiff::kernels {

/// Nearest-neighbour upsampling by 2. x: (N,H,W,C) with extent e; y: (N,2H,2W,C).
template <class Backend, class T, class Exec>
void upsample_forward(Exec const& exec, Extent e, int channels, T const* x, T* y) {
  Grain const grain = Grain::of<Backend>(e.w, channels, 16);
  for_each(
      "glyphdiff::upsample::forward", exec, items(e.n * e.h, grain), KOKKOS_LAMBDA(std::int64_t item) {
        int const c_begin = int(item % grain.blocks) * grain.channels;
        int const c_end = c_begin + grain.channels < channels ? c_begin + grain.channels : channels;
        int const w_begin = int(item / grain.blocks % grain.tiles) * grain.pixels;
        int const w_end = w_begin + grain.pixels < e.w ? w_begin + grain.pixels : e.w;
        std::int64_t const row = item / grain.blocks / grain.tiles;  // n * H + h
        for (int w = w_begin; w < w_end; ++w) {
          T const* const in = x + (row * e.w + w) * channels;
          T* const top = y + (2 * row * 2 * e.w + 2 * w) * channels;
          T* const bottom = top + std::int64_t(2) * e.w * channels;
          for (int c = c_begin; c < c_end; ++c) {
            top[c] = in[c];
            bottom[c] = in[c];
          }
          for (int c = c_begin; c < c_end; ++c) {
            top[channels + c] = in[c];
            bottom[channels + c] = in[c];
          }
        }
      });
}

/// scale * (sum over each 2x2 block of x (N,H,W,C)) to y (N,H/2,W/2,C), assigned or added. With scale 1/4
/// this is average pooling; with scale 1 it is the backward pass of upsample_forward. e is the extent of y.
template <class Backend, class T, class Exec>
void sum_blocks(Exec const& exec, Extent e, int channels, float scale, T const* x, GradientSinkOf<T*> y) {
  Grain const grain = Grain::of<Backend>(e.w, channels, 16);
  T* const out_data = y.data;
  bool const accumulate = y.accumulate;
  for_each(
      "glyphdiff::sum_blocks", exec, items(e.n * e.h, grain), KOKKOS_LAMBDA(std::int64_t item) {
        int const c_begin = int(item % grain.blocks) * grain.channels;
        int const c_end = c_begin + grain.channels < channels ? c_begin + grain.channels : channels;
        int const w_begin = int(item / grain.blocks % grain.tiles) * grain.pixels;
        int const w_end = w_begin + grain.pixels < e.w ? w_begin + grain.pixels : e.w;
        std::int64_t const row = item / grain.blocks / grain.tiles;
        for (int w = w_begin; w < w_end; ++w) {
          T const* const top = x + (2 * row * 2 * e.w + 2 * w) * channels;
          T const* const bottom = top + std::int64_t(2) * e.w * channels;
          T* const out = out_data + (row * e.w + w) * channels;
          for (int c = c_begin; c < c_end; ++c) {
            float const sum = scale * ((to_float(top[c]) + to_float(top[channels + c])) +
                                       (to_float(bottom[c]) + to_float(bottom[channels + c])));
            put(accumulate ? to_float(out[c]) + sum : sum, out + c);
          }
        }
      });
}

/// y (N,2H,2W,C) = scale * the value of its 2x2 block in x (N,H,W,C), assigned or added; e is the extent of
/// x. The backward pass of average pooling with scale 1/4.
template <class Backend, class T, class Exec>
void spread_blocks(Exec const& exec, Extent e, int channels, float scale, T const* x, GradientSinkOf<T*> y) {
  Grain const grain = Grain::of<Backend>(2 * e.w, channels, 16);
  T* const out_data = y.data;
  bool const accumulate = y.accumulate;
  for_each(
      "glyphdiff::spread_blocks", exec, items(e.n * 2 * e.h, grain), KOKKOS_LAMBDA(std::int64_t item) {
        int const c_begin = int(item % grain.blocks) * grain.channels;
        int const c_end = c_begin + grain.channels < channels ? c_begin + grain.channels : channels;
        int const w_begin = int(item / grain.blocks % grain.tiles) * grain.pixels;
        int const w_end = w_begin + grain.pixels < 2 * e.w ? w_begin + grain.pixels : 2 * e.w;
        std::int64_t const row = item / grain.blocks / grain.tiles;  // n * 2H + h
        for (int w = w_begin; w < w_end; ++w) {
          T const* const in = x + (row / 2 * e.w + w / 2) * channels;
          T* const out = out_data + (row * 2 * e.w + w) * channels;
          for (int c = c_begin; c < c_end; ++c) {
            float const value = scale * to_float(in[c]);
            put(accumulate ? to_float(out[c]) + value : value, out + c);
          }
        }
      });
}

/// y (pixels, first_channels + second_channels) = first and second side by side.
template <class Exec>
void concatenate_channels(Exec const& exec, std::int64_t pixels, int first_channels, float const* first,
                          int second_channels, float const* second, float* y) {
  for_each(
      "glyphdiff::concatenate_channels", exec, pixels, KOKKOS_LAMBDA(std::int64_t pixel) {
        float* const out = y + pixel * (first_channels + second_channels);
        for (int c = 0; c < first_channels; ++c) out[c] = first[pixel * first_channels + c];
        for (int c = 0; c < second_channels; ++c)
          out[first_channels + c] = second[pixel * second_channels + c];
      });
}

/// What the stem's convolution reads: each factor x factor block of the image x (N, factor*H, factor*W, C)
/// folded into the channels of y (N,H,W,C*factor^2 [+ 2]), the order being channel, then row, then column in
/// the block, and, if asked, the coordinates y and x of the pixel's centre in [-1, 1]. e is the extent of y.
template <class Exec, class T>
void space_to_depth(Exec const& exec, Extent e, int channels, int factor, bool coordinates, float const* x,
                    T* y) {
  int const folded = channels * factor * factor, stride = folded + (coordinates ? 2 : 0);
  for_each(
      "glyphdiff::space_to_depth", exec, e.pixels(), KOKKOS_LAMBDA(std::int64_t pixel) {
        int const w = int(pixel % e.w), h = int(pixel / e.w % e.h);
        std::int64_t const n = pixel / e.w / e.h;
        T* const out = y + pixel * stride;
        for (int k = 0; k < folded; ++k) {
          int const column = k % factor, row = k / factor % factor, c = k / (factor * factor);
          put(x[((n * e.h + h) * factor + row) * e.w * factor * channels +
                (std::int64_t(w) * factor + column) * channels + c],
              out + k);
        }
        if (coordinates) {
          put((2 * h + 1) / float(e.h) - 1, out + folded);
          put((2 * w + 1) / float(e.w) - 1, out + folded + 1);
        }
      });
}

/// The inverse of space_to_depth: y (N,H,W,C*factor^2 [+ skipped]) to x (N, factor*H, factor*W, C). Also its
/// backward pass for the gradient of the image, when `skipped` trailing channels (the coordinates) are left
/// out.
template <class Exec, class T>
void depth_to_space(Exec const& exec, Extent e, int channels, int factor, int skipped, T const* y, float* x) {
  int const folded = channels * factor * factor, stride = folded + skipped;
  for_each(
      "glyphdiff::depth_to_space", exec, e.pixels(), KOKKOS_LAMBDA(std::int64_t pixel) {
        int const w = int(pixel % e.w), h = int(pixel / e.w % e.h);
        std::int64_t const n = pixel / e.w / e.h;
        for (int k = 0; k < folded; ++k) {
          int const column = k % factor, row = k / factor % factor, c = k / (factor * factor);
          x[((n * e.h + h) * factor + row) * e.w * factor * channels +
            (std::int64_t(w) * factor + column) * channels + c] = to_float(y[pixel * stride + k]);
        }
      });
}

struct Upsample {
  static constexpr char const* name = "upsample";
  Extent extent;
  int channels;

  Work work(int value) const { return {5.0 * value * extent.pixels() * channels, 0}; }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, T const* x, T* y) const {
    upsample_forward<Backend, T>(exec, extent, channels, x, y);
  }
};

struct SumBlocks {
  static constexpr char const* name = "sum_blocks";
  Extent extent;
  int channels;
  float scale;

  Work work(int value) const {
    return {5.0 * value * extent.pixels() * channels, 4.0 * extent.pixels() * channels};
  }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, T const* x, GradientSinkOf<T*> y) const {
    sum_blocks<Backend, T>(exec, extent, channels, scale, x, y);
  }
};

struct SpreadBlocks {
  static constexpr char const* name = "spread_blocks";
  Extent extent;
  int channels;
  float scale;

  Work work(int value) const {
    return {5.0 * value * extent.pixels() * channels, 4.0 * extent.pixels() * channels};
  }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, T const* x, GradientSinkOf<T*> y) const {
    spread_blocks<Backend, T>(exec, extent, channels, scale, x, y);
  }
};

struct SpaceToDepth {
  static constexpr char const* name = "space_to_depth";
  Extent extent;
  int channels, factor;
  bool coordinates;

  Work work(int value) const { return {(4.0 + value) * extent.pixels() * channels * factor * factor, 0}; }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, float const* x, T* y) const {
    space_to_depth(exec, extent, channels, factor, coordinates, x, y);
  }
};

struct DepthToSpace {
  static constexpr char const* name = "depth_to_space";
  Extent extent;
  int channels, factor, skipped;

  Work work(int value) const { return {(4.0 + value) * extent.pixels() * channels * factor * factor, 0}; }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, T const* y, float* x) const {
    depth_to_space(exec, extent, channels, factor, skipped, y, x);
  }
};

struct ConcatenateChannels {
  static constexpr char const* name = "concatenate_channels";
  std::int64_t pixels;
  int first_channels, second_channels;

  Work work(int) const { return {8.0 * pixels * (first_channels + second_channels), 0}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* first, float const* second, float* y) const {
    concatenate_channels(exec, pixels, first_channels, first, second_channels, second, y);
  }
};

#define GLYPHDIFF_RESAMPLE_KERNELS(MAKE, Exec)    \
  MAKE(upsample_forward<Portable, float, Exec>)   \
  MAKE(upsample_forward<Vectorised, float, Exec>) \
  MAKE(sum_blocks<Portable, float, Exec>)         \
  MAKE(sum_blocks<Vectorised, float, Exec>)       \
  MAKE(spread_blocks<Portable, float, Exec>)      \
  MAKE(spread_blocks<Vectorised, float, Exec>)    \
  MAKE(concatenate_channels<Exec>)                \
  MAKE(space_to_depth<Exec, float>)               \
  MAKE(depth_to_space<Exec, float>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_RESAMPLE_KERNELS)

}  // namespace glyphdiff::kernels
