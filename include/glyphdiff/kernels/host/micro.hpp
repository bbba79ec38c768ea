#pragma once

#include <glyphdiff/kernels/host/lanes.hpp>

#include <array>

/// The register block under every product of this folder.
namespace glyphdiff::kernels::host {

/// Where a packed operand A keeps element (row, k).
enum class Layout {
  rows,    ///< a[k / W * block + row * W + k % W]: vectors along k
  columns  ///< a[k * step + row]: vectors along the rows
};

/// One product of a register block: c (R rows, P*W columns) = or += a (R,k) b (k, P*W).
struct MicroProduct {
  int k;
  float const* a;
  std::ptrdiff_t a_step;  ///< floats between blocks of W k (Layout::rows) or between k (Layout::columns)
  float const* b;
  std::ptrdiff_t b_step;  ///< floats between rows of b
  float* c;
  std::ptrdiff_t c_step;  ///< floats between rows of c
  bool accumulate;
};

template <int W, int R, int P, Layout layout>
inline void micro_product(MicroProduct const& task) {
  using V = Lanes<W>;
  V sum[R][P];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int p = 0; p < P; ++p) sum[r][p] = V{};

  constexpr int row_step = layout == Layout::rows ? W : 1;
  std::ptrdiff_t const step = layout == Layout::rows ? 1 : task.a_step;
  float const* b = task.b;
  int const run = layout == Layout::rows ? W : task.k;
  for (int k = 0; k < task.k; k += run) {
    float const* a = task.a + (layout == Layout::rows ? k / W * task.a_step : 0);
    int const steps = task.k - k < run ? task.k - k : run;
    for (int s = 0; s < steps; ++s) {
      V row[P];
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) row[p] = load<W>(b + p * W);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        float const element = a[r * row_step];
#pragma GCC unroll 2
        for (int p = 0; p < P; ++p) sum[r][p] = row[p] * element + sum[r][p];
      }
      a += step;
      b += task.b_step;
    }
  }

  float* c = task.c;
  if (task.accumulate) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p)
        store<W>(c + r * task.c_step + p * W, load<W>(c + r * task.c_step + p * W) + sum[r][p]);
  } else {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) store<W>(c + r * task.c_step + p * W, sum[r][p]);
  }
}

template <int W, int P, Layout layout, int... R>
inline void micro_product_of(int rows, MicroProduct const& task, std::integer_sequence<int, R...>) {
  using Function = void (*)(MicroProduct const&);
  static constexpr Function table[] = {&micro_product<W, R + 1, P, layout>...};
  table[rows - 1](task);
}

/// Most rows of one micro product.
template <int W, Layout layout>
inline constexpr int micro_rows = layout == Layout::rows ? block_rows<W> : W / 2;
template <>
inline constexpr int micro_rows<4, Layout::columns> = 4;

/// micro_product with the number of rows (1..micro_rows) and of vectors (1 or 2) chosen at run time.
template <int W, Layout layout>
inline void micro_product(int rows, int vectors, MicroProduct const& task) {
  constexpr auto sizes = std::make_integer_sequence<int, micro_rows<W, layout>>{};
  if (vectors == 1)
    micro_product_of<W, 1, layout>(rows, task, sizes);
  else
    micro_product_of<W, 2, layout>(rows, task, sizes);
}

/// Where the rows of a product go: row r is c + offset[r], with the same offsets for the residual. Products
/// are assigned or added; bias (one per column) and residual are added where not null.
struct Destination {
  float* c;
  std::ptrdiff_t const* offset;
  bool accumulate;
  float const* bias;
  float const* residual;
};

/// Rows [first, first + rows) and columns [column, column + columns) of a product, held in `block` (rows of
/// panel_columns<W>), into their destination.
template <int W>
inline void write_block(float const* block, int first, int rows, int column, int columns,
                        Destination const& to) {
  for (int r = 0; r < rows; ++r, block += panel_columns<W>) {
    std::ptrdiff_t const at = to.offset[first + r] + column;
    int j = 0;
    for (; j + W <= columns; j += W) {
      Lanes<W> v = load<W>(block + j);
      if (to.accumulate) v = v + load<W>(to.c + at + j);
      if (to.bias != nullptr) v = v + load<W>(to.bias + column + j);
      if (to.residual != nullptr) v = v + load<W>(to.residual + at + j);
      store<W>(to.c + at + j, v);
    }
    for (; j < columns; ++j) {
      float v = block[j];
      if (to.accumulate) v += to.c[at + j];
      if (to.bias != nullptr) v += to.bias[column + j];
      if (to.residual != nullptr) v += to.residual[at + j];
      to.c[at + j] = v;
    }
  }
}

/// Rows that a block of A in Layout::rows is packed for: an odd number of cache lines between two k / W,
/// since lines a power of two apart would fight for the same places in the cache.
constexpr std::ptrdiff_t packed_rows(std::ptrdiff_t rows) { return rows | 1; }

/// Rows of a packed block of A times columns [column, column_end) of B, `k` terms each.
/// a: Layout::rows [k/W][packed_rows][W], or Layout::columns [rows/W][k][W]; b: the panels [n/2W][...][2W] of
/// B, `panel_step` floats apart, starting with the one that holds `column`, a multiple of 2W.
template <int W, Layout layout>
inline void block_product(int rows, int k, float const* a, float const* b, std::ptrdiff_t panel_step,
                          int column, int column_end, Destination const& to) {
  alignas(64) float block[block_rows<W> * panel_columns<W>];
  auto const prefetch = [=](int first, int count, int at, int columns) {
    for (int r = first; r < first + count; ++r)
      for (int j = 0; j < columns; j += 16) {
        __builtin_prefetch(to.c + to.offset[r] + at + j, 1);
        if (to.residual != nullptr) __builtin_prefetch(to.residual + to.offset[r] + at + j);
      }
  };
  for (; column < column_end; column += panel_columns<W>, b += panel_step) {
    int const columns = column_end - column < panel_columns<W> ? column_end - column : panel_columns<W>;
    int const vectors = columns > W ? 2 : 1;
    if constexpr (layout == Layout::rows) {
      int const cuts = (rows + block_rows<W> - 1) / block_rows<W>;
      for (int cut = 0; cut < cuts; ++cut) {  // even cuts: no block is left with one row
        int const first = rows * cut / cuts, count = rows * (cut + 1) / cuts - first;
        prefetch(first, count, column, columns);
        micro_product<W, layout>(
            count, vectors,
            {k, a + first * W, packed_rows(rows) * W, b, panel_columns<W>, block, panel_columns<W>, false});
        write_block<W>(block, first, count, column, columns, to);
      }
    } else {
      constexpr int step = micro_rows<W, layout>;
      for (int first = 0; first < rows; first += step) {
        int const count = rows - first < step ? rows - first : step;
        prefetch(first, count, column, columns);
        micro_product<W, layout>(count, vectors,
                                 {k, a + first / W * static_cast<std::ptrdiff_t>(k) * W + first % W, W, b,
                                  panel_columns<W>, block, panel_columns<W>, false});
        write_block<W>(block, first, count, column, columns, to);
      }
    }
  }
}

}  // namespace glyphdiff::kernels::host
