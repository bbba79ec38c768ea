#pragma once

#include <glyphdiff/kernels/host/matmul.hpp>
#include <glyphdiff/kernels/portable/matmul.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>

namespace glyphdiff::kernels {

/// Floats of scratch that matmul needs.
template <class Value, class Exec>
std::int64_t matmul_workspace(PortableIn<Value>, Exec const&, MatmulShape s, Transpose, Transpose) {
  return portable::matmul_workspace(s);
}

/// c (m,n; row stride ldc) = [accumulate: c +] op(a) op(b) [+ bias (n)] [+ residual (m,n; row stride ldc)].
/// Row-major; null bias or residual: none. The bits of the result don't depend on the number of threads.
template <class Value, class Exec, class A, class B, class C>
void matmul(PortableIn<Value>, Exec const& exec, MatmulShape s, A const* a, int lda, Transpose ta, B const* b,
            int ldb, Transpose tb, C* c, int ldc, bool accumulate, float const* bias, C const* residual,
            float* workspace) {
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

/// c = [accumulate: c +] op(a) op(b) [+ bias] [+ residual], with row strides lda, ldb, ldc.
struct Matmul {
  static constexpr char const* name = "matmul";
  MatmulShape shape;
  int lda;
  Transpose ta;
  int ldb;
  Transpose tb;
  int ldc;
  bool accumulate = false;

  Work work(int value) const {
    return {
        double(value) * (double(shape.m) * shape.k + double(shape.k) * shape.n + double(shape.m) * shape.n),
        2.0 * shape.m * shape.n * shape.k};
  }
  template <class Backend, class Exec>
  std::int64_t scratch(Backend backend, Exec const& exec) const {
    return matmul_workspace(backend, exec, shape, ta, tb);
  }
  template <class Backend, class Exec, class A, class B, class C>
  void run(Backend backend, Exec const& exec, float* scratch, A const* a, B const* b, float const* bias,
           C const* residual, C* c) const {
    matmul(backend, exec, shape, a, lda, ta, b, ldb, tb, c, ldc, accumulate, bias, residual, scratch);
  }
};

#define GLYPHDIFF_MATMUL_KERNELS(MAKE, Exec) \
  MAKE(host::matmul_workspace<Exec>)         \
  MAKE(host::matmul<Exec>)                   \
  MAKE(portable::matmul<Exec, float, float, float>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_MATMUL_KERNELS)

}  // namespace glyphdiff::kernels
