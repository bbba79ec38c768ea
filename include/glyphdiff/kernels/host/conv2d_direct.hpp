#pragma once

#include <glyphdiff/kernels/host/matmul.hpp>
#include <glyphdiff/kernels/host/weights.hpp>

/// Exact convolution on the host's cores: blocks of pixels are gathered (im2col) into cache-sized operands of
/// the register block, never the whole image. Sums run over k = tap * C + c, in this order.
namespace glyphdiff::kernels::host::direct {

/// Which source pixels a grid of pixels reads: pixel (a, b) takes tap t from (a * step + dh[t], b * step +
/// dw[t]), or zero where that lies outside the source.
struct Gather {
  int n, grid_h, grid_w;
  int source_h, source_w, channels, step;
  int taps = 0;
  int dh[9] = {}, dw[9] = {};
  int weight[9] = {};  ///< which of the kernel's taps it is, i * k + j

  std::int64_t pixels() const { return static_cast<std::int64_t>(n) * grid_h * grid_w; }
  int terms() const { return taps * channels; }
  void add_tap(int h, int w, int which) { dh[taps] = h, dw[taps] = w, weight[taps] = which, ++taps; }
};

/// A pixel of the grid, and the source pixel of a tap at (0, 0).
struct GridPixel {
  std::int64_t image;
  int a, b;

