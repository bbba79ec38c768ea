#include "../arrays.hpp"
#include "../spaces.hpp"

#include <glyphdiff/kernels/matmul.hpp>

#include <doctest/doctest.h>

namespace kernels_matmul_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;
using kernels::Transpose;

namespace {

struct Case {
  kernels::MatmulShape shape;
  Transpose ta = Transpose::no, tb = Transpose::no;
  bool accumulate = false, bias = false, residual = false;
  int gap = 0;  // floats between the end of a row and the next
};

// Nothing a multiple of a tile, sums longer than a slice, and every option.
Case const cases[] = {
    {{1, 1, 1}},
    {{1, 5, 3}, Transpose::no, Transpose::yes, false, true},
    {{7, 33, 5}, Transpose::no, Transpose::yes, false, true, true},
    {{33, 48, 16}, Transpose::no, Transpose::no, true},
    {{48, 3, 5000}, Transpose::yes, Transpose::no, true, false, false, 3},
    {{17, 21, 2049}, Transpose::no, Transpose::yes, true, true, true},
    {{35, 19, 70}, Transpose::yes, Transpose::yes, false, true, false, 5},
    {{130, 67, 33}, Transpose::no, Transpose::no, false, false, true},
};

struct Operands {
  int lda, ldb, ldc;
  std::vector<float> a, b, c, bias, residual;
  explicit Operands(Case const& t)
      : lda((t.ta == Transpose::no ? t.shape.k : t.shape.m) + t.gap),
        ldb((t.tb == Transpose::no ? t.shape.n : t.shape.k) + t.gap),
        ldc(t.shape.n + t.gap),
        a(values(std::int64_t(t.ta == Transpose::no ? t.shape.m : t.shape.k) * lda, 1)),
        b(values(std::int64_t(t.tb == Transpose::no ? t.shape.k : t.shape.n) * ldb, 2)),
        c(values(std::int64_t(t.shape.m) * ldc, 3)),
        bias(values(t.shape.n, 4)),
        residual(values(std::int64_t(t.shape.m) * ldc, 5)) {}
};

template <class On>
std::vector<float> run(Case const& t) {
  using Exec = typename On::Exec;
  typename On::Backend const backend;
  Exec const exec;
  Operands const host(t);
  auto const a = to_space<Exec>(host.a), b = to_space<Exec>(host.b), c = to_space<Exec>(host.c);
  auto const bias = to_space<Exec>(host.bias), residual = to_space<Exec>(host.residual);
  auto const scratch = unset<Exec>(kernels::matmul_workspace(backend, exec, t.shape, t.ta, t.tb));
  kernels::matmul(backend, exec, t.shape, a.data(), host.lda, t.ta, b.data(), host.ldb, t.tb, c.data(),
                  host.ldc, t.accumulate, t.bias ? bias.data() : nullptr,
                  t.residual ? residual.data() : nullptr, scratch.data());
  return to_host(c);
}

/// Also what must stay between the rows of c.
std::vector<double> reference(Case const& t) {
  Operands const o(t);
  std::vector<double> c(o.c.begin(), o.c.end());
  for (int i = 0; i < t.shape.m; ++i)
    for (int j = 0; j < t.shape.n; ++j) {
      double sum = t.accumulate ? o.c[i * o.ldc + j] : 0;
      for (int k = 0; k < t.shape.k; ++k)
        sum += double(t.ta == Transpose::no ? o.a[i * o.lda + k] : o.a[k * o.lda + i]) *
               (t.tb == Transpose::no ? o.b[k * o.ldb + j] : o.b[j * o.ldb + k]);
      if (t.bias) sum += o.bias[j];
      if (t.residual) sum += o.residual[i * o.ldc + j];
      c[i * o.ldc + j] = sum;
    }
  return c;
}

}  // namespace

TEST_CASE_TEMPLATE("a matrix product agrees with its definition", On, GLYPHDIFF_TEST_BACKENDS) {
  for (Case const& t : cases) {
    CAPTURE(t.shape.m);
    CAPTURE(t.shape.n);
    CAPTURE(t.shape.k);
    CHECK(relative_error(run<On>(t), reference(t)) < 2e-6);
  }
}

}  // namespace kernels_matmul_tests
