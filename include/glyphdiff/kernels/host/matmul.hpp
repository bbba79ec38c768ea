#pragma once

#include <glyphdiff/kernels/host/micro.hpp>
#include <glyphdiff/kernels/host/reduction.hpp>
#include <glyphdiff/kernels/shapes.hpp>

/// Matrix products on the host's cores.
namespace glyphdiff::kernels::host {

/// How a product is computed. The choice depends on the shape only, and so do the order of every sum and the
/// bits of the result, whatever the number of workers.
enum class MatmulPlan {
  dots,      ///< a few rows of A times rows of B: dot products, nothing packed
  thin,      ///< a few rows of A, or a few terms: B is read where it lies
  blocks,    ///< B packed into panels, A packed block by block
  reduction  ///< long sums: fixed slices, added in order
};

inline MatmulPlan matmul_plan(MatmulShape s, Transpose ta, Transpose tb) {
  if (tb == Transpose::yes) return ta == Transpose::no && s.m <= 16 ? MatmulPlan::dots : MatmulPlan::blocks;
  if ((ta == Transpose::no ? s.m : s.k) <= 64) return MatmulPlan::thin;
  return ta == Transpose::yes && s.k >= Reduction::slice_terms ? MatmulPlan::reduction : MatmulPlan::blocks;
}

inline constexpr int matmul_terms = 1024;      ///< terms of a sum between two visits of C
inline constexpr int matmul_most_rows = 448;   ///< rows of a block of A
inline constexpr int matmul_floats = 1 << 17;  ///< of a block of A: half of a 1 MB L2

/// A block of A, [k/W][packed_rows][W] (Transpose::no) or [rows/W][k][W] (Transpose::yes: A is stored (k,m)),
/// zeros beyond; `a` points at its first element.
template <int W>
inline void pack_a(int rows, int k, float const* a, std::ptrdiff_t lda, Transpose transpose, float* to) {
  if (transpose == Transpose::no) {
    std::ptrdiff_t const step = packed_rows(rows) * W;
    for (int r = 0; r < rows; ++r, a += lda, to += W) {
      float* vector = to;
      for (int j = 0; j < k; j += W, vector += step) store<W>(vector, load_first<W>(a + j, k - j));
    }
  } else {
    for (int j = 0; j < k; ++j, a += lda)
      for (int r = 0; r < rows; r += W)
        store<W>(to + (static_cast<std::ptrdiff_t>(r) * k + j * W), load_first<W>(a + r, rows - r));
  }
}

/// One panel of B, [k][2W]: k rows and `columns` (1..2W) columns, zeros beyond; `b` points at its first
/// element (Transpose::yes: B is stored (n,k)). Row j of B becomes row place(j) of the panel.
template <int W, class Place>
inline void pack_panel(int k, int columns, float const* b, std::ptrdiff_t ldb, Transpose transpose, float* to,
                       Place const& place) {
  if (transpose == Transpose::no) {
    for (int j = 0; j < k; ++j, b += ldb) {
      float* const row = to + place(j) * panel_columns<W>;
      store<W>(row, load_first<W>(b, columns));
      store<W>(row + W, load_first<W>(b + W, columns - W));
    }
    return;
  }
  for (int first = 0; first < panel_columns<W>; first += W)
    for (int j = 0; j < k; j += W) {
      Lanes<W> v[W];
      for (int i = 0; i < W; ++i)
        v[i] = first + i < columns ? load_first<W>(b + (first + i) * ldb + j, k - j) : Lanes<W>{};
      host::transpose<W>(v);
      for (int i = 0; i < W && j + i < k; ++i) store<W>(to + place(j + i) * panel_columns<W> + first, v[i]);
    }
}

template <int W>
inline void pack_panel(int k, int columns, float const* b, std::ptrdiff_t ldb, Transpose transpose,
                       float* to) {
  pack_panel<W>(k, columns, b, ldb, transpose, to, [](std::ptrdiff_t row) { return row; });
}

/// Packs the panel of op(b) that starts at `column`.
template <int W>
inline void pack_panel_of(MatmulShape s, int column, float const* b, std::ptrdiff_t ldb, Transpose transpose,
                          float* to) {
  pack_panel<W>(s.k, s.n - column < panel_columns<W> ? s.n - column : panel_columns<W>,
                b + (transpose == Transpose::no ? column : column * ldb), ldb, transpose, to);
}

/// Rows [row, row + rows) (at most matmul_most_rows) and columns [column, column_end) of a product with
/// packed B, in cuts of matmul_terms; packed_a: scratch for one cut of the rows, rounded up to W both ways.
template <int W>
inline void rows_product(MatmulShape s, int row, int rows, int column, int column_end, float const* a,
                         std::ptrdiff_t lda, Transpose ta, float const* packed_b, float* c,
                         std::ptrdiff_t ldc, bool accumulate, float const* bias, float const* residual,
                         float* packed_a) {
  std::ptrdiff_t offset[matmul_most_rows];
  for (int r = 0; r < rows; ++r) offset[r] = (row + r) * ldc;
  std::ptrdiff_t const panel_step = static_cast<std::ptrdiff_t>(s.k) * panel_columns<W>;
  float const* const panels = packed_b + column / panel_columns<W> * panel_step;
  for (int k = 0; k < s.k || k == 0; k += matmul_terms) {
    int const terms = s.k - k < matmul_terms ? s.k - k : matmul_terms;
    Destination const to{c, offset, accumulate || k > 0, k > 0 ? nullptr : bias, k > 0 ? nullptr : residual};
    if (ta == Transpose::no) {
      pack_a<W>(rows, terms, a + row * lda + k, lda, ta, packed_a);
      block_product<W, Layout::rows>(rows, terms, packed_a, panels + k * panel_columns<W>, panel_step, column,
                                     column_end, to);
    } else {
      pack_a<W>(rows, terms, a + k * lda + row, lda, ta, packed_a);
      block_product<W, Layout::columns>(rows, terms, packed_a, panels + k * panel_columns<W>, panel_step,
                                        column, column_end, to);
    }
  }
}

/// Floats of scratch that matmul_serial needs.
template <int W>
inline std::int64_t matmul_serial_scratch(MatmulShape s) {
  return round_up(s.n, panel_columns<W>) * s.k +
         packed_rows(8 * W) * round_up(s.k < matmul_terms ? s.k : matmul_terms, W);
}

/// c (m,n) = [accumulate: c +] op(a) op(b), by the calling thread alone: for use inside a kernel, on operands
/// of up to a few hundred rows and columns. scratch: matmul_serial_scratch<W>(s) floats, best aligned to 64
/// bytes.
template <int W>
inline void matmul_serial(MatmulShape s, float const* a, int lda, Transpose ta, float const* b, int ldb,
                          Transpose tb, float* c, int ldc, bool accumulate, float* scratch) {
  constexpr int rows = 8 * W;
  std::ptrdiff_t const panel_step = static_cast<std::ptrdiff_t>(s.k) * panel_columns<W>;
  for (int j = 0; j < s.n; j += panel_columns<W>)
    pack_panel_of<W>(s, j, b, ldb, tb, scratch + j / panel_columns<W> * panel_step);
  for (int row = 0; row < s.m; row += rows)
    rows_product<W>(s, row, s.m - row < rows ? s.m - row : rows, 0, s.n, a, lda, ta, scratch, c, ldc,
                    accumulate, nullptr, nullptr, scratch + round_up(s.n, panel_columns<W>) * s.k);
}

/// How MatmulPlan::blocks cuts C into items: bands of rows times groups of columns.
template <int W>
struct MatmulCut {
  int rows, row_bands, columns, column_groups;
  std::int64_t scratch;  ///< floats per worker

