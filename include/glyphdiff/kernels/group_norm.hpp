#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>

/// Group normalisation (Wu & He 2018) with the embedding's scale and shift (ADM's "adaptive group
/// normalisation") and SiLU fused into the pass that writes the result:
///
///     y = silu(xhat * gamma * (1 + scale) + beta * (1 + scale) + shift),   xhat = (x - mean) * rstd
///
/// Everything per channel is folded into affine coefficients first, so that the passes over pixels are one
/// multiply-add each. Sums over pixels are taken in float over fixed tiles of `norm_tile` pixels and then in
/// double in index order: the result does not depend on the number of threads. A tile's sums are of what its
/// values differ by from its first one, so that the variance keeps its digits however far the mean lies from
/// 0.
namespace glyphdiff::kernels {

inline constexpr int norm_tile = 64;  ///< pixels per partial sum

/// The optional embedding of a norm: `values` is (N, 2C): scale, then shift. Null: none.
struct ScaleShift {
  float const* values = nullptr;
  float* gradient = nullptr;  ///< (N, 2C), assigned by the backward pass
};

inline int norm_tiles(Extent e) { return (e.h * e.w + norm_tile - 1) / norm_tile; }

/// Floats of scratch for the forward (and backward) pass.
inline std::int64_t group_norm_workspace(Extent e, int channels) {
  return std::int64_t(e.n) * channels * (2 * norm_tiles(e) + 6);
}

namespace detail {

/// Items of the partial sums: a tile of pixels, and all channels on the host or one on a device.
template <class Backend>
Grain norm_sum_grain(Extent e, int channels) {
  Grain grain = Grain::of<Backend>(e.h * e.w, channels, norm_tile);
  grain.pixels = norm_tile;
  grain.tiles = norm_tiles(e);
  return grain;
}

/// What both sums of a pass are taken of: d and d^2 forward, d = x - the first x of the tile and channel; dz
/// and dz * xhat backward.
template <int W, bool Silu, class Exec, class T>
void norm_partial_sums(char const* label, Exec const& exec, Extent e, Grain grain, ChannelsOf<T const*> x,
                       T const* dy, float const* coefficients, float* partial) {
  int const channels = x.count(), pixels = e.h * e.w, tiles = grain.tiles;
  std::int64_t const plane = std::int64_t(e.n) * channels;
  for_each(
      label, exec, items(e.n, grain), KOKKOS_LAMBDA(std::int64_t item) {
        int const c_begin = int(item % grain.blocks) * grain.channels;
        int const c_end = c_begin + grain.channels < channels ? c_begin + grain.channels : channels;
        int const tile = int(item / grain.blocks % tiles);
        std::int64_t const n = item / grain.blocks / tiles;
        int const p_begin = tile * norm_tile;
        int const p_end = p_begin + norm_tile < pixels ? p_begin + norm_tile : pixels;
        for (int c = c_begin; c < c_end; c += W) {
          auto first = Pack<W>::broadcast(0), second = first;
          std::int64_t const row = n * channels + c;
          if (dy == nullptr) {
            auto const origin = Pack<W>::load(x.at(n * pixels + p_begin, c));
            for (int p = p_begin; p < p_end; ++p) {
              auto const value = Pack<W>::load(x.at(n * pixels + p, c)) - origin;
              first += value;
              second += value * value;
            }
          } else {
            auto const a = Pack<W>::load(coefficients + row), b = Pack<W>::load(coefficients + plane + row);
            auto const mean = Pack<W>::load(coefficients + 2 * plane + row);
            auto const rstd = Pack<W>::load(coefficients + 3 * plane + row);
            for (int p = p_begin; p < p_end; ++p) {
              auto const value = Pack<W>::load(x.at(n * pixels + p, c));
              auto dz = Pack<W>::load(dy + (n * pixels + p) * channels + c);
              if (Silu) dz = dz * silu_derivative(value * a + b);
              first += dz;
              second += dz * (value - mean);
            }
            second = second * rstd;
          }
          float* const out = partial + (n * tiles + tile) * 2 * channels + c;
          first.store(out);
          second.store(out + channels);
        }
      });
}

/// mean and rstd of every (image, group) from the partial sums. In double all are moved to one origin, the
/// first value of the group.
template <class Exec, class T>
void norm_statistics(Exec const& exec, Extent e, ChannelsOf<T const*> x, int groups, float epsilon,
                     float const* partial, float* statistics) {
  int const channels = x.count(), pixels = e.h * e.w, tiles = norm_tiles(e), width = channels / groups;
  for_each(
      "glyphdiff::group_norm::statistics", exec, std::int64_t(e.n) * groups,
      KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const n = item / groups;
        int const g = int(item % groups);
        double const origin = to_float(*x.at(n * pixels, g * width));
        double sum = 0, squares = 0;
        for (int tile = 0; tile < tiles; ++tile) {
          int const p = tile * norm_tile, in_tile = pixels - p < norm_tile ? pixels - p : norm_tile;
          float const* const row = partial + (n * tiles + tile) * 2 * channels + g * width;
          for (int c = 0; c < width; ++c) {
            double const shift = to_float(*x.at(n * pixels + p, g * width + c)) - origin, d = row[c];
            sum += d + in_tile * shift;
            squares += row[channels + c] + shift * (2 * d + in_tile * shift);
          }
        }
        double const count = double(pixels) * width, mean = sum / count;
        double const variance = squares / count - mean * mean;
        statistics[2 * item] = float(origin + mean);
        statistics[2 * item + 1] = float(1.0 / ::sqrt((variance > 0 ? variance : 0) + epsilon));
      });
}

/// Per (image, channel): the affine map a, b of the normalised and modulated value, and mean, rstd.
template <class Exec>
void norm_coefficients(Exec const& exec, int n_images, int channels, int groups, float const* statistics,
                       float const* gamma, float const* beta, ScaleShift embedding, float* coefficients) {
  std::int64_t const plane = std::int64_t(n_images) * channels;
  float const* const scale_shift = embedding.values;
  for_each(
      "glyphdiff::group_norm::coefficients", exec, plane, KOKKOS_LAMBDA(std::int64_t i) {
        std::int64_t const n = i / channels;
        int const c = int(i % channels);
        float const* const moments = statistics + 2 * (n * groups + c / (channels / groups));
        float const mean = moments[0], rstd = moments[1];
        float scale = 1.0f, shift = 0.0f;
        if (scale_shift != nullptr) {
          scale += scale_shift[n * 2 * channels + c];
          shift = scale_shift[n * 2 * channels + channels + c];
        }
        coefficients[i] = rstd * gamma[c] * scale;
        coefficients[plane + i] = (beta[c] - mean * rstd * gamma[c]) * scale + shift;
        coefficients[2 * plane + i] = mean;
        coefficients[3 * plane + i] = rstd;
      });
}

template <int W, bool Silu, class Exec, class T>
void norm_apply(Exec const& exec, Extent e, Grain grain, ChannelsOf<T const*> x, float const* coefficients,
                T* y) {
  int const channels = x.count(), pixels = e.h * e.w;
  std::int64_t const plane = std::int64_t(e.n) * channels;
  for_each(
      "glyphdiff::group_norm::apply", exec, items(e.n, grain), KOKKOS_LAMBDA(std::int64_t item) {
        int const c_begin = int(item % grain.blocks) * grain.channels;
        int const c_end = c_begin + grain.channels < channels ? c_begin + grain.channels : channels;
        int const p_begin = int(item / grain.blocks % grain.tiles) * grain.pixels;
        std::int64_t const n = item / grain.blocks / grain.tiles;
        int const p_end = p_begin + grain.pixels < pixels ? p_begin + grain.pixels : pixels;
        float const* const row = coefficients + n * channels;
        for (int p = p_begin; p < p_end; ++p) {
          std::int64_t const pixel = n * pixels + p;
          for (int c = c_begin; c < c_end; c += W) {
            auto z = Pack<W>::load(x.at(pixel, c)) * Pack<W>::load(row + c) + Pack<W>::load(row + plane + c);
            if (Silu) z = silu(z);
            z.store(y + pixel * channels + c);
          }
        }
      });
}

/// Per (image, channel) sums of dz and dz * xhat, and the embedding's gradient.
template <class Exec>
void norm_reduce_tiles(Exec const& exec, Extent e, int channels, float const* partial, float const* gamma,
                       float const* beta, ScaleShift embedding, float* sums) {
  int const tiles = norm_tiles(e);
  std::int64_t const plane = std::int64_t(e.n) * channels;
  float* const gradient = embedding.gradient;
  for_each(
      "glyphdiff::group_norm::reduce_tiles", exec, plane, KOKKOS_LAMBDA(std::int64_t i) {
        std::int64_t const n = i / channels;
        int const c = int(i % channels);
        double dz = 0, dz_xhat = 0;
        for (int tile = 0; tile < tiles; ++tile) {
          float const* const row = partial + (n * tiles + tile) * 2 * channels + c;
          dz += row[0];
          dz_xhat += row[channels];
        }
        sums[i] = float(dz);
        sums[plane + i] = float(dz_xhat);
        if (gradient != nullptr) {
          gradient[n * 2 * channels + c] = float(gamma[c] * dz_xhat + beta[c] * dz);
          gradient[n * 2 * channels + channels + c] = float(dz);
        }
      });
}

template <class Exec>
void norm_parameter_gradients(Exec const& exec, int n_images, int channels, float const* sums,
                              ScaleShift embedding, float* dgamma, float* dbeta) {
  std::int64_t const plane = std::int64_t(n_images) * channels;
  float const* const scale_shift = embedding.values;
  for_each(
      "glyphdiff::group_norm::parameter_gradients", exec, channels, KOKKOS_LAMBDA(std::int64_t c) {
        double gamma_sum = 0, beta_sum = 0;
        for (int n = 0; n < n_images; ++n) {
          double const scale =
              scale_shift == nullptr ? 1.0 : 1.0 + scale_shift[std::int64_t(n) * 2 * channels + c];
          beta_sum += scale * sums[std::int64_t(n) * channels + c];
          gamma_sum += scale * sums[plane + std::int64_t(n) * channels + c];
        }
        if (dgamma != nullptr) dgamma[c] += float(gamma_sum);
        if (dbeta != nullptr) dbeta[c] += float(beta_sum);
      });
}

/// Turns mean and rstd in `coefficients` into the affine part of dx = a dz + c1 x + c0.
template <class Exec>
void norm_input_coefficients(Exec const& exec, Extent e, int channels, int groups, float const* sums,
                             float* coefficients) {
  int const width = channels / groups;
  std::int64_t const plane = std::int64_t(e.n) * channels;
  double const count = double(e.h) * e.w * width;
  for_each(
      "glyphdiff::group_norm::input_coefficients", exec, std::int64_t(e.n) * groups,
      KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const begin = item / groups * channels + item % groups * width;
        double const mean = coefficients[2 * plane + begin], rstd = coefficients[3 * plane + begin];
        double dz = 0, dz_xhat = 0;  // of the unscaled norm: a = rstd * gamma', so a / rstd = gamma'
        for (std::int64_t i = begin; i < begin + width; ++i) {
          dz += double(coefficients[i]) * sums[i];
          dz_xhat += double(coefficients[i]) * sums[plane + i];
        }
        dz /= count;
        dz_xhat /= count;
        for (std::int64_t i = begin; i < begin + width; ++i) {
          coefficients[2 * plane + i] = float(mean * rstd * dz_xhat - dz);
          coefficients[3 * plane + i] = float(-rstd * dz_xhat);
        }
      });
}

