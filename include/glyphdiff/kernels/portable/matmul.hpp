#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/pack.hpp>
#include <glyphdiff/kernels/shapes.hpp>

/// Matrix products for execution spaces without a kernel of their own: register tiles read through the cache.
namespace glyphdiff::kernels::portable {

inline constexpr int tile = 4;      ///< outputs per thread in each direction
inline constexpr int slice = 2048;  ///< longest run of products that one thread adds up

inline int tiles(std::int64_t extent) { return int((extent + tile - 1) / tile); }
inline int slices(std::int64_t extent) { return int((extent + slice - 1) / slice); }

/// Floats of scratch that matmul needs.
inline std::int64_t matmul_workspace(MatmulShape s) {
  return slices(s.k) > 1 ? std::int64_t(slices(s.k)) * s.m * s.n : 0;
}

/// c (m,n) = [accumulate: c +] op(a) op(b) [+ bias (n)] [+ residual (m,n)]; see kernels/matmul.hpp. Long sums
/// are cut into fixed slices that are added in index order.
template <class Exec, class A, class B, class C>
void matmul(Exec const& exec, MatmulShape s, A const* a, int lda, Transpose ta, B const* b, int ldb,
            Transpose tb, C* c, int ldc, bool accumulate, float const* bias, C const* residual,
            float* workspace) {
  std::int64_t const a_row = ta == Transpose::no ? lda : 1, a_column = ta == Transpose::no ? 1 : lda;
  std::int64_t const b_row = tb == Transpose::no ? ldb : 1, b_column = tb == Transpose::no ? 1 : ldb;
  int const row_tiles = tiles(s.m), column_tiles = tiles(s.n), cuts = slices(s.k);
  std::int64_t const area = std::int64_t(s.m) * s.n;
  for_each(
      "glyphdiff::matmul", exec, std::int64_t(cuts) * row_tiles * column_tiles,
      KOKKOS_LAMBDA(std::int64_t item) {
        int const j_begin = int(item % column_tiles) * tile;
        int const i_begin = int(item / column_tiles % row_tiles) * tile;
        int const cut = int(item / column_tiles / row_tiles);
        int const k_begin = cut * slice, k_end = k_begin + slice < s.k ? k_begin + slice : s.k;
        int const rows = s.m - i_begin < tile ? s.m - i_begin : tile;
        int const columns = s.n - j_begin < tile ? s.n - j_begin : tile;
        float sum[tile][tile] = {};
        for (int k = k_begin; k < k_end; ++k) {
          float right[tile];
          for (int j = 0; j < tile; ++j) {
            int const column = j_begin + (j < columns ? j : columns - 1);
            right[j] = to_float(b[k * b_row + column * b_column]);
          }
          for (int i = 0; i < tile; ++i) {
            int const row = i_begin + (i < rows ? i : rows - 1);
            float const left = to_float(a[row * a_row + k * a_column]);
            for (int j = 0; j < tile; ++j) sum[i][j] = fused(left, right[j], sum[i][j]);
          }
        }
        for (int i = 0; i < tile; ++i)
          for (int j = 0; j < tile; ++j) {
            if (i >= rows || j >= columns) continue;
            std::int64_t const row = i_begin + i, column = j_begin + j;
            if (cuts > 1) {
              workspace[cut * area + row * s.n + column] = sum[i][j];
            } else {
              float value = sum[i][j];
              if (bias != nullptr) value += bias[column];
              if (residual != nullptr) value += to_float(residual[row * ldc + column]);
              if (accumulate) value += to_float(c[row * ldc + column]);
              put(value, c + row * ldc + column);
            }
          }
      });
  if (cuts == 1) return;
  for_each(
      "glyphdiff::matmul::add_slices", exec, area, KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const row = item / s.n, column = item % s.n;
        double value = 0;
        for (int cut = 0; cut < cuts; ++cut) value += workspace[cut * area + item];
        if (bias != nullptr) value += bias[column];
        if (residual != nullptr) value += to_float(residual[row * ldc + column]);
        if (accumulate) value += to_float(c[row * ldc + column]);
        put(float(value), c + row * ldc + column);
      });
}

}  // namespace glyphdiff::kernels::portable
