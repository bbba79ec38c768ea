#pragma once

#include <glyphdiff/kernels/host/matmul.hpp>
#include <glyphdiff/kernels/portable/matmul.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>

namespace glyphdiff::kernels {

/// Floats of scratch that matmul needs.
template <class Exec>
std::int64_t matmul_workspace(Portable, Exec const&, MatmulShape s, Transpose, Transpose) {
  return portable::matmul_workspace(s);
}

/// c (m,n; row stride ldc) = [accumulate: c +] op(a) op(b) [+ bias (n)] [+ residual (m,n; row stride ldc)].
/// Row-major; null bias or residual: none. The bits of the result don't depend on the number of threads.
template <class Exec>
void matmul(Portable, Exec const& exec, MatmulShape s, float const* a, int lda, Transpose ta, float const* b,
            int ldb, Transpose tb, float* c, int ldc, bool accumulate, float const* bias,
            float const* residual, float* workspace) {
  portable::matmul(exec, s, a, lda, ta, b, ldb, tb, c, ldc, accumulate, bias, residual, workspace);
}

template <class Exec>
std::int64_t matmul_workspace(Vectorised, Exec const& exec, MatmulShape s, Transpose ta, Transpose tb) {
  return host::matmul_workspace(exec, s, ta, tb);
}

template <class Exec>
void matmul(Vectorised, Exec const& exec, MatmulShape s, float const* a, int lda, Transpose ta,
            float const* b, int ldb, Transpose tb, float* c, int ldc, bool accumulate, float const* bias,
            float const* residual, float* workspace) {
  host::matmul(exec, s, a, lda, ta, b, ldb, tb, c, ldc, accumulate, bias, residual, workspace);
}

#define GLYPHDIFF_MATMUL_KERNELS(MAKE, Exec) \
  MAKE(host::matmul_workspace<Exec>)         \
  MAKE(host::matmul<Exec>)                   \
  MAKE(portable::matmul<Exec>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_MATMUL_KERNELS)

}  // namespace glyphdiff::kernels
