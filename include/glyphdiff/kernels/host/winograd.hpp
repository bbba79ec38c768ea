#pragma once

#include <glyphdiff/kernels/host/matmul.hpp>
#include <glyphdiff/kernels/host/tuning.hpp>
#include <glyphdiff/kernels/host/weights.hpp>

/// Winograd's minimal filtering F(4x4, 3x3) (Lavin & Gray 2016, arXiv:1509.09308) for 3x3 convolutions of
/// stride 1: an output tile of 4x4 pixels from 6x6 inputs with 36 multiplications per pair of channels in
/// place of 144. A block of tiles is transformed (V = B^T d B), multiplied by the transformed weights (U = G
/// g G^T) in 36 matrix products over the channels, and transformed back (y = A^T m A), all within a worker's
/// cache. The data gradient is the same operation with rotated, transposed weights; the weight gradient is
/// its exact adjoint.
namespace glyphdiff::kernels::host::winograd {

inline constexpr int points = 36;  ///< products per tile, named xi = 6 * row + column

/// The polynomials are interpolated at 0, +-p, +-q and infinity. These points, exact in binary and of product
/// near one, halve the rounding error of the usual 1 and 2: measured 1.5 times that of a direct convolution.
inline constexpr float p = 0.625f, q = 1.5f;
inline constexpr float pp = p * p, qq = q * q;

/// What the interpolation at 0, +-p and +-q divides by, left out of G: A^T takes it (or, in the weight
/// gradient, G^T).
inline constexpr float at_0 = float(1 / (double(pp) * qq));
inline constexpr float at_p = float(1 / (2 * double(pp) * (double(pp) - qq)));
inline constexpr float at_q = float(1 / (2 * double(qq) * (double(qq) - pp)));

/// Floats between two xi: padded to an odd number of cache lines, since 36 streams a power of two apart would
/// fight for the same lines of the cache.
constexpr std::ptrdiff_t xi_floats(std::ptrdiff_t floats) { return (divide_up(floats, 16) | 1) * 16; }

/// t = B^T d.
template <class V>
[[gnu::always_inline]] inline void transform_input(V const (&d)[6], V (&t)[6]) {
  V const even_p = d[4] - qq * d[2], odd_p = d[3] - qq * d[1];
  V const even_q = d[4] - pp * d[2], odd_q = d[3] - pp * d[1];
  t[0] = (pp * qq) * d[0] + (d[4] - (pp + qq) * d[2]);
  t[1] = even_p + p * odd_p;
  t[2] = even_p - p * odd_p;
  t[3] = even_q + q * odd_q;
  t[4] = even_q - q * odd_q;
  t[5] = (pp * qq) * d[1] + (d[5] - (pp + qq) * d[3]);
}

/// u = G g, without the divisors.
template <class V>
[[gnu::always_inline]] inline void transform_weight(V const (&g)[3], V (&u)[6]) {
  V const even_p = g[0] + pp * g[2], even_q = g[0] + qq * g[2];
  u[0] = g[0];
  u[1] = even_p + p * g[1];
  u[2] = even_p - p * g[1];
  u[3] = even_q + q * g[1];
  u[4] = even_q - q * g[1];
  u[5] = g[2];
}

/// y = A^T m, with the divisors.
template <class V>
[[gnu::always_inline]] inline void transform_output(V const (&m)[6], V (&y)[4]) {
  V const even_p = m[1] + m[2], odd_p = m[1] - m[2], even_q = m[3] + m[4], odd_q = m[3] - m[4];
  y[0] = at_0 * m[0] + (at_p * even_p + at_q * even_q);
  y[1] = (at_p * p) * odd_p + (at_q * q) * odd_q;
  y[2] = (at_p * pp) * even_p + (at_q * qq) * even_q;
  y[3] = (at_p * p * pp) * odd_p + ((at_q * q * qq) * odd_q + m[5]);
}

/// m = A y, without the divisors.
template <class V>
[[gnu::always_inline]] inline void transform_output_gradient(V const (&y)[4], V (&m)[6]) {
  V const even_p = y[0] + pp * y[2], odd_p = y[1] + pp * y[3];
  V const even_q = y[0] + qq * y[2], odd_q = y[1] + qq * y[3];
  m[0] = y[0];
  m[1] = even_p + p * odd_p;
  m[2] = even_p - p * odd_p;
  m[3] = even_q + q * odd_q;
  m[4] = even_q - q * odd_q;
  m[5] = y[3];
}

/// g = G^T u, with the divisors.
template <class V>
[[gnu::always_inline]] inline void transform_weight_gradient(V const (&u)[6], V (&g)[3]) {
  V const even_p = u[1] + u[2], odd_p = u[1] - u[2], even_q = u[3] + u[4], odd_q = u[3] - u[4];
  g[0] = at_0 * u[0] + (at_p * even_p + at_q * even_q);
  g[1] = (at_p * p) * odd_p + (at_q * q) * odd_q;
  g[2] = (at_p * pp) * even_p + ((at_q * qq) * even_q + u[5]);
}

/// Applies a one-dimensional transform to the columns and then to the rows of a square: From x From values,
/// given by get(row, column), become To x To, handed to put(row, column, value).
template <int W, int From, int To, class Transform, class Get, class Put>
[[gnu::always_inline]] inline void transform_both(Transform const& transform, Get const& get,
                                                  Put const& put) {
  Lanes<W> half[To * From];
#pragma GCC unroll 6
  for (int j = 0; j < From; ++j) {
    Lanes<W> in[From], out[To];
#pragma GCC unroll 6
    for (int i = 0; i < From; ++i) in[i] = get(i, j);
    transform(in, out);
#pragma GCC unroll 6
    for (int i = 0; i < To; ++i) half[i * From + j] = out[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < To; ++i) {
    Lanes<W> in[From], out[To];
#pragma GCC unroll 6
    for (int j = 0; j < From; ++j) in[j] = half[i * From + j];
    transform(in, out);
#pragma GCC unroll 6
    for (int j = 0; j < To; ++j) put(i, j, out[j]);
  }
}

// One tile and W channels. Not inlined: within a loop over the channels the compiler would keep the 36
// addresses on the stack, which costs a third of the speed.

/// 6x6 inputs, at[6 i + j] + offset, to to + (6 i + j) * xi_step.
template <int W>
[[gnu::noinline]] inline void input_tile(float const* const* at, std::ptrdiff_t offset, float* to,
                                         std::ptrdiff_t xi_step) {
  transform_both<W, 6, 6>([](auto const& d, auto& t) { transform_input(d, t); },
                          [=](int i, int j) { return load<W>(at[i * 6 + j] + offset); },
                          [=](int i, int j, Lanes<W> const& t) { store<W>(to + (i * 6 + j) * xi_step, t); });
}

/// 3x3 weights of W output channels (load_taps; rotated by half a turn if asked for), to to + (6 i + j) *
/// xi_step.
template <int W, bool rotated>
[[gnu::noinline]] inline void weight_tile(Weights const& weights, int in, int out, int outs, float* to,
                                          std::ptrdiff_t xi_step) {
  Lanes<W> taps[9];
  load_taps<W>(weights, in, out, outs, taps);
  transform_both<W, 3, 6>([](auto const& g, auto& u) { transform_weight(g, u); },
                          [&](int i, int j) { return taps[rotated ? 8 - i * 3 - j : i * 3 + j]; },
                          [=](int i, int j, Lanes<W> const& u) { store<W>(to + (i * 6 + j) * xi_step, u); });
}

/// Products from + (6 i + j) * xi_step, plus `bias`, to 4x4 outputs at to + i * row_step + j * column_step.
template <int W>
[[gnu::noinline]] inline void output_tile(float const* from, std::ptrdiff_t xi_step, Lanes<W> const& bias,
                                          float* to, std::ptrdiff_t row_step, std::ptrdiff_t column_step) {
  transform_both<W, 6, 4>([](auto const& m, auto& y) { transform_output(m, y); },
                          [=](int i, int j) { return load<W>(from + (i * 6 + j) * xi_step); },
                          [=, &bias](int i, int j, Lanes<W> const& y) {
                            store<W>(to + i * row_step + j * column_step, y + bias);
                          });
}

/// 4x4 output gradients, at[4 i + j] + offset, to to + (6 i + j) * xi_step.
template <int W>
[[gnu::noinline]] inline void output_gradient_tile(float const* const* at, std::ptrdiff_t offset, float* to,
                                                   std::ptrdiff_t xi_step) {
  transform_both<W, 4, 6>([](auto const& y, auto& m) { transform_output_gradient(y, m); },
                          [=](int i, int j) { return load<W>(at[i * 4 + j] + offset); },
                          [=](int i, int j, Lanes<W> const& m) { store<W>(to + (i * 6 + j) * xi_step, m); });
}

/// Products from + (6 i + j) * xi_step to the gradients of 3x3 weights at to + (3 i + j) * step.
template <int W>
[[gnu::noinline]] inline void weight_gradient_tile(float const* from, std::ptrdiff_t xi_step, float* to,
                                                   std::ptrdiff_t step) {
  transform_both<W, 6, 3>([](auto const& u, auto& g) { transform_weight_gradient(u, g); },
                          [=](int i, int j) { return load<W>(from + (i * 6 + j) * xi_step); },
                          [=](int i, int j, Lanes<W> const& g) { store<W>(to + (i * 3 + j) * step, g); });
}

/// The tiles of an image batch (N,h,w), numbered in reading order.
struct Tiles {
  int n, h, w, tiles_h, tiles_w;

  explicit Tiles(ConvShape s)
      : n(s.n), h(s.h), w(s.w), tiles_h(int(divide_up(s.h, 4))), tiles_w(int(divide_up(s.w, 4))) {}
  std::int64_t count() const { return static_cast<std::int64_t>(n) * tiles_h * tiles_w; }

  struct Corner {
    int top, left;
    std::int64_t pixel;  ///< number of the pixel there
  };
  Corner corner(std::int64_t tile) const {
    std::int64_t const row = tile / tiles_w, image = row / tiles_h;
    int const top = int(row - image * tiles_h) * 4, left = int(tile - row * tiles_w) * 4;
    return {top, left, (image * h + top) * w + left};
  }

  /// Addresses of the size x size pixels that start `border` pixels above and left of a tile, `zeros` for
  /// those outside.
  template <int size>
  void pixels(std::int64_t tile, int border, float const* x, int channels, float const* zeros,
              float const* (&at)[size * size]) const {
    Corner const here = corner(tile);
    for (int i = -border; i < size - border; ++i)
      for (int j = -border; j < size - border; ++j) {
        bool const inside = here.top + i >= 0 && here.top + i < h && here.left + j >= 0 && here.left + j < w;
        at[(i + border) * size + j + border] = inside ? x + (here.pixel + i * w + j) * channels : zeros;
      }
  }
};

/// The first `lanes` (< W) floats at each of `count` addresses, zeros beyond: copied, and the addresses
/// replaced.
template <int W, int count>
inline void copy_lanes(float const* (&at)[count], std::ptrdiff_t offset, int lanes, float* copy) {
  for (int i = 0; i < count; ++i, copy += W) {
    for (int lane = 0; lane < W; ++lane) copy[lane] = lane < lanes ? at[i][offset + lane] : 0.0f;
    at[i] = copy;
  }
}

/// Asks for the four right columns of the next tile; its first two, if it has six, are this one's last two.
template <int size>
inline void prefetch_tile(float const* const* at, std::ptrdiff_t offset) {
  for (int i = 0; i < size; ++i)
    for (int j = size - 4; j < size; ++j) __builtin_prefetch(at[i * size + j] + offset);
}

/// Channels [channel, channel + channels) of `count` tiles of x into v: [xi][channels/W][count][W].
template <int W>
inline void transform_inputs(Tiles const& tiles, std::int64_t first, int count, float const* x,
                             int all_channels, int channel, int channels, float const* zeros, float* v,
                             std::ptrdiff_t xi_step) {
  float const* next[points];
  tiles.pixels<6>(first, 1, x + channel, all_channels, zeros, next);
  for (int tile = 0; tile < count; ++tile) {
    float const* at[points];
    for (int i = 0; i < points; ++i) at[i] = next[i];
    if (tile + 1 < count) tiles.pixels<6>(first + tile + 1, 1, x + channel, all_channels, zeros, next);
    float* to = v + tile * W;
    int c = 0;
    for (; c + W <= channels; c += W, to += count * W) {
      prefetch_tile<6>(next, c);
      input_tile<W>(at, c, to, xi_step);
    }
    if (c < channels) {
      alignas(64) float copy[points * W];
      copy_lanes<W>(at, c, channels - c, copy);
      input_tile<W>(at, 0, to, xi_step);
    }
  }
}

/// U of inputs [in, in + ins) and outputs [out, out + outs), outs <= 2W: u[xi][ins][2W], zeros beyond `outs`.
template <int W>
inline void transform_panel(Weights const& weights, bool rotated, int in, int ins, int out, int outs,
                            float* u, std::ptrdiff_t xi_step) {
  auto const tile = rotated ? weight_tile<W, true> : weight_tile<W, false>;
  for (int k = 0; k < panel_columns<W>; k += W)
    for (int c = 0; c < ins; ++c) {
      constexpr int ahead = 8;
      float const* const later =
          weights.data + (in + c + ahead) * weights.in_step + (out + k) * weights.out_step;
      for (int lane = 0; c + ahead < ins && k + lane < outs && lane < W; ++lane)
        __builtin_prefetch(later + lane * weights.out_step);
      tile(weights, in + c, out + k, outs - k < W ? outs - k : W,
           u + static_cast<std::ptrdiff_t>(c) * panel_columns<W> + k, xi_step);
    }
}

/// Products back to pixels: outputs [out, out + outs), outs <= 2W, of `count` tiles from m[xi][count][2W].
template <int W>
inline void transform_outputs(Tiles const& tiles, std::int64_t first, int count, float const* m,
                              std::ptrdiff_t xi_step, int out, int outs, int all_outs, float* y,
                              bool accumulate, float const* bias, float const* residual) {
  std::ptrdiff_t const row_step = static_cast<std::ptrdiff_t>(tiles.w) * all_outs;
  for (int tile = 0; tile < count; ++tile) {
    auto const [top, left, pixel] = tiles.corner(first + tile);
    int const rows = tiles.h - top < 4 ? tiles.h - top : 4, columns = tiles.w - left < 4 ? tiles.w - left : 4;
    for (int k = 0; k < outs; k += W) {
      int const lanes = outs - k < W ? outs - k : W;
      Lanes<W> const offset = bias != nullptr ? load_first<W>(bias + out + k, lanes) : Lanes<W>{};
      float const* const from = m + tile * panel_columns<W> + k;
      std::ptrdiff_t const corner = pixel * all_outs + out + k;
      if (rows == 4 && columns == 4 && lanes == W && !accumulate && residual == nullptr) {
        output_tile<W>(from, xi_step, offset, y + corner, row_step, all_outs);
        continue;
      }
      alignas(64) float result[16 * W];
      output_tile<W>(from, xi_step, offset, result, 4 * W, W);
      for (int i = 0; i < rows; ++i)
        for (int j = 0; j < columns; ++j) {
          std::ptrdiff_t const at = corner + i * row_step + static_cast<std::ptrdiff_t>(j) * all_outs;
          write_block<W>(result + (i * 4 + j) * W, 0, 1, 0, lanes, {y, &at, accumulate, nullptr, residual});
        }
    }
  }
}

/// How the products of a pass are cut into items: a block of tiles times a panel of output channels.
template <int W>
struct Cut {
  int tiles;   ///< per block, at most
  int blocks;  ///< of tiles
  int panels;  ///< of 2W output channels
  int chunk;   ///< input channels between two visits of the products
  bool fused;  ///< weights are transformed next to their product, not once beforehand
  std::ptrdiff_t v_step, m_step, u_step;

  /// transformed: the caller has the transformed weights.
  static Cut of(ConvShape s, bool transformed) {
    Cut cut;
    std::int64_t const count = Tiles(s).count();
    std::int64_t const weights = points * round_up(s.out, panel_columns<W>) * s.in;
    cut.fused = !transformed && (count <= tuning::most_tiles || weights > tuning::most_transformed);
    cut.blocks = int(divide_up(
        count, cut.fused || weights > tuning::most_transformed ? tuning::most_tiles : tuning::tiles));
    cut.tiles = int(divide_up(count, cut.blocks));
    cut.panels = int(divide_up(s.out, panel_columns<W>));
    cut.chunk = cut.fused ? tuning::fused_chunk : s.in;
    cut.v_step = xi_floats(round_up(s.in, W) * cut.tiles);
    cut.m_step = xi_floats(static_cast<std::ptrdiff_t>(panel_columns<W>) * cut.tiles);
    cut.u_step = xi_floats(static_cast<std::ptrdiff_t>(cut.chunk) * panel_columns<W>);
    return cut;
  }
  std::int64_t scratch(ConvShape s) const {
    return points * (v_step + m_step + (fused ? u_step : 0)) + round_up(s.in, 16);
  }
  std::int64_t weights() const { return panels * points * u_step; }
};

/// Floats of the transformed weights of a convolution, for winograd_forward_with.
template <int W = native_width>
std::int64_t transformed_floats(ConvShape s) {
  return Cut<W>::of(s, true).weights();
}

template <int W, class Exec>
void transform_all_weights(Exec const& exec, ConvShape s, Weights weights, bool rotated, float* u) {
  auto const cut = Cut<W>::of(s, true);
  constexpr int chunk = 32;
  std::ptrdiff_t const chunks = divide_up(s.in, chunk);
  for_items(exec, "glyphdiff::winograd::weights", divide_up(s.out, panel_columns<W>) * chunks,
            [=](int, std::ptrdiff_t item) {
              int const in = int(item % chunks) * chunk, out = int(item / chunks) * panel_columns<W>;
              transform_panel<W>(weights, rotated, in, s.in - in < chunk ? s.in - in : chunk, out,
                                 s.out - out < panel_columns<W> ? s.out - out : panel_columns<W>,
                                 u + item / chunks * points * cut.u_step +
                                     static_cast<std::ptrdiff_t>(in) * panel_columns<W>,
                                 cut.u_step);
            });
}

/// y = x convolved with `weights`, or with their transform `u` where cut.fused is off.
template <int W, class Exec>
void convolve(Exec const& exec, char const* label, ConvShape s, Cut<W> cut, float const* x, Weights weights,
              bool rotated, float const* u, float* y, bool accumulate, float const* bias,
              float const* residual, float* scratch) {
  std::ptrdiff_t const items = static_cast<std::ptrdiff_t>(cut.blocks) * cut.panels;
  std::ptrdiff_t const workers = worker_count(exec) < items ? worker_count(exec) : items;
  std::int64_t const scratch_floats = cut.scratch(s);
  for_items(exec, label, workers, [=](int, std::ptrdiff_t worker) {
    Tiles const tiles(s);
    float* const v = scratch + worker * scratch_floats;
    float* const m = v + points * cut.v_step;
    float* const fused_u = m + points * cut.m_step;
    float* const zeros = scratch + (worker + 1) * scratch_floats - round_up(s.in, 16);
    for (int c = 0; c < s.in; ++c) zeros[c] = 0.0f;
    std::int64_t transformed =
        -1;  // the block in v: a worker meets all panels of a block one after the other
    for (std::ptrdiff_t item = items * worker / workers; item < items * (worker + 1) / workers; ++item) {
      std::int64_t const block = item / cut.panels, panel = item % cut.panels;
      std::int64_t const first = tiles.count() * block / cut.blocks;
      int const count = int(tiles.count() * (block + 1) / cut.blocks - first);
      if (block != transformed)
        transform_inputs<W>(tiles, first, count, x, s.in, 0, s.in, zeros, v, cut.v_step);
      transformed = block;

      int const out = int(panel) * panel_columns<W>;
      int const outs = s.out - out < panel_columns<W> ? s.out - out : panel_columns<W>;
      int const row_cuts = int(divide_up(count, block_rows<W>));
      for (int in = 0; in < s.in; in += cut.chunk) {
        int const ins = s.in - in < cut.chunk ? s.in - in : cut.chunk;
        if (cut.fused) transform_panel<W>(weights, rotated, in, ins, out, outs, fused_u, cut.u_step);
        float const* const panel_u = cut.fused ? fused_u : u + panel * points * cut.u_step;
        for (int xi = 0; xi < points; ++xi)
          for (int row_cut = 0; row_cut < row_cuts; ++row_cut) {
            int const row = count * row_cut / row_cuts;
            micro_product<W, Layout::rows>(
                count * (row_cut + 1) / row_cuts - row, outs > W ? 2 : 1,
                {ins, v + xi * cut.v_step + static_cast<std::ptrdiff_t>(in) * count + row * W,
                 static_cast<std::ptrdiff_t>(count) * W, panel_u + xi * cut.u_step, panel_columns<W>,
                 m + xi * cut.m_step + row * panel_columns<W>, panel_columns<W>, in > 0});
          }
      }
      transform_outputs<W>(tiles, first, count, m, cut.m_step, out, outs, s.out, y, accumulate, bias,
                           residual);
    }
  });
}

/// Weights of a 3x3 convolution as forward_with_transformed takes them: transformed_floats floats.
template <class Exec, int W = native_width>
void transform_weights(Exec const& exec, ConvShape s, float const* weight, float* transformed) {
  transform_all_weights<W>(exec, s, Weights::forward(s, weight), false, transformed);
}

/// As conv2d_forward, with weights transformed before.
template <class Exec, int W = native_width>
void forward_with_transformed(Exec const& exec, ConvShape s, float const* x, float const* transformed,
                              float const* bias, float const* residual, float* y, float* workspace) {
  convolve<W>(exec, "glyphdiff::winograd::forward", s, Cut<W>::of(s, true), x, Weights{}, false, transformed,
              y, false, bias, residual, workspace);
}

/// y (N,H,W,K) = x (N,H,W,C) convolved with weight (K,C,3,3) [+ bias (K)] [+ residual, of y's shape; may be y
/// itself]. workspace: conv2d_workspace floats, best aligned to 64 bytes.
template <class Exec, int W = native_width>
void conv2d_forward(Exec const& exec, ConvShape s, float const* x, float const* weight, float const* bias,
                    float const* residual, float* y, float* workspace) {
  auto const cut = Cut<W>::of(s, false);
  auto const weights = Weights::forward(s, weight);
  if (!cut.fused) transform_all_weights<W>(exec, s, weights, false, workspace);
  convolve<W>(exec, "glyphdiff::winograd::forward", s, cut, x, weights, false, workspace, y, false, bias,
              residual, workspace + (cut.fused ? 0 : cut.weights()));
}

/// dx (N,H,W,C) = [accumulate: dx +] the data gradient of dy (N,H,W,K).
template <class Exec, int W = native_width>
void conv2d_backward_data(Exec const& exec, ConvShape s, float const* dy, float const* weight, float* dx,
                          bool accumulate, float* workspace) {
  auto const weights = Weights::backward(s, weight);
  ConvShape back = s;
  back.in = s.out, back.out = s.in;
  auto const cut = Cut<W>::of(back, false);
  if (!cut.fused) transform_all_weights<W>(exec, back, weights, true, workspace);
  convolve<W>(exec, "glyphdiff::winograd::backward_data", back, cut, dy, weights, true, workspace, dx,
              accumulate, nullptr, nullptr, workspace + (cut.fused ? 0 : cut.weights()));
}

/// How the weight gradient is cut: chunks of input and output channels, whose 36 products stay in a worker's
/// cache, and slices of the tiles, whose results are added in order. All of it depends on the shape only.
template <int W>
struct GradientCut {
  static constexpr int tiles = tuning::gradient_tiles;  ///< transformed at a time
  int ins, outs;                                        ///< channels per chunk
  int in_chunks, out_chunks, slices;
  std::ptrdiff_t v_step, m_step, u_step, slice_floats;

  static GradientCut of(ConvShape s) {
    GradientCut cut;
    constexpr int chunk = tuning::gradient_chunk;
    cut.ins = s.in < chunk ? int(round_up(s.in, W)) : chunk;
    cut.outs = s.out < chunk ? int(round_up(s.out, panel_columns<W>)) : chunk;
    cut.in_chunks = int(divide_up(s.in, cut.ins)), cut.out_chunks = int(divide_up(s.out, cut.outs));
    std::int64_t slices = Tiles(s).count() / tuning::gradient_slice;
    std::int64_t const wanted =
        divide_up(tuning::gradient_items, static_cast<std::int64_t>(cut.in_chunks) * cut.out_chunks);
    if (slices > wanted) slices = wanted;
    cut.slices = slices < 1 ? 1 : int(slices);
    cut.v_step = xi_floats(static_cast<std::ptrdiff_t>(cut.ins) * tiles);
    cut.m_step = xi_floats(static_cast<std::ptrdiff_t>(cut.outs) * tiles);
    cut.u_step = xi_floats(static_cast<std::ptrdiff_t>(cut.ins) * cut.outs);
    // 9 rows per input channel, not needed if there is one slice, and one for the bias
    cut.slice_floats = ((cut.slices > 1 ? s.in * 9 : 0) + 1) * row_floats(s);
    return cut;
  }
  static std::ptrdiff_t row_floats(ConvShape s) { return round_up(s.out, tuning::gradient_chunk); }
  std::int64_t scratch(ConvShape s) const {
    return points * (v_step + m_step + u_step) + round_up(s.in > s.out ? s.in : s.out, 16);
  }
  std::int64_t workspace(ConvShape s, int workers) const {
    return slices * slice_floats + workers * scratch(s);
  }
};

/// Output channels [out, out + outs) of `count` tiles of dy into m: [xi][outs/2W][count][2W]. sums (null:
/// none): the sums of dy over these pixels are added to it.
template <int W>
inline void transform_output_gradients(Tiles const& tiles, std::int64_t first, int count, float const* dy,
                                       int all_outs, int out, int outs, float const* zeros, float* m,
                                       std::ptrdiff_t xi_step, float* sums) {
  float const* next[16];
  tiles.pixels<4>(first, 0, dy + out, all_outs, zeros, next);
  for (int tile = 0; tile < count; ++tile) {
    float const* at[16];
    for (int i = 0; i < 16; ++i) at[i] = next[i];
    if (tile + 1 < count) tiles.pixels<4>(first + tile + 1, 0, dy + out, all_outs, zeros, next);
    for (int k = 0; k < outs; k += W) {
      prefetch_tile<4>(next, k);
      float* const to =
          m + (static_cast<std::ptrdiff_t>(k / panel_columns<W>) * count + tile) * panel_columns<W> +
          k % panel_columns<W>;
      std::ptrdiff_t offset = k;
      alignas(64) float copy[16 * W];
      if (outs - k < W) {
        copy_lanes<W>(at, k, outs - k, copy);
        offset = 0;
      }
      output_gradient_tile<W>(at, offset, to, xi_step);
      if (sums != nullptr) {
        Lanes<W> sum = load<W>(at[0] + offset);
        for (int i = 1; i < 16; ++i) sum = sum + load<W>(at[i] + offset);
        store<W>(sums + k, load<W>(sums + k) + sum);
      }
    }
  }
}

/// Adds `rows` (at most 9W) rows, `step` apart, of gradients with up to W outputs each to weights in
/// PyTorch's order: output i, row j goes to to[i * to_step + j].
template <int W>
inline void add_transposed(float const* from, std::ptrdiff_t step, int rows, int outs, float* to,
                           std::ptrdiff_t to_step) {
  for (int j = 0; j < rows; j += W) {
    Lanes<W> v[W];
    for (int i = 0; i < W; ++i) v[i] = j + i < rows ? load<W>(from + (j + i) * step) : Lanes<W>{};
    transpose<W>(v);
    for (int i = 0; i < outs; ++i) {
      float* const row = to + i * to_step + j;
      if (j + W <= rows) {
        store<W>(row, load<W>(row) + v[i]);
      } else {
        for (int lane = 0; j + lane < rows; ++lane) row[lane] += v[i][lane];
      }
    }
  }
}

/// dweight (K,C,3,3) += and dbias (K; null: none) += the gradients from x (N,H,W,C) and dy (N,H,W,K).
template <class Exec, int W = native_width>
void conv2d_backward_weight(Exec const& exec, ConvShape s, float const* x, float const* dy, float* dweight,
                            float* dbias, float* workspace) {
  auto const cut = GradientCut<W>::of(s);
  std::ptrdiff_t const row_floats = cut.row_floats(s);
  float* const scratch = workspace + cut.slices * cut.slice_floats;
  std::int64_t const scratch_floats = cut.scratch(s);
  std::ptrdiff_t const columns = static_cast<std::ptrdiff_t>(s.in) * 9;
  for_items(
      exec, "glyphdiff::winograd::backward_weight",
      static_cast<std::ptrdiff_t>(cut.slices) * cut.out_chunks * cut.in_chunks,
      [=](int worker, std::ptrdiff_t item) {
        Tiles const tiles(s);
        int const in = int(item % cut.in_chunks) * cut.ins,
                  out = int(item / cut.in_chunks % cut.out_chunks) * cut.outs;
        int const ins = s.in - in < cut.ins ? s.in - in : cut.ins,
                  outs = s.out - out < cut.outs ? s.out - out : cut.outs;
        std::int64_t const slice = item / cut.in_chunks / cut.out_chunks;
        float* const v = scratch + worker * scratch_floats;
        float* const m = v + points * cut.v_step;
        float* const u = m + points * cut.m_step;
        float* const zeros = u + points * cut.u_step;
        for (int c = 0; c < s.in || c < s.out; ++c) zeros[c] = 0.0f;
        float* const partial = workspace + slice * cut.slice_floats;
        float* const sums =
            in == 0 && dbias != nullptr ? partial + cut.slice_floats - row_floats + out : nullptr;
        if (sums != nullptr)
          for (int k = 0; k < cut.outs; ++k) sums[k] = 0.0f;

        std::int64_t const begin = tiles.count() * slice / cut.slices,
                           end = tiles.count() * (slice + 1) / cut.slices;
        for (std::int64_t first = begin; first < end; first += cut.tiles) {
          int const count = end - first < cut.tiles ? int(end - first) : cut.tiles;
          alignas(64) float block_sums[tuning::gradient_chunk] = {};
          transform_inputs<W>(tiles, first, count, x, s.in, in, ins, zeros, v, cut.v_step);
          transform_output_gradients<W>(tiles, first, count, dy, s.out, out, outs, zeros, m, cut.m_step,
                                        sums == nullptr ? nullptr : block_sums);
          if (sums != nullptr)
            for (int k = 0; k < cut.outs; ++k) sums[k] += block_sums[k];
          constexpr int step = micro_rows<W, Layout::columns>;
          for (int xi = 0; xi < points; ++xi)
            for (int k = 0; k < outs; k += panel_columns<W>)
              for (int c = 0; c < ins; c += step)
                micro_product<W, Layout::columns>(
                    ins - c < step ? ins - c : step, outs - k > W ? 2 : 1,
                    {count, v + xi * cut.v_step + static_cast<std::ptrdiff_t>(c / W) * count * W + c % W, W,
                     m + xi * cut.m_step + static_cast<std::ptrdiff_t>(k) * count, panel_columns<W>,
                     u + xi * cut.u_step + static_cast<std::ptrdiff_t>(c) * cut.outs + k, cut.outs,
                     first > begin});
        }
        for (int k = 0; k < outs; k += W)
          for (int c = 0; c < ins; c += W) {
            int const rows = ins - c < W ? ins - c : W;
            alignas(64) float gradients[9 * W * W];
            float* const to = cut.slices == 1
                                  ? gradients
                                  : partial + static_cast<std::ptrdiff_t>(in + c) * 9 * row_floats + out + k;
            std::ptrdiff_t const step = cut.slices == 1 ? W : row_floats;
            for (int i = 0; i < rows; ++i)
              weight_gradient_tile<W>(u + static_cast<std::ptrdiff_t>(c + i) * cut.outs + k, cut.u_step,
                                      to + i * 9 * step, step);
            if (cut.slices == 1)
              add_transposed<W>(gradients, W, 9 * rows, outs - k < W ? outs - k : W,
                                dweight + (out + k) * columns + (in + c) * 9, columns);
          }
      });

  for_items(exec, "glyphdiff::winograd::add_slices", divide_up(s.out, W), [=](int, std::ptrdiff_t item) {
    int const k = int(item) * W, outs = s.out - k < W ? s.out - k : W;
    for (int c = 0; cut.slices > 1 && c < s.in; c += W) {
      int const rows = 9 * (s.in - c < W ? s.in - c : W);
      alignas(64) float gradients[9 * W * W];
      for (int j = 0; j < rows; ++j) {
        float const* const from = workspace + (c * 9 + j) * row_floats + k;
        Lanes<W> sum = load<W>(from);
        for (int slice = 1; slice < cut.slices; ++slice) sum = sum + load<W>(from + slice * cut.slice_floats);
        store<W>(gradients + j * W, sum);
      }
      add_transposed<W>(gradients, W, rows, outs, dweight + k * columns + c * 9, columns);
    }
    for (int i = k; dbias != nullptr && i < k + outs; ++i) {
      float sum = 0;
      for (int slice = 0; slice < cut.slices; ++slice)
        sum += workspace[(slice + 1) * cut.slice_floats - row_floats + i];
      dbias[i] += sum;
    }
  });
}

/// Floats of workspace, enough for all three passes.
template <class Exec, int W = native_width>
std::int64_t conv2d_workspace(Exec const& exec, ConvShape s) {
  int const workers = worker_count(exec);
  std::int64_t most = GradientCut<W>::of(s).workspace(s, workers);
  ConvShape back = s;
  back.in = s.out, back.out = s.in;
  for (ConvShape pass : {s, back})
    for (bool transformed : {false, true}) {
      auto const cut = Cut<W>::of(pass, transformed);
      std::int64_t const floats =
          (cut.fused || transformed ? 0 : cut.weights()) + workers * cut.scratch(pass);
      if (floats > most) most = floats;
    }
  return most;
}

}  // namespace glyphdiff::kernels::host::winograd