template <int W, bool Silu, class Exec, class T>
void norm_input_gradient(Exec const& exec, Extent e, Grain grain, ChannelsOf<T const*> x, T const* dy,
                         float const* coefficients, ChannelsGradientOf<T*> dx) {
  int const channels = x.count(), pixels = e.h * e.w;
  std::int64_t const plane = std::int64_t(e.n) * channels;
  for_each(
      "glyphdiff::group_norm::input_gradient", exec, items(e.n, grain), KOKKOS_LAMBDA(std::int64_t item) {
        int const c_begin = int(item % grain.blocks) * grain.channels;
        int const c_end = c_begin + grain.channels < channels ? c_begin + grain.channels : channels;
        int const p_begin = int(item / grain.blocks % grain.tiles) * grain.pixels;
        std::int64_t const n = item / grain.blocks / grain.tiles;
        int const p_end = p_begin + grain.pixels < pixels ? p_begin + grain.pixels : pixels;
        float const* const row = coefficients + n * channels;
        for (int p = p_begin; p < p_end; ++p) {
          std::int64_t const pixel = n * pixels + p;
          for (int c = c_begin; c < c_end; c += W) {
            auto const value = Pack<W>::load(x.at(pixel, c)), a = Pack<W>::load(row + c);
            auto dz = Pack<W>::load(dy + pixel * channels + c);
            if (Silu) dz = dz * silu_derivative(value * a + Pack<W>::load(row + plane + c));
            auto gradient =
                a * dz + Pack<W>::load(row + 3 * plane + c) * value + Pack<W>::load(row + 2 * plane + c);
            T* const out = dx.at(pixel, c);
            if (dx.accumulates(c)) gradient += Pack<W>::load(out);
            gradient.store(out);
          }
        }
      });
}