  static GridPixel of(Gather const& g, std::int64_t pixel) {
    return {pixel / g.grid_w / g.grid_h, int(pixel / g.grid_w % g.grid_h), int(pixel % g.grid_w)};
  }
  void advance(Gather const& g) {
    if (++b < g.grid_w) return;
    b = 0;
    if (++a < g.grid_h) return;
    a = 0, ++image;
  }
  /// The channels of the source pixel that tap t reads; null outside the source.
  float const* source(Gather const& g, float const* x, int t) const {
    int const h = a * g.step + g.dh[t], w = b * g.step + g.dw[t];
    if (h < 0 || h >= g.source_h || w < 0 || w >= g.source_w) return nullptr;
    return x + ((image * g.source_h + h) * g.source_w + w) * g.channels;
  }
};

/// Terms [first, first + count) of one pixel.
inline void gather_row(Gather const& g, float const* x, GridPixel pixel, int first, int count, float* to) {
  while (count > 0) {
    int const tap = first / g.channels, c = first % g.channels;
    int const run = g.channels - c < count ? g.channels - c : count;
    float const* from = pixel.source(g, x, tap);
    for (int i = 0; i < run; ++i) to[i] = from == nullptr ? 0.0f : from[c + i];
    first += run, count -= run, to += run;
  }
}

/// Terms [first, first + terms) of `rows` pixels as Layout::rows, [terms/W][packed_rows][W] with zeros
/// beyond; `first` is a multiple of W. row: scratch for one row, rounded up to W.
template <int W>
inline void gather_rows(Gather const& g, float const* x, std::int64_t pixel, int rows, int first, int terms,
                        float* to, float* row) {
  GridPixel at = GridPixel::of(g, pixel);
  std::ptrdiff_t const step = packed_rows(rows) * W;
  for (int r = 0; r < rows; ++r, to += W, at.advance(g)) {
    float* vector = to;
    if (g.channels % W == 0) {
      for (int k = first; k < first + terms;) {
        int const tap = k / g.channels, c = k % g.channels;
        int const end = k - c + g.channels < first + terms ? k - c + g.channels : first + terms;
        float const* from = at.source(g, x, tap);
        if (from == nullptr) {
          for (; k < end; k += W, vector += step) store<W>(vector, Lanes<W>{});
        } else {
          for (from += c; k < end; k += W, from += W, vector += step) store<W>(vector, load<W>(from));
        }
      }
    } else {
      gather_row(g, x, at, first, terms, row);
      for (int k = 0; k < terms; k += W, vector += step) store<W>(vector, load_first<W>(row + k, terms - k));
    }
  }
}

/// Columns [column, column + columns) of the matrix (pixels, terms) for `count` pixels, as panels
/// [columns/2W][count][2W], zeros beyond; at most Reduction::chunk_terms pixels and chunk_columns columns.
template <int W>
inline void gather_panels(Gather const& g, float const* x, std::int64_t pixel, int count, int column,
                          int columns, float* to) {
  GridPixel at = GridPixel::of(g, pixel);
  std::ptrdiff_t const panel_step = static_cast<std::ptrdiff_t>(count) * panel_columns<W>;
  bool const whole = g.channels % W == 0;
  for (int r = 0; r < count; ++r, at.advance(g)) {
    alignas(64) float row[Reduction::chunk_columns];
    if (!whole) gather_row(g, x, at, column, columns, row);
    float const* from = nullptr;
    for (int j = 0, tap = -1; j < round_up(columns, panel_columns<W>); j += W) {
      Lanes<W> v{};
      if (!whole) {
        v = load_first<W>(row + j, columns - j);
      } else if (j < columns) {
        if ((column + j) / g.channels != tap) tap = (column + j) / g.channels, from = at.source(g, x, tap);
        if (from != nullptr) v = load<W>(from + (column + j) % g.channels);
      }
      store<W>(to + j / panel_columns<W> * panel_step + r * panel_columns<W> + j % panel_columns<W>, v);
    }
  }
}

inline Gather forward_gather(ConvShape s) {
  Gather g{s.n, s.out_h(), s.out_w(), s.h, s.w, s.in, s.stride};
  for (int i = 0; i < s.kernel; ++i)
    for (int j = 0; j < s.kernel; ++j) g.add_tap(i - s.padding(), j - s.padding(), i * s.kernel + j);
  return g;
}

/// Input pixels of one parity (ph, pw) modulo the stride all meet the same taps, a subset; so the data
/// gradient of a strided convolution is stride * stride dense products without a wasted multiplication.
inline Gather backward_gather(ConvShape s, int ph, int pw) {
  Gather g{s.n,
           int(divide_up(s.h - ph, s.stride)),
           int(divide_up(s.w - pw, s.stride)),
           s.out_h(),
           s.out_w(),
           s.out,
           1};
  for (int i = 0; i < s.kernel; ++i)
    for (int j = 0; j < s.kernel; ++j) {
      int const dh = ph + s.padding() - i, dw = pw + s.padding() - j;
      if (dh % s.stride != 0 || dw % s.stride != 0) continue;
      g.add_tap(dh / s.stride, dw / s.stride, i * s.kernel + j);
    }
  return g;
}

/// Where pixel (a, b) of a grid is written: (a * step + first_h, b * step + first_w) of an (N,h,w) image.
struct Scatter {
  int h, w, step, first_h, first_w;
};

/// Grid pixels times a packed matrix of panels, `panel_step` floats apart.
template <int W, class Exec>
inline void gathered_product(Exec const& exec, char const* label, Gather g, float const* x, int columns,
                             float const* panels, std::ptrdiff_t panel_step, Scatter out, float* y,
                             bool accumulate, float const* bias, float const* residual, MatmulCut<W> cut,
                             std::int64_t scratch_floats, float* scratch) {
  for_items(
      exec, label, std::ptrdiff_t(cut.row_bands) * cut.column_groups, [=](int worker, std::ptrdiff_t item) {
        int const column = int(item % cut.column_groups) * cut.columns;
        int const column_end = columns - column < cut.columns ? columns : column + cut.columns;
        std::int64_t const pixel = item / cut.column_groups * cut.rows;
        int const rows = g.pixels() - pixel < cut.rows ? int(g.pixels() - pixel) : cut.rows;
        std::ptrdiff_t offset[matmul_most_rows];
        GridPixel at = GridPixel::of(g, pixel);
        for (int r = 0; r < rows; ++r, at.advance(g))
          offset[r] =
              ((at.image * out.h + at.a * out.step + out.first_h) * out.w + at.b * out.step + out.first_w) *
              columns;
        float* const packed = scratch + worker * scratch_floats;
        float* const row = packed + cut.scratch;
        for (int k = 0; k < g.terms() || k == 0; k += matmul_terms) {
          int const terms = g.terms() - k < matmul_terms ? g.terms() - k : matmul_terms;
          gather_rows<W>(g, x, pixel, rows, k, terms, packed, row);
          block_product<W, Layout::rows>(
              rows, terms, packed, panels + column / panel_columns<W> * panel_step + k * panel_columns<W>,
              panel_step, column, column_end,
              {y, offset, accumulate || k > 0, k > 0 ? nullptr : bias, k > 0 ? nullptr : residual});
        }
      });
}

template <int W>
inline std::int64_t product_workspace(std::int64_t pixels, int terms, int columns, int workers) {
  MatmulShape const shape{int(pixels), columns, terms};
  return round_up(columns, panel_columns<W>) * terms +
         workers * (MatmulCut<W>::of(shape, workers).scratch + round_up(matmul_terms, W));
}

/// Floats of workspace, enough for all three passes.
template <class Exec, int W = native_width>
std::int64_t conv2d_workspace(Exec const& exec, ConvShape s) {
  int const workers = worker_count(exec), taps = s.kernel * s.kernel;
  std::int64_t const out_pixels = std::int64_t(s.n) * s.out_h() * s.out_w();
  std::int64_t most = product_workspace<W>(out_pixels, taps * s.in, s.out, workers);
  for (int ph = 0; ph < s.stride; ++ph)
    for (int pw = 0; pw < s.stride; ++pw) {
      Gather const g = backward_gather(s, ph, pw);
      std::int64_t const cut = product_workspace<W>(g.pixels(), g.terms(), s.in, workers);
      std::int64_t const floats = cut + round_up(s.in, panel_columns<W>) * (taps * s.out - g.terms());
      if (floats > most) most = floats;
    }
  std::int64_t const weights = Reduction{s.out, taps * s.in, out_pixels}.workspace<W>(workers);
  return weights > most ? weights : most;
}

/// y (N,Ho,Wo,K) = x (N,H,W,C) convolved with weight (K,C,k,k) [+ bias (K)] [+ residual, of y's shape; may be
/// y itself]. Null bias or residual: none. workspace: conv2d_workspace floats, best aligned to 64 bytes.
template <class Exec, int W = native_width>
void conv2d_forward(Exec const& exec, ConvShape s, float const* x, float const* weight, float const* bias,
                    float const* residual, float* y, float* workspace) {
  int const taps = s.kernel * s.kernel;
  Gather const g = forward_gather(s);
  std::ptrdiff_t const panel_step = static_cast<std::ptrdiff_t>(g.terms()) * panel_columns<W>;
  for_items(exec, "glyphdiff::conv2d::pack", divide_up(s.out, panel_columns<W>),
            [=](int, std::ptrdiff_t panel) {
              int const first = int(panel) * panel_columns<W>;
              pack_panel<W>(taps * s.in, s.out - first < panel_columns<W> ? s.out - first : panel_columns<W>,
                            weight + first * std::ptrdiff_t(taps) * s.in, std::ptrdiff_t(taps) * s.in,
                            Transpose::yes, workspace + panel * panel_step,
                            [=](std::ptrdiff_t row) { return row % taps * s.in + row / taps; });
            });
  auto const cut = MatmulCut<W>::of({int(g.pixels()), s.out, g.terms()}, worker_count(exec));
  gathered_product<W>(exec, "glyphdiff::conv2d::forward", g, x, s.out, workspace, panel_step,
                      {s.out_h(), s.out_w(), 1, 0, 0}, y, false, bias, residual, cut,
                      cut.scratch + round_up(matmul_terms, W),
                      workspace + round_up(s.out, panel_columns<W>) * g.terms());
}

/// dx (N,H,W,C) = [accumulate: dx +] the data gradient of dy (N,Ho,Wo,K).
template <class Exec, int W = native_width>
void conv2d_backward_data(Exec const& exec, ConvShape s, float const* dy, float const* weight, float* dx,
                          bool accumulate, float* workspace) {
  int const taps = s.kernel * s.kernel;
  std::ptrdiff_t const panel_step = static_cast<std::ptrdiff_t>(taps) * s.out * panel_columns<W>;
  float* const scratch = workspace + round_up(s.in, panel_columns<W>) * taps * s.out;
  int done = 0;  // taps of the parities before this one: their rows come first in every panel
  for (int ph = 0; ph < s.stride; ++ph)
    for (int pw = 0; pw < s.stride; ++pw) {
      Gather const g = backward_gather(s, ph, pw);
      float* const panels = workspace + static_cast<std::ptrdiff_t>(done) * s.out * panel_columns<W>;
      for_items(exec, "glyphdiff::conv2d::pack", divide_up(s.in, panel_columns<W>),
                [=](int, std::ptrdiff_t panel) {
                  int const first = int(panel) * panel_columns<W>;
                  int const columns = s.in - first < panel_columns<W> ? s.in - first : panel_columns<W>;
                  float* const to = panels + panel * panel_step;
                  if (s.kernel == 1) {
                    if (g.taps > 0) pack_panel<W>(s.out, columns, weight + first, s.in, Transpose::no, to);
                    return;
                  }
                  auto const weights = Weights::backward(s, weight);
                  for (int k = 0; k < s.out; ++k)
                    for (int c = 0; c < panel_columns<W>; c += W) {
                      Lanes<W> loaded[9];
                      load_taps<W>(weights, k, first + c, columns - c < W ? columns - c : W, loaded);
                      for (int t = 0; t < g.taps; ++t)
                        store<W>(to + (static_cast<std::ptrdiff_t>(t) * s.out + k) * panel_columns<W> + c,
                                 loaded[g.weight[t]]);
                    }
                });
      if (g.pixels() > 0 && !(g.taps == 0 && accumulate)) {
        auto const cut = MatmulCut<W>::of({int(g.pixels()), s.in, g.terms()}, worker_count(exec));
        gathered_product<W>(exec, "glyphdiff::conv2d::backward_data", g, dy, s.in, panels, panel_step,
                            {s.h, s.w, s.stride, ph, pw}, dx, accumulate, nullptr, nullptr, cut,
                            cut.scratch + round_up(matmul_terms, W), scratch);
      }
      done += g.taps;
    }
}

/// dweight (K,C,k,k) += and dbias (K; null: none) += the gradients from x (N,H,W,C) and dy (N,Ho,Wo,K).
template <class Exec, int W = native_width>
void conv2d_backward_weight(Exec const& exec, ConvShape s, float const* x, float const* dy, float* dweight,
                            float* dbias, float* workspace) {
  int const taps = s.kernel * s.kernel;
  Gather const g = forward_gather(s);
  auto const pack_rows = [=](std::int64_t pixel, int count, int row, int rows, float* to) {
    pack_a<W>(rows, count, dy + pixel * s.out + row, s.out, Transpose::yes, to);
  };
  auto const pack_columns = [=](std::int64_t pixel, int count, int column, int columns, float* to) {
    gather_panels<W>(g, x, pixel, count, column, columns, to);
  };
  auto const finish = [=](int k, float const* values, float sum) {
    float* const to = dweight + static_cast<std::ptrdiff_t>(k) * s.in * taps;
    for (int t = 0; t < taps; ++t)
      for (int c = 0; c < s.in; ++c) to[c * taps + t] += values[t * s.in + c];
    if (dbias != nullptr) dbias[k] += sum;
  };
  reduce<W>(exec, "glyphdiff::conv2d::backward_weight", Reduction{s.out, g.terms(), g.pixels()},
            dbias != nullptr, pack_rows, pack_columns, finish, workspace);
}

}  // namespace glyphdiff::kernels::host::direct