  static MatmulCut of(MatmulShape s, int workers) {
    std::ptrdiff_t const terms = round_up(s.k < 1 ? 1 : s.k < matmul_terms ? s.k : matmul_terms, W);
    std::ptrdiff_t rows = matmul_floats / terms;
    if (rows > matmul_most_rows) rows = matmul_most_rows;
    std::ptrdiff_t const even_share = divide_up(s.m, 4 * workers);
    if (rows > even_share) rows = even_share;
    constexpr int unit = block_rows<W>;
    rows = rows < 4 * unit ? 4 * unit : rows / unit * unit;
    std::ptrdiff_t const bands = divide_up(s.m, rows);
    std::ptrdiff_t groups = divide_up(4 * workers, bands > 0 ? bands : 1),
                   panels = divide_up(s.n, panel_columns<W>);
    if (groups > panels) groups = panels;
    std::ptrdiff_t const columns = divide_up(panels, groups > 0 ? groups : 1) * panel_columns<W>;
    return {int(rows), int(bands), int(columns), groups > 0 ? int(divide_up(s.n, columns)) : 0,
            packed_rows(round_up(rows, W)) * terms};
  }
};

/// A tile of R x Q dot products of length k, R * Q = W, in the lanes of the result. Not inlined: where
/// multiplications and additions are fused must not depend on the caller.
template <int W, int R, int Q>
[[gnu::noinline]] inline Lanes<W> dot_tile(int k, float const* const (&a)[R], float const* const (&b)[Q]) {
  Lanes<W> sum[W];
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) sum[i] = Lanes<W>{};
  int j = 0;
  for (; j + W <= k; j += W) {
    Lanes<W> right[Q];
#pragma GCC unroll 4
    for (int q = 0; q < Q; ++q) right[q] = load<W>(b[q] + j);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      Lanes<W> const left = load<W>(a[r] + j);
#pragma GCC unroll 4
      for (int q = 0; q < Q; ++q) sum[r * Q + q] = left * right[q] + sum[r * Q + q];
    }
  }
  if (j < k)
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
      for (int q = 0; q < Q; ++q)
        sum[r * Q + q] = load_first<W>(a[r] + j, k - j) * load_first<W>(b[q] + j, k - j) + sum[r * Q + q];
  transpose<W>(sum);
  Lanes<W> total = sum[0];