template <int W, bool Silu, class Backend, class Exec, class T>
void norm_backward_passes(Exec const& exec, Extent e, int groups, ChannelsOf<T const*> x, T const* dy,
                          float const* gamma, float const* beta, ScaleShift embedding,
                          ChannelsGradientOf<T*> dx, float* dgamma, float* dbeta, float* coefficients,
                          float* partial) {
  int const channels = x.count();
  norm_partial_sums<W, Silu>("glyphdiff::group_norm::backward_sums", exec, e,
                             norm_sum_grain<Backend>(e, channels), x, dy, coefficients, partial);
  float* const sums = partial + std::int64_t(e.n) * norm_tiles(e) * 2 * channels;
  norm_reduce_tiles(exec, e, channels, partial, gamma, beta, embedding, sums);
  norm_parameter_gradients(exec, e.n, channels, sums, embedding, dgamma, dbeta);
  norm_input_coefficients(exec, e, channels, groups, sums, coefficients);
  norm_input_gradient<W, Silu>(exec, e, Grain::of<Backend>(e.h * e.w, channels, 16), x, dy, coefficients, dx);
}

}  // namespace detail

/// Mean and rstd of each group of each image. x: (N,H,W,C); statistics: (N, groups, 2); workspace:
/// group_norm_workspace() floats.
template <class Backend, class T, class Exec>
void group_norm_statistics(Exec const& exec, Extent e, ChannelsOf<T const*> x, int groups, float epsilon,
                           float* statistics, float* workspace) {
  Grain const grain = detail::norm_sum_grain<Backend>(e, x.count());
  if (packs_fit<Backend>(x.first_channels, x.second_channels))
    detail::norm_partial_sums<Backend::width, false>("glyphdiff::group_norm::sums", exec, e, grain, x,
                                                     static_cast<T const*>(nullptr), nullptr, workspace);
  else
    detail::norm_partial_sums<1, false>("glyphdiff::group_norm::sums", exec, e, grain, x,
                                        static_cast<T const*>(nullptr), nullptr, workspace);
  detail::norm_statistics(exec, e, x, groups, epsilon, workspace, statistics);
}

