#pragma once

#include <glyphdiff/kernels/host/matmul.hpp>

/// Winograd's minimal filtering F(4x4, 3x3) (Lavin & Gray 2016, arXiv:1509.09308) for 3x3 convolutions of stride 1: an
/// output tile of 4x4 pixels from 6x6 inputs with 36 multiplications per pair of channels in place of 144. A block of
/// tiles is transformed (V = B^T d B), multiplied by the transformed weights (U = G g G^T) in 36 matrix products over
/// the channels, and transformed back (y = A^T m A), all within a worker's cache. The data gradient is the same
/// operation with rotated, transposed weights; the weight gradient is its exact adjoint.
namespace glyphdiff::kernels::host::winograd {

inline constexpr int points = 36;  ///< products per tile, named xi = 6 * row + column

/// The polynomials are interpolated at 0, +-p, +-q and infinity.
#ifndef GD_P
#define GD_P 0.625
#define GD_Q 1.5
#endif
inline constexpr double p = GD_P, q = GD_Q;
inline constexpr double pp = p * p, qq = q * q;

/// Floats between two xi: padded to an odd number of cache lines, since 36 streams a power of two apart would fight
/// for the same lines of the cache.
constexpr std::ptrdiff_t xi_floats(std::ptrdiff_t floats) { return (divide_up(floats, 16) | 1) * 16; }

/// t = B^T d.
template <class V>
inline void transform_input(V const (&d)[6], V (&t)[6]) {
  constexpr float sum = float(pp + qq), product = float(pp * qq);
  V const even_p = d[4] - float(qq) * d[2], odd_p = d[3] - float(qq) * d[1];
  V const even_q = d[4] - float(pp) * d[2], odd_q = d[3] - float(pp) * d[1];
  t[0] = product * d[0] + (d[4] - sum * d[2]);
  t[1] = even_p + float(p) * odd_p;
  t[2] = even_p - float(p) * odd_p;
  t[3] = even_q + float(q) * odd_q;
  t[4] = even_q - float(q) * odd_q;
  t[5] = product * d[1] + (d[5] - sum * d[3]);
}

/// y = A^T m.
template <class V>
inline void transform_output(V const (&m)[6], V (&y)[4]) {
  V const even_p = m[1] + m[2], odd_p = m[1] - m[2], even_q = m[3] + m[4], odd_q = m[3] - m[4];
  y[0] = m[0] + even_p + even_q;
  y[1] = float(p) * odd_p + float(q) * odd_q;
  y[2] = float(pp) * even_p + float(qq) * even_q;
  y[3] = float(p * pp) * odd_p + (float(q * qq) * odd_q + m[5]);
}

/// m = A y, the adjoint of transform_output.
template <class V>
inline void transform_output_gradient(V const (&y)[4], V (&m)[6]) {
  V const even_p = y[0] + float(pp) * y[2], odd_p = float(p) * y[1] + float(p * pp) * y[3];
  V const even_q = y[0] + float(qq) * y[2], odd_q = float(q) * y[1] + float(q * qq) * y[3];
  m[0] = y[0];
  m[1] = even_p + odd_p;
  m[2] = even_p - odd_p;
  m[3] = even_q + odd_q;
  m[4] = even_q - odd_q;
  m[5] = y[3];
}

inline constexpr float scale_0 = float(1 / (pp * qq));
inline constexpr float scale_p = float(1 / (2 * pp * (pp - qq)));
inline constexpr float scale_q = float(1 / (2 * qq * (qq - pp)));

/// u = G g.
template <class V>
inline void transform_weight(V const (&g)[3], V (&u)[6]) {
  V const even_p = scale_p * g[0] + float(scale_p * pp) * g[2], odd_p = float(scale_p * p) * g[1];
  V const even_q = scale_q * g[0] + float(scale_q * qq) * g[2], odd_q = float(scale_q * q) * g[1];
  u[0] = scale_0 * g[0];
  u[1] = even_p + odd_p;
  u[2] = even_p - odd_p;
  u[3] = even_q + odd_q;
  u[4] = even_q - odd_q;
  u[5] = g[2];
}

/// g = G^T u, the adjoint of transform_weight.
template <class V>
inline void transform_weight_gradient(V const (&u)[6], V (&g)[3]) {
  V const even_p = u[1] + u[2], odd_p = u[1] - u[2], even_q = u[3] + u[4], odd_q = u[3] - u[4];
  g[0] = scale_0 * u[0] + (scale_p * even_p + scale_q * even_q);
  g[1] = float(scale_p * p) * odd_p + float(scale_q * q) * odd_q;
  g[2] = float(scale_p * pp) * even_p + (float(scale_q * qq) * even_q + u[5]);
}

/// Applies a one-dimensional transform to the columns and then to the rows of a square: From x From values, given by
/// get(row, column), become To x To, handed to put(row, column, value).
template <int W, int From, int To, class Transform, class Get, class Put>
inline void transform_both(Transform const& transform, Get const& get, Put const& put) {
  using V = Lanes<W>;
  V half[To * From];
#pragma GCC unroll 6
  for (int j = 0; j < From; ++j) {
    V in[From], out[To];
#pragma GCC unroll 6
    for (int i = 0; i < From; ++i) in[i] = get(i, j);
    transform(in, out);
#pragma GCC unroll 6
    for (int i = 0; i < To; ++i) half[i * From + j] = out[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < To; ++i) {
    V in[From], out[To];
#pragma GCC unroll 6
    for (int j = 0; j < From; ++j) in[j] = half[i * From + j];
    transform(in, out);
#pragma GCC unroll 6
    for (int j = 0; j < To; ++j) put(i, j, out[j]);
  }
}

/// The tiles of an image batch (N,h,w), numbered in reading order.
struct Tiles {
  int n, h, w, tiles_h, tiles_w;

  explicit Tiles(ConvShape s)
      : n(s.n), h(s.h), w(s.w), tiles_h(int(divide_up(s.h, 4))), tiles_w(int(divide_up(s.w, 4))) {}
  std::int64_t count() const { return static_cast<std::int64_t>(n) * tiles_h * tiles_w; }

  /// Addresses of the size x size pixels that start `border` pixels above and left of a tile, `zeros` for those outside.
  template <int size>
  void pixels(std::int64_t tile, int border, float const* x, int channels, float const* zeros,
              float const* (&at)[size * size]) const {
    int const top = int(tile / tiles_w % tiles_h) * 4 - border, left = int(tile % tiles_w) * 4 - border;
    std::int64_t const image = tile / tiles_w / tiles_h;
    for (int i = 0; i < size; ++i)
      for (int j = 0; j < size; ++j) {
        bool const inside = top + i >= 0 && top + i < h && left + j >= 0 && left + j < w;
        at[i * size + j] = inside ? x + ((image * h + top + i) * w + left + j) * channels : zeros;
      }
  }
};

/// Channels [channel, channel + channels) of `count` tiles of x into v: [xi][channels/W][count][W].
template <int W>
inline void transform_inputs(Tiles const& tiles, std::int64_t first, int count, float const* x, int all_channels,
                             int channel, int channels, float const* zeros, float* v, std::ptrdiff_t xi_step) {
  for (int tile = 0; tile < count; ++tile) {
    float const* at[points];
    tiles.pixels<6>(first + tile, 1, x + channel, all_channels, zeros, at);
    for (int c = 0; c < channels; c += W) {
      float* const to = v + (static_cast<std::ptrdiff_t>(c) * count + tile * W);
      auto const put = [=](int i, int j, Lanes<W> const& value) { store<W>(to + (i * 6 + j) * xi_step, value); };
      if (c + W <= channels)
        transform_both<W, 6, 6>(transform_input<Lanes<W>>,
                                [&](int i, int j) { return load<W>(at[i * 6 + j] + c); }, put);
      else
        transform_both<W, 6, 6>(transform_input<Lanes<W>>,
                                [&](int i, int j) { return load_first<W>(at[i * 6 + j] + c, channels - c); }, put);
    }
  }
}

/// The 3x3 weights of a convolution with `in` and `out` channels as they lie in memory, in PyTorch's [out][in][3][3]
/// (forward), or seen from the data gradient: in and out exchanged and the taps rotated.
struct Weights {
  float const* data;
  float const* end;
  std::ptrdiff_t out_step, in_step;
  bool rotated;

  static Weights forward(ConvShape s, float const* weight) {
    return {weight, weight + s.weights(), std::ptrdiff_t(s.in) * 9, 9, false};
  }
  static Weights backward(ConvShape s, float const* weight) {
    return {weight, weight + s.weights(), 9, std::ptrdiff_t(s.in) * 9, true};
  }
};

/// U of inputs [in, in + ins) and outputs [out, out + outs), outs <= 2W: u[xi][ins][2W], zeros beyond `outs`.
template <int W>
inline void transform_panel(Weights const& weights, int in, int ins, int out, int outs, float* u,
                            std::ptrdiff_t xi_step) {
  for (int half = 0; half < panel_columns<W>; half += W)
    for (int c = 0; c < ins; ++c) {
      constexpr int blocks = (9 + W - 1) / W;
      Lanes<W> taps[blocks * W];
#pragma GCC unroll 3
      for (int block = 0; block < blocks; ++block) {
        Lanes<W> v[W];
        for (int i = 0; i < W; ++i) {  // lane by lane, the nine taps of an output channel, and what lies behind them
          float const* from = weights.data + (out + half + i) * weights.out_step + (in + c) * weights.in_step + block * W;
          v[i] = half + i >= outs ? Lanes<W>{}
                                  : load_first<W>(from, weights.end - from >= W ? W : int(weights.end - from));
        }
        transpose<W>(v);
        for (int i = 0; i < W; ++i) taps[block * W + i] = v[i];
      }
      float* const to = u + static_cast<std::ptrdiff_t>(c) * panel_columns<W> + half;
      auto const put = [=](int i, int j, Lanes<W> const& value) { store<W>(to + (i * 6 + j) * xi_step, value); };
      if (weights.rotated)
        transform_both<W, 3, 6>(transform_weight<Lanes<W>>, [&](int i, int j) { return taps[8 - 3 * i - j]; }, put);
      else
        transform_both<W, 3, 6>(transform_weight<Lanes<W>>, [&](int i, int j) { return taps[3 * i + j]; }, put);
    }
}

/// Products back to pixels: outputs [out, out + outs) of `count` tiles from m[xi][outs/2W][count][2W].
template <int W>
inline void transform_outputs(Tiles const& tiles, std::int64_t first, int count, float const* m,
                              std::ptrdiff_t xi_step, int out, int outs, int all_outs, float* y, bool accumulate,
                              float const* bias, float const* residual) {
  for (int tile = 0; tile < count; ++tile) {
    std::int64_t const image = (first + tile) / tiles.tiles_w / tiles.tiles_h;
    int const top = int((first + tile) / tiles.tiles_w % tiles.tiles_h) * 4;
    int const left = int((first + tile) % tiles.tiles_w) * 4;
    int const rows = tiles.h - top < 4 ? tiles.h - top : 4, columns = tiles.w - left < 4 ? tiles.w - left : 4;
    for (int k = 0; k < outs; k += W) {
      float const* const from = m + (static_cast<std::ptrdiff_t>(k / panel_columns<W>) * count + tile) * panel_columns<W> +
                                k % panel_columns<W>;
      int const lanes = outs - k < W ? outs - k : W;
      Lanes<W> const offset = bias != nullptr ? load_first<W>(bias + out + k, lanes) : Lanes<W>{};
      std::ptrdiff_t const corner = ((image * tiles.h + top) * tiles.w + left) * all_outs + out + k;
      transform_both<W, 6, 4>(
          transform_output<Lanes<W>>, [=](int i, int j) { return load<W>(from + (i * 6 + j) * xi_step); },
          [=](int i, int j, Lanes<W> value) {
            if (i >= rows || j >= columns) return;
            std::ptrdiff_t const at = corner + (static_cast<std::ptrdiff_t>(i) * tiles.w + j) * all_outs;
            value = value + offset;
            if (lanes == W) {
              if (accumulate) value = value + load<W>(y + at);
              if (residual != nullptr) value = value + load<W>(residual + at);
              store<W>(y + at, value);
            } else {
              for (int lane = 0; lane < lanes; ++lane) {
                float scalar = value[lane];
                if (accumulate) scalar += y[at + lane];
                if (residual != nullptr) scalar += residual[at + lane];
                y[at + lane] = scalar;
              }
            }
          });
    }
  }
}

/// How the products of a pass are cut. All of it depends on the shape only.
template <int W>
struct Cut {
  int tiles;       ///< per block
  int blocks;      ///< of tiles
  int group;       ///< output channels whose products a worker holds at a time
  int groups;      ///< of output channels
  int chunk;       ///< input channels whose weights are transformed at a time, where that is fused
  bool fused;      ///< weights transformed next to their product, not once beforehand
  std::ptrdiff_t v_step, m_step, u_step;

  static Cut of(ConvShape s, bool transformed) {
    Cut cut;
    std::int64_t const count = Tiles(s).count();
    std::int64_t const weights = points * round_up(s.out, panel_columns<W>) * s.in;
    cut.fused = !transformed && (count <= GD_FT || weights > (1 << 22));
    int const most = cut.fused ? GD_FT : GD_TB;
    cut.blocks = int(divide_up(count, most));
    cut.tiles = int(divide_up(count, cut.blocks));
    cut.group = GD_KG / 32 * panel_columns<W>;
    cut.groups = int(divide_up(s.out, cut.group));
    cut.chunk = 64;
    cut.v_step = xi_floats(round_up(s.in, W) * cut.tiles);
    cut.m_step = xi_floats(static_cast<std::ptrdiff_t>(cut.group) * cut.tiles);
    cut.u_step = xi_floats(static_cast<std::ptrdiff_t>(cut.fused ? cut.chunk : s.in) * panel_columns<W>);
    return cut;
  }
  std::int64_t scratch(ConvShape s) const {
    return points * (v_step + m_step + (fused ? u_step * (group / panel_columns<W>) : 0)) + round_up(s.in, 16);
  }
  std::int64_t weights(ConvShape s) const { return divide_up(s.out, panel_columns<W>) * points * u_step; }
};

/// Floats of the transformed weights of a convolution, for winograd_forward_with.
template <int W = native_width>
std::int64_t transformed_floats(ConvShape s) {
  return Cut<W>::of(s, true).weights(s);
}

template <int W, class Exec>
void transform_all_weights(Exec const& exec, ConvShape s, Weights weights, float* u) {
  auto const cut = Cut<W>::of(s, true);
  constexpr int chunk = 32;
  std::ptrdiff_t const chunks = divide_up(s.in, chunk);
  for_items(exec, "glyphdiff::winograd::weights", divide_up(s.out, panel_columns<W>) * chunks,
            [=](int, std::ptrdiff_t item) {
    int const in = int(item % chunks) * chunk, out = int(item / chunks) * panel_columns<W>;
    transform_panel<W>(weights, in, s.in - in < chunk ? s.in - in : chunk, out,
                       s.out - out < panel_columns<W> ? s.out - out : panel_columns<W>,
                       u + item / chunks * points * cut.u_step + static_cast<std::ptrdiff_t>(in) * panel_columns<W>,
                       cut.u_step);
  });
}

/// y = x convolved with `weights`, or with their transform `u` where cut.fused is off.
template <int W, class Exec>
void convolve(Exec const& exec, char const* label, ConvShape s, Cut<W> cut, float const* x, Weights weights,
              float const* u, float* y, bool accumulate, float const* bias, float const* residual, float* scratch) {
  std::ptrdiff_t const items = static_cast<std::ptrdiff_t>(cut.blocks) * cut.groups;
  std::ptrdiff_t const workers = worker_count(exec) < items ? worker_count(exec) : items;
  std::int64_t const scratch_floats = cut.scratch(s);
  // An item of a worker is a block of tiles times a group of output channels; its ranges are contiguous, so that it
  // transforms most blocks once.
  for_items(exec, label, workers, [=](int, std::ptrdiff_t worker) {
    Tiles const tiles(s);
    float* const v = scratch + worker * scratch_floats;
    float* const m = v + points * cut.v_step;
    float* const chunk_u = m + points * cut.m_step;
    float* const zeros = scratch + (worker + 1) * scratch_floats - round_up(s.in, 16);
    for (int c = 0; c < s.in; ++c) zeros[c] = 0.0f;
    std::ptrdiff_t transformed = -1;
    for (std::ptrdiff_t item = items * worker / workers; item < items * (worker + 1) / workers; ++item) {
      std::int64_t const block = item / cut.groups;
      std::int64_t const first = tiles.count() * block / cut.blocks;
      int const count = int(tiles.count() * (block + 1) / cut.blocks - first);
      if (block != transformed) transform_inputs<W>(tiles, first, count, x, s.in, 0, s.in, zeros, v, cut.v_step);
      transformed = block;

      int const out = int(item % cut.groups) * cut.group;
      int const outs = s.out - out < cut.group ? s.out - out : cut.group;
      int const panels = int(divide_up(outs, panel_columns<W>));
      int const cuts = int(divide_up(count, block_rows<W>));
      int const chunk = cut.fused ? cut.chunk : s.in;
      for (int in = 0; in < s.in; in += chunk) {
        int const ins = s.in - in < chunk ? s.in - in : chunk;
        if (cut.fused)
          for (int panel = 0; panel < panels; ++panel)
            transform_panel<W>(weights, in, ins, out + panel * panel_columns<W>, outs - panel * panel_columns<W>,
                               chunk_u + panel * points * cut.u_step, cut.u_step);
        float const* const group_u = cut.fused ? chunk_u : u + out / panel_columns<W> * points * cut.u_step;
        for (int xi = 0; xi < points; ++xi)
          for (int panel = 0; panel < panels; ++panel)
            for (int rows = 0; rows < cuts; ++rows) {
              int const row = count * rows / cuts;
              micro_product<W, Layout::rows>(
                  count * (rows + 1) / cuts - row, outs - panel * panel_columns<W> > W ? 2 : 1,
                  {ins, v + xi * cut.v_step + static_cast<std::ptrdiff_t>(in) * count + row * W, std::ptrdiff_t(count) * W,
                   group_u + (panel * points + xi) * cut.u_step, panel_columns<W>,
                   m + xi * cut.m_step + (static_cast<std::ptrdiff_t>(panel) * count + row) * panel_columns<W>,
                   panel_columns<W>, in > 0});
            }
      }
      transform_outputs<W>(tiles, first, count, m, cut.m_step, out, outs, s.out, y, accumulate, bias, residual);
    }
  });
}

/// Weights of a 3x3 convolution as forward_with_transformed takes them: transformed_floats floats.
template <class Exec, int W = native_width>
void transform_weights(Exec const& exec, ConvShape s, float const* weight, float* transformed) {
  transform_all_weights<W>(exec, s, Weights::forward(s, weight), transformed);
}

/// As conv2d_forward, with weights transformed before.
template <class Exec, int W = native_width>
void forward_with_transformed(Exec const& exec, ConvShape s, float const* x, float const* transformed,
                              float const* bias, float const* residual, float* y, float* workspace) {
  convolve<W>(exec, "glyphdiff::winograd::forward", s, Cut<W>::of(s, true), x, Weights{}, transformed, y, false, bias,
              residual, workspace);
}

/// y (N,H,W,K) = x (N,H,W,C) convolved with weight (K,C,3,3) [+ bias (K)] [+ residual, of y's shape; may be y itself].
/// workspace: conv2d_workspace floats, best aligned to 64 bytes.
template <class Exec, int W = native_width>
void conv2d_forward(Exec const& exec, ConvShape s, float const* x, float const* weight, float const* bias,
                    float const* residual, float* y, float* workspace) {
  auto const cut = Cut<W>::of(s, false);
  auto const weights = Weights::forward(s, weight);
  if (!cut.fused) transform_all_weights<W>(exec, s, weights, workspace);
  convolve<W>(exec, "glyphdiff::winograd::forward", s, cut, x, weights, workspace, y, false, bias, residual,
              workspace + (cut.fused ? 0 : cut.weights(s)));
}

/// dx (N,H,W,C) = [accumulate: dx +] the data gradient of dy (N,H,W,K).
template <class Exec, int W = native_width>
void conv2d_backward_data(Exec const& exec, ConvShape s, float const* dy, float const* weight, float* dx,
                          bool accumulate, float* workspace) {
  auto const weights = Weights::backward(s, weight);
  ConvShape back = s;
  back.in = s.out, back.out = s.in;
  auto const cut = Cut<W>::of(back, false);
  if (!cut.fused) transform_all_weights<W>(exec, back, weights, workspace);
  convolve<W>(exec, "glyphdiff::winograd::backward_data", back, cut, dy, weights, workspace, dx, accumulate, nullptr,
              nullptr, workspace + (cut.fused ? 0 : cut.weights(back)));
}

/// How the weight gradient is cut: chunks of input and output channels, whose 36 products stay in a worker's cache, and
/// slices of the tiles, whose results are added in order. All of it depends on the shape only.
template <int W>
struct GradientCut {
  static constexpr int tiles = GD_BT;  ///< transformed at a time
  int ins, outs;                       ///< channels per chunk
  int in_chunks, out_chunks, slices;
  std::ptrdiff_t v_step, m_step, u_step, slice_floats;

  static GradientCut of(ConvShape s) {
    GradientCut cut;
    cut.ins = s.in < 64 ? int(round_up(s.in, W)) : 64;
    cut.outs = s.out < 64 ? int(round_up(s.out, panel_columns<W>)) : 64;
    cut.in_chunks = int(divide_up(s.in, cut.ins)), cut.out_chunks = int(divide_up(s.out, cut.outs));
    std::int64_t slices = Tiles(s).count() / 128;
    std::int64_t const wanted = divide_up(32, static_cast<std::int64_t>(cut.in_chunks) * cut.out_chunks);
    if (slices > wanted) slices = wanted;
    cut.slices = slices < 1 ? 1 : int(slices);
    cut.v_step = xi_floats(static_cast<std::ptrdiff_t>(cut.ins) * tiles);
    cut.m_step = xi_floats(static_cast<std::ptrdiff_t>(cut.outs) * tiles);
    cut.u_step = xi_floats(static_cast<std::ptrdiff_t>(cut.ins) * cut.outs);
    cut.slice_floats = (s.in * 9 + 1) * row_floats(s);  // 9 rows per input channel, and one for the bias
    return cut;
  }
  static std::ptrdiff_t row_floats(ConvShape s) { return round_up(s.out, 64); }
  std::int64_t scratch(ConvShape s) const {
    return points * (v_step + m_step + u_step) + round_up(s.in > s.out ? s.in : s.out, 16);
  }
  std::int64_t workspace(ConvShape s, int workers) const { return slices * slice_floats + workers * scratch(s); }
};

/// Output channels [out, out + outs) of `count` tiles of dy into m: [xi][outs/2W][count][2W]. sums (null: none): the
/// sums of dy over these pixels are added to it.
template <int W>
inline void transform_output_gradients(Tiles const& tiles, std::int64_t first, int count, float const* dy,
                                       int all_outs, int out, int outs, float const* zeros, float* m,
                                       std::ptrdiff_t xi_step, float* sums) {
  for (int tile = 0; tile < count; ++tile) {
    float const* at[16];
    tiles.pixels<4>(first + tile, 0, dy + out, all_outs, zeros, at);
    for (int k = 0; k < outs; k += W) {
      int const lanes = outs - k < W ? outs - k : W;
      float* const to = m + (static_cast<std::ptrdiff_t>(k / panel_columns<W>) * count + tile) * panel_columns<W> +
                        k % panel_columns<W>;
      Lanes<W> sum{};
      auto const put = [=](int i, int j, Lanes<W> const& value) { store<W>(to + (i * 6 + j) * xi_step, value); };
      transform_both<W, 4, 6>(
          transform_output_gradient<Lanes<W>>,
          [&](int i, int j) {
            Lanes<W> const value = load_first<W>(at[i * 4 + j] + k, lanes);
            sum = sum + value;
            return value;
          },
          put);
      if (sums != nullptr) store<W>(sums + k, load<W>(sums + k) + sum);
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
  for_items(exec, "glyphdiff::winograd::backward_weight",
            static_cast<std::ptrdiff_t>(cut.slices) * cut.out_chunks * cut.in_chunks,
            [=](int worker, std::ptrdiff_t item) {
    Tiles const tiles(s);
    int const in = int(item % cut.in_chunks) * cut.ins, out = int(item / cut.in_chunks % cut.out_chunks) * cut.outs;
    int const ins = s.in - in < cut.ins ? s.in - in : cut.ins, outs = s.out - out < cut.outs ? s.out - out : cut.outs;
    std::int64_t const slice = item / cut.in_chunks / cut.out_chunks;
    float* const v = scratch + worker * scratch_floats;
    float* const m = v + points * cut.v_step;
    float* const u = m + points * cut.m_step;
    float* const zeros = u + points * cut.u_step;
    for (int c = 0; c < s.in || c < s.out; ++c) zeros[c] = 0.0f;
    float* const partial = workspace + slice * cut.slice_floats;  // (C*9+1, K)
    float* const sums = in == 0 ? partial + s.in * 9 * row_floats + out : nullptr;
    if (sums != nullptr)
      for (int k = 0; k < cut.outs; ++k) sums[k] = 0.0f;

    std::int64_t const begin = tiles.count() * slice / cut.slices, end = tiles.count() * (slice + 1) / cut.slices;
    for (std::int64_t first = begin; first < end; first += cut.tiles) {
      int const count = end - first < cut.tiles ? int(end - first) : cut.tiles;
      alignas(64) float block_sums[64] = {};
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
                 u + xi * cut.u_step + static_cast<std::ptrdiff_t>(c) * cut.outs + k, cut.outs, first > begin});
    }
    for (int c = 0; c < ins; ++c)
      for (int k = 0; k < outs; k += W) {
        float const* const from = u + static_cast<std::ptrdiff_t>(c) * cut.outs + k;
        float* const to = partial + static_cast<std::ptrdiff_t>(in + c) * 9 * row_floats + out + k;
        transform_both<W, 6, 3>(
            transform_weight_gradient<Lanes<W>>, [=](int i, int j) { return load<W>(from + (i * 6 + j) * cut.u_step); },
            [=](int i, int j, Lanes<W> const& value) { store<W>(to + (i * 3 + j) * row_floats, value); });
      }
  });

  // Add the slices, W outputs by W weights at a time, turned into PyTorch's order on the way.
  std::ptrdiff_t const columns = static_cast<std::ptrdiff_t>(s.in) * 9, column_step = 64;
  std::ptrdiff_t const bands = divide_up(columns, column_step);
  for_items(exec, "glyphdiff::winograd::add_slices", divide_up(s.out, W) * bands, [=](int, std::ptrdiff_t item) {
    int const k = int(item / bands) * W;
    std::ptrdiff_t const last = (item % bands + 1) * column_step < columns ? (item % bands + 1) * column_step : columns;
    for (std::ptrdiff_t j = item % bands * column_step; j < last; j += W) {
      Lanes<W> sum[W];
      for (int i = 0; i < W; ++i) {
        sum[i] = Lanes<W>{};
        for (int slice = 0; slice < cut.slices && j + i < last; ++slice)
          sum[i] = sum[i] + load<W>(workspace + slice * cut.slice_floats + (j + i) * row_floats + k);
      }
      transpose<W>(sum);
      for (int i = 0; i < W && k + i < s.out; ++i) {
        float* const to = dweight + (k + i) * columns + j;
        if (j + W <= last)
          store<W>(to, load<W>(to) + sum[i]);
        else
          for (int lane = 0; j + lane < last; ++lane) to[lane] += sum[i][lane];
      }
    }
    if (dbias != nullptr && item % bands == 0)
      for (int i = k; i < k + W && i < s.out; ++i) {
        float sum = 0;
        for (int slice = 0; slice < cut.slices; ++slice) sum += workspace[slice * cut.slice_floats + columns * row_floats + i];
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
      std::int64_t const floats = (cut.fused || transformed ? 0 : cut.weights(pass)) + workers * cut.scratch(pass);
      if (floats > most) most = floats;
    }
  return most;
}

}  // namespace glyphdiff::kernels::host::winograd
