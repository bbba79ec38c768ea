#pragma once

#include <glyphdiff/kernels/host/micro.hpp>

/// Products whose sums are long and whose result is not: weight gradients, summed over pixels.
namespace glyphdiff::kernels::host {

/// The cut of a product c (m,n) of k terms: each slice of the terms is summed on its own, into a partial
/// result, and the partial results are added in index order. The cut depends on the shape only.
struct Reduction {
  int m, n;
  std::int64_t k;

  static constexpr int slice_terms = 512;         ///< shortest slice
  static constexpr int largest_count = 32;        ///< most slices
  static constexpr int partial_floats = 1 << 21;  ///< of all slices, unless one alone has more
  static constexpr int chunk_terms = 256;         ///< terms, rows and columns of one pair of packed blocks
  static constexpr int chunk_rows = 128;
  static constexpr int chunk_columns = 256;

  template <int W>
  std::ptrdiff_t row_floats() const {
    return round_up(n, panel_columns<W>);
  }
  /// Partial result of one slice: m rows, then the m row sums of A.
  template <int W>
  std::ptrdiff_t slice_floats() const {
    return m * row_floats<W>() + round_up(m, W);
  }
  template <int W>
  int slices() const {
    std::int64_t count = k / slice_terms;
    if (count > largest_count) count = largest_count;
    if (count > partial_floats / slice_floats<W>()) count = partial_floats / slice_floats<W>();
    return count < 1 ? 1 : static_cast<int>(count);
  }
  template <int W>
  std::int64_t workspace(int workers) const {
    return slices<W>() * slice_floats<W>() +
           static_cast<std::int64_t>(workers) * chunk_terms * (chunk_rows + chunk_columns);
  }
};

/// Computes the product; for every row r, in parallel, finish(r, values, row_sum) then gets its n values and
/// the sum of row r of A (zero unless `row_sums`). pack_a(first_term, terms, first_row, rows, to): a block of
/// A as [rows/W][terms][W], zeros beyond `rows`; pack_b(first_term, terms, first_column, columns, to): a
/// block of B as [columns/2W][terms][2W].
template <int W, class Exec, class PackA, class PackB, class Finish>
inline void reduce(Exec const& exec, char const* label, Reduction shape, bool row_sums, PackA const& pack_a,
                   PackB const& pack_b, Finish const& finish, float* workspace) {
  int const slices = shape.slices<W>();
  std::ptrdiff_t const row_floats = shape.row_floats<W>(), slice_floats = shape.slice_floats<W>();
  float* const scratch = workspace + slices * slice_floats;
  int const row_groups = static_cast<int>(divide_up(shape.m, Reduction::chunk_rows));
  int const column_groups = static_cast<int>(divide_up(shape.n, Reduction::chunk_columns));

  for_items(exec, label, static_cast<std::ptrdiff_t>(slices) * row_groups * column_groups,
            [=](int worker, std::ptrdiff_t item) {
              int const column = static_cast<int>(item % column_groups) * Reduction::chunk_columns;
              int const row = static_cast<int>(item / column_groups % row_groups) * Reduction::chunk_rows;
              std::int64_t const slice = item / column_groups / row_groups;
              int const columns =
                  shape.n - column < Reduction::chunk_columns ? shape.n - column : Reduction::chunk_columns;
              int const rows = shape.m - row < Reduction::chunk_rows ? shape.m - row : Reduction::chunk_rows;
              float* const a = scratch + static_cast<std::ptrdiff_t>(worker) * Reduction::chunk_terms *
                                             (Reduction::chunk_rows + Reduction::chunk_columns);
              float* const b = a + Reduction::chunk_terms * Reduction::chunk_rows;
              float* const partial = workspace + slice * slice_floats;
              float* const sums = partial + shape.m * row_floats;

              std::int64_t const begin = shape.k * slice / slices, end = shape.k * (slice + 1) / slices;
              for (std::int64_t term = begin; term < end; term += Reduction::chunk_terms) {
                int const terms = end - term < Reduction::chunk_terms ? static_cast<int>(end - term)
                                                                      : Reduction::chunk_terms;
                pack_a(term, terms, row, rows, a);
                pack_b(term, terms, column, columns, b);
                constexpr int step = micro_rows<W, Layout::columns>;
                for (int j = 0; j < columns; j += panel_columns<W>)
                  for (int r = 0; r < rows; r += step)
                    micro_product<W, Layout::columns>(
                        rows - r < step ? rows - r : step, columns - j > W ? 2 : 1,
                        {terms, a + static_cast<std::ptrdiff_t>(r / W) * terms * W + r % W, W,
                         b + static_cast<std::ptrdiff_t>(j) * terms, panel_columns<W>,
                         partial + (row + r) * row_floats + column + j, row_floats, term != begin});
                if (row_sums && column == 0)
                  for (int r = 0; r < rows; r += W) {
                    Lanes<W> sum{};
                    for (int t = 0; t < terms; ++t)
                      sum = sum + load<W>(a + (static_cast<std::ptrdiff_t>(r / W) * terms + t) * W);
                    store<W>(sums + row + r, term == begin ? sum : load<W>(sums + row + r) + sum);
                  }
              }
            });

  for_items(exec, label, shape.m, [=](int, std::ptrdiff_t row) {
    float* const values = workspace + row * row_floats;
    for (int slice = 1; slice < slices; ++slice)
      for (int j = 0; j < shape.n; ++j) values[j] += values[slice * slice_floats + j];
    float sum = 0;
    if (row_sums)
      for (int slice = 0; slice < slices; ++slice)
        sum += workspace[slice * slice_floats + shape.m * row_floats + row];
    finish(static_cast<int>(row), static_cast<float const*>(values), sum);
  });
}

}  // namespace glyphdiff::kernels::host