/// y (N,H,W,C) = [silu] of the normalised, modulated x, with `statistics` from group_norm_statistics.
template <bool Silu, class Backend, class T, class Exec>
void group_norm_forward(Exec const& exec, Extent e, ChannelsOf<T const*> x, int groups,
                        float const* statistics, float const* gamma, float const* beta, ScaleShift embedding,
                        T* y, float* workspace) {
  detail::norm_coefficients(exec, e.n, x.count(), groups, statistics, gamma, beta, embedding, workspace);
  Grain const grain = Grain::of<Backend>(e.h * e.w, x.count(), 16);
  if (packs_fit<Backend>(x.first_channels, x.second_channels))
    detail::norm_apply<Backend::width, Silu>(exec, e, grain, x, workspace, y);
  else
    detail::norm_apply<1, Silu>(exec, e, grain, x, workspace, y);
}

/// From dy = dL/dy to dx (assigned or added, as its sinks say; may be dy itself), dgamma and dbeta (added;
/// null: not wanted), and the embedding's gradient (assigned). Recomputes what the forward pass folded, from
/// x and `statistics`.
template <bool Silu, class Backend, class T, class Exec>
void group_norm_backward(Exec const& exec, Extent e, ChannelsOf<T const*> x, int groups,
                         float const* statistics, float const* gamma, float const* beta, ScaleShift embedding,
                         T const* dy, ChannelsGradientOf<T*> dx, float* dgamma, float* dbeta,
                         float* workspace) {
  float* const coefficients = workspace;
  float* const partial = workspace + 4 * std::int64_t(e.n) * x.count();
  detail::norm_coefficients(exec, e.n, x.count(), groups, statistics, gamma, beta, embedding, coefficients);
  if (packs_fit<Backend>(x.first_channels, x.second_channels))
    detail::norm_backward_passes<Backend::width, Silu, Backend>(
        exec, e, groups, x, dy, gamma, beta, embedding, dx, dgamma, dbeta, coefficients, partial);
  else
    detail::norm_backward_passes<1, Silu, Backend>(exec, e, groups, x, dy, gamma, beta, embedding, dx, dgamma,
                                                   dbeta, coefficients, partial);
}