#pragma GCC unroll 16
  for (int i = 1; i < W; ++i) total = total + sum[i];
  return total;
}

/// c (m,n; row stride ldc) = [accumulate: c +] op(a) op(b) [+ bias (n)] [+ residual (m,n; row stride ldc)].
/// Row-major; op(a) is (m,k), op(b) (k,n): Transpose::yes means that the operand is stored the other way
/// round, with the row stride lda or ldb of what is stored. Null bias or residual: none; the residual may be
/// c itself, a and b may not overlap it. workspace: matmul_workspace floats, best aligned to 64 bytes. The
/// bits of the result don't depend on the number of threads.
template <class Exec, int W = native_width>
void matmul(Exec const& exec, MatmulShape s, float const* a, int lda, Transpose ta, float const* b, int ldb,
            Transpose tb, float* c, int ldc, bool accumulate, float const* bias, float const* residual,
            float* workspace);

/// Floats of workspace that matmul needs.
template <class Exec, int W = native_width>
std::int64_t matmul_workspace(Exec const& exec, MatmulShape s, Transpose ta, Transpose tb) {
  int const workers = worker_count(exec);
  switch (matmul_plan(s, ta, tb)) {
    case MatmulPlan::dots:
      return 0;
    case MatmulPlan::thin:  // A packed, and a panel of B's last columns per worker
      return (ta == Transpose::no ? packed_rows(s.m) * round_up(s.k, W) : 0) +
             static_cast<std::int64_t>(workers) * s.k * panel_columns<W>;
    case MatmulPlan::blocks:
      return round_up(s.n, panel_columns<W>) * s.k + workers * MatmulCut<W>::of(s, workers).scratch;
    case MatmulPlan::reduction:
      return Reduction{s.m, s.n, s.k}.workspace<W>(workers);
  }
  return 0;
}