struct GroupNormStatistics {
  static constexpr char const* name = "group_norm::statistics";
  Extent extent;
  int channels, groups;
  float epsilon;

  Work work(int value) const {
    return {double(value) * extent.pixels() * channels, 3.0 * extent.pixels() * channels};
  }
  template <class Backend, class Exec>
  std::int64_t scratch(Backend, Exec const&) const {
    return group_norm_workspace(extent, channels);
  }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, float* scratch, ChannelsOf<T const*> x, float* statistics) const {
    group_norm_statistics<Backend, T>(exec, extent, x, groups, epsilon, statistics, scratch);
  }
};

/// scale_shift: (N, 2C), or null.
template <bool Silu>
struct GroupNormForward {
  static constexpr char const* name = "group_norm::forward";
  Extent extent;
  int channels, groups;

  Work work(int value) const {
    return {2.0 * value * extent.pixels() * channels, 2.0 * extent.pixels() * channels};
  }
  template <class Backend, class Exec>
  std::int64_t scratch(Backend, Exec const&) const {
    return group_norm_workspace(extent, channels);
  }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, float* scratch, ChannelsOf<T const*> x, float const* statistics,
           float const* gamma, float const* beta, float const* scale_shift, T* y) const {
    group_norm_forward<Silu, Backend, T>(exec, extent, x, groups, statistics, gamma, beta, {scale_shift}, y,
                                         scratch);
  }
};

template <bool Silu>
struct GroupNormBackward {
  static constexpr char const* name = "group_norm::backward";
  Extent extent;
  int channels, groups;

  Work work(int value) const {
    return {5.0 * value * extent.pixels() * channels, 9.0 * extent.pixels() * channels};
  }
  template <class Backend, class Exec>
  std::int64_t scratch(Backend, Exec const&) const {
    return group_norm_workspace(extent, channels);
  }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, float* scratch, ChannelsOf<T const*> x, float const* statistics,
           float const* gamma, float const* beta, float const* scale_shift, T const* dy,
           ChannelsGradientOf<T*> dx, float* dgamma, float* dbeta, float* d_scale_shift) const {
    group_norm_backward<Silu, Backend, T>(exec, extent, x, groups, statistics, gamma, beta,
                                          {scale_shift, d_scale_shift}, dy, dx, dgamma, dbeta, scratch);
  }
};

#define GLYPHDIFF_GROUP_NORM_KERNELS(MAKE, Exec)            \
  MAKE(group_norm_statistics<Portable, float, Exec>)        \
  MAKE(group_norm_statistics<Vectorised, float, Exec>)      \
  MAKE(group_norm_forward<false, Portable, float, Exec>)    \
  MAKE(group_norm_forward<false, Vectorised, float, Exec>)  \
  MAKE(group_norm_forward<true, Portable, float, Exec>)     \
  MAKE(group_norm_forward<true, Vectorised, float, Exec>)   \
  MAKE(group_norm_backward<false, Portable, float, Exec>)   \
  MAKE(group_norm_backward<false, Vectorised, float, Exec>) \
  MAKE(group_norm_backward<true, Portable, float, Exec>)    \
  MAKE(group_norm_backward<true, Vectorised, float, Exec>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_GROUP_NORM_KERNELS)

}  // namespace glyphdiff::kernels