namespace detail {

template <int W, class Exec>
void matmul_dots(Exec const& exec, MatmulShape s, float const* a, std::ptrdiff_t lda, float const* b,
                 std::ptrdiff_t ldb, float* c, std::ptrdiff_t ldc, bool accumulate, float const* bias,
                 float const* residual) {
  constexpr int R = W == 16 ? 4 : 2, Q = W / R, group = 4 * Q;
  for_items(exec, "glyphdiff::matmul::dots", divide_up(s.n, group), [=](int, std::ptrdiff_t item) {
    int const end = (item + 1) * group < s.n ? int(item + 1) * group : s.n;
    for (int column = int(item) * group; column < end; column += Q) {
      float const* right[Q];  // rows beyond the last repeat it; their products are dropped
      for (int q = 0; q < Q; ++q) right[q] = b + (column + q < s.n ? column + q : s.n - 1) * ldb;
      for (int row = 0; row < s.m; row += R) {
        float const* left[R];
        for (int r = 0; r < R; ++r) left[r] = a + (row + r < s.m ? row + r : s.m - 1) * lda;
        Lanes<W> const dots = dot_tile<W, R, Q>(s.k, left, right);
        for (int r = 0; r < R && row + r < s.m; ++r)
          for (int q = 0; q < Q && column + q < s.n; ++q) {
            std::ptrdiff_t const at = (row + r) * ldc + column + q;
            float value = dots[r * Q + q];
            if (accumulate) value += c[at];
            if (bias != nullptr) value += bias[column + q];
            if (residual != nullptr) value += residual[at];
            c[at] = value;
          }
      }
    }
  });
}

template <int W, class Exec>
void matmul_thin(Exec const& exec, MatmulShape s, float const* a, std::ptrdiff_t lda, Transpose ta,
                 float const* b, std::ptrdiff_t ldb, float* c, std::ptrdiff_t ldc, bool accumulate,
                 float const* bias, float const* residual, float* workspace) {
  // Transpose::no: an item is a panel of columns for all rows; Transpose::yes: a few rows, which are streamed
  // through.
  bool const packed = ta == Transpose::no;
  constexpr int row_step = micro_rows<W, Layout::columns>;
  float* const packed_a = workspace;
  float* const panels = workspace + (packed ? packed_rows(s.m) * round_up(s.k, W) : 0);
  if (packed) pack_a<W>(s.m, s.k, a, lda, ta, packed_a);
  std::ptrdiff_t const items = packed ? divide_up(s.n, panel_columns<W>) : divide_up(s.m, row_step);
  for_items(exec, "glyphdiff::matmul::thin", items, [=](int worker, std::ptrdiff_t item) {
    alignas(64) float block[block_rows<W> * panel_columns<W>];
    float* const last_panel = panels + static_cast<std::ptrdiff_t>(worker) * s.k * panel_columns<W>;
    int const first_row = packed ? 0 : int(item) * row_step;
    int const last_row = packed ? s.m : (s.m - first_row < row_step ? s.m : first_row + row_step);
    int const first_column = packed ? int(item) * panel_columns<W> : 0;
    int const last_column = packed ? first_column + 1 : s.n;
    std::ptrdiff_t offset[64];
    for (int r = first_row; r < last_row; ++r) offset[r - first_row] = r * ldc;
    Destination const to{c, offset, accumulate, bias, residual};
    for (int column = first_column; column < last_column; column += panel_columns<W>) {
      int const columns = s.n - column < panel_columns<W> ? s.n - column : panel_columns<W>;
      float const* right = b + column;
      std::ptrdiff_t right_step = ldb;
      if (columns < panel_columns<W>) {
        pack_panel<W>(s.k, columns, right, ldb, Transpose::no, last_panel);
        right = last_panel, right_step = panel_columns<W>;
      }
      int const vectors = columns > W ? 2 : 1;
      int const rows = last_row - first_row;
      int const cuts = packed ? int(divide_up(rows, block_rows<W>)) : 1;
      for (int cut = 0; cut < cuts; ++cut) {
        int const begin = rows * cut / cuts, count = rows * (cut + 1) / cuts - begin;
        if (packed)
          micro_product<W, Layout::rows>(count, vectors,
                                         {s.k, packed_a + begin * W, std::ptrdiff_t(packed_rows(s.m)) * W,
                                          right, right_step, block, panel_columns<W>, false});
        else
          micro_product<W, Layout::columns>(
              count, vectors, {s.k, a + first_row, lda, right, right_step, block, panel_columns<W>, false});
        write_block<W>(block, begin, count, column, columns, to);
      }
    }
  });
}

template <int W, class Exec>
void matmul_blocks(Exec const& exec, MatmulShape s, float const* a, std::ptrdiff_t lda, Transpose ta,
                   float const* b, std::ptrdiff_t ldb, Transpose tb, float* c, std::ptrdiff_t ldc,
                   bool accumulate, float const* bias, float const* residual, float* workspace) {
  auto const cut = MatmulCut<W>::of(s, worker_count(exec));
  std::ptrdiff_t const panel_step = static_cast<std::ptrdiff_t>(s.k) * panel_columns<W>;
  float* const scratch = workspace + round_up(s.n, panel_columns<W>) * s.k;
  for_items(exec, "glyphdiff::matmul::pack", divide_up(s.n, panel_columns<W>),
            [=](int, std::ptrdiff_t panel) {
              pack_panel_of<W>(s, int(panel) * panel_columns<W>, b, ldb, tb, workspace + panel * panel_step);
            });
  for_items(exec, "glyphdiff::matmul::blocks", std::ptrdiff_t(cut.row_bands) * cut.column_groups,
            [=](int worker, std::ptrdiff_t item) {
              int const row = int(item / cut.column_groups) * cut.rows,
                        column = int(item % cut.column_groups) * cut.columns;
              rows_product<W>(s, row, s.m - row < cut.rows ? s.m - row : cut.rows, column,
                              s.n - column < cut.columns ? s.n : column + cut.columns, a, lda, ta, workspace,
                              c, ldc, accumulate, bias, residual, scratch + worker * cut.scratch);
            });
}

template <int W, class Exec>
void matmul_reduction(Exec const& exec, MatmulShape s, float const* a, std::ptrdiff_t lda, float const* b,
                      std::ptrdiff_t ldb, float* c, std::ptrdiff_t ldc, bool accumulate, float const* bias,
                      float const* residual, float* workspace) {
  auto const pack_rows = [=](std::int64_t term, int terms, int row, int rows, float* to) {
    pack_a<W>(rows, terms, a + term * lda + row, lda, Transpose::yes, to);
  };
  auto const pack_columns = [=](std::int64_t term, int terms, int column, int columns, float* to) {
    for (int j = 0; j < columns; j += panel_columns<W>)
      pack_panel<W>(terms, columns - j < panel_columns<W> ? columns - j : panel_columns<W>,
                    b + term * ldb + column + j, ldb, Transpose::no,
                    to + static_cast<std::ptrdiff_t>(j) * terms);
  };
  auto const finish = [=](int row, float const* values, float) {
    std::ptrdiff_t const offset = 0;
    Destination const to{c + row * ldc, &offset, accumulate, bias,
                         residual == nullptr ? nullptr : residual + row * ldc};
    write_block<W>(values, 0, 1, 0, s.n, to);
  };
  reduce<W>(exec, "glyphdiff::matmul::reduction", Reduction{s.m, s.n, s.k}, false, pack_rows, pack_columns,
            finish, workspace);
}

}  // namespace detail

template <class Exec, int W>
void matmul(Exec const& exec, MatmulShape s, float const* a, int lda, Transpose ta, float const* b, int ldb,
            Transpose tb, float* c, int ldc, bool accumulate, float const* bias, float const* residual,
            float* workspace) {
  switch (matmul_plan(s, ta, tb)) {
    case MatmulPlan::dots:
      return detail::matmul_dots<W>(exec, s, a, lda, b, ldb, c, ldc, accumulate, bias, residual);
    case MatmulPlan::thin:
      return detail::matmul_thin<W>(exec, s, a, lda, ta, b, ldb, c, ldc, accumulate, bias, residual,
                                    workspace);
    case MatmulPlan::blocks:
      return detail::matmul_blocks<W>(exec, s, a, lda, ta, b, ldb, tb, c, ldc, accumulate, bias, residual,
                                      workspace);
    case MatmulPlan::reduction:
      return detail::matmul_reduction<W>(exec, s, a, lda, b, ldb, c, ldc, accumulate, bias, residual,
                                         workspace);
  }
}

}  // namespace glyphdiff::kernels::host
