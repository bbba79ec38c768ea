#include <glyphdiff/kernels/host/matmul.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace kernels_host_matmul_tests {

namespace host = glyphdiff::kernels::host;
using glyphdiff::kernels::MatmulShape;
using glyphdiff::kernels::Transpose;

namespace {

std::vector<float> noise(std::size_t count, std::uint32_t seed) {
  std::vector<float> values(count);
  for (float& v : values) {
    seed = seed * 1664525u + 1013904223u;
    v = float(seed >> 8) / 8388608.0f - 1.0f;
  }
  return values;
}

struct Case {
  MatmulShape shape;
  Transpose ta, tb;
  int extra = 0;  // floats between the end of a row and the next
  bool accumulate = false, bias = false, residual = false;
};

struct Operands {
  explicit Operands(Case const& t)
      : lda((t.ta == Transpose::no ? t.shape.k : t.shape.m) + t.extra),
        ldb((t.tb == Transpose::no ? t.shape.n : t.shape.k) + t.extra),
        ldc(t.shape.n + t.extra),
        a(noise(std::size_t(t.ta == Transpose::no ? t.shape.m : t.shape.k) * lda, 1)),
        b(noise(std::size_t(t.tb == Transpose::no ? t.shape.k : t.shape.n) * ldb, 2)),
        c(noise(std::size_t(t.shape.m) * ldc, 3)),
        bias(noise(t.shape.n, 4)),
        residual(noise(std::size_t(t.shape.m) * ldc, 5)) {}
  int lda, ldb, ldc;
  std::vector<float> a, b, c, bias, residual;
};

/// Largest error in units of the sum of magnitudes of each element's terms; infinite if the gap after a row
/// was written.
double error(Case const& t, Operands const& o, std::vector<float> const& result) {
  double worst = 0;
  for (int i = 0; i < t.shape.m; ++i) {
    for (int j = 0; j < t.shape.n; ++j) {
      double sum = 0, scale = 0;
      auto const add = [&](double term) { sum += term, scale += std::abs(term); };
      for (int k = 0; k < t.shape.k; ++k)
        add(double(t.ta == Transpose::no ? o.a[std::size_t(i) * o.lda + k]
                                         : o.a[std::size_t(k) * o.lda + i]) *
            (t.tb == Transpose::no ? o.b[std::size_t(k) * o.ldb + j] : o.b[std::size_t(j) * o.ldb + k]));
      std::size_t const at = std::size_t(i) * o.ldc + j;
      if (t.accumulate) add(o.c[at]);
      if (t.bias) add(o.bias[j]);
      if (t.residual) add(o.residual[at]);
      double const off = std::abs(result[at] - sum) / scale;
      if (!(off <= worst)) worst = off;
    }
    for (int j = t.shape.n; j < o.ldc; ++j)
      if (result[std::size_t(i) * o.ldc + j] != o.c[std::size_t(i) * o.ldc + j]) return INFINITY;
  }
  return worst;
}

template <int W, class Exec>
std::vector<float> product(Case const& t, Operands const& o) {
  Exec const exec;
  auto const size = std::size_t(host::matmul_workspace<Exec, W>(exec, t.shape, t.ta, t.tb));
  std::vector<float> workspace(size + 1, NAN), c = o.c;  // what the workspace held must not matter
  workspace[size] = 7;
  host::matmul<Exec, W>(exec, t.shape, o.a.data(), o.lda, t.ta, o.b.data(), o.ldb, t.tb, c.data(), o.ldc,
                        t.accumulate, t.bias ? o.bias.data() : nullptr,
                        t.residual ? o.residual.data() : nullptr, workspace.data());
  CHECK(workspace[size] == 7);
  return c;
}

template <int W>
void check(Case const& t) {
  CAPTURE(W);
  CAPTURE(t.shape.m);
  CAPTURE(t.shape.n);
  CAPTURE(t.shape.k);
  CAPTURE(int(t.ta));
  CAPTURE(int(t.tb));
  Operands const o(t);
  auto const c = product<W, Kokkos::DefaultHostExecutionSpace>(t, o);
  CHECK(error(t, o, c) < 1e-6);
#if defined(KOKKOS_ENABLE_SERIAL)
  CHECK(c == product<W, Kokkos::Serial>(t, o));
#endif
}

template <int W>
void check_all(MatmulShape shape) {
  for (Transpose ta : {Transpose::no, Transpose::yes})
    for (Transpose tb : {Transpose::no, Transpose::yes}) {
      check<W>({shape, ta, tb});
      check<W>({shape, ta, tb, 5, true, true, true});
    }
}

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("host matmul agrees with a double loop in every layout", Width, host_matmul) {
  constexpr int W = Width::value;
  for (MatmulShape shape : {MatmulShape{1, 1, 1},
                            {1, 33, 17},
                            {3, 5, 7},
                            {14, 32, 16},
                            {16, 64, 100},
                            {17, 40, 65},
                            {64, 31, 64},
                            {65, 97, 33},
                            {130, 70, 130},
                            {200, 16, 9},
                            {40, 3, 700}})
    check_all<W>(shape);
}
TEST_CASE_TEMPLATE_INVOKE(host_matmul, std::integral_constant<int, 4>, std::integral_constant<int, 8>,
                          std::integral_constant<int, 16>);

TEST_CASE("host matmul cuts long sums and large results") {
  check<glyphdiff::kernels::native_width>(
      {{20, 33, 2500}, Transpose::no, Transpose::yes, 0, false, true, true});
  check<glyphdiff::kernels::native_width>(
      {{150, 40, 9000}, Transpose::yes, Transpose::no, 0, true, false, false});
  check<glyphdiff::kernels::native_width>(
      {{20, 300, 1100}, Transpose::yes, Transpose::no, 3, false, false, false});
  check<glyphdiff::kernels::native_width>(
      {{1500, 40, 48}, Transpose::no, Transpose::yes, 0, false, true, true});
}

TEST_CASE("host matmul: a sum over no terms is what is added to it") {
  Case const t{{5, 6, 0}, Transpose::no, Transpose::no, 0, true, true, false};
  Operands const o(t);
  auto const c = product<16, Kokkos::DefaultHostExecutionSpace>(t, o);
  CHECK(error(t, o, c) < 1e-6);
}

TEST_CASE("host matmul for one thread agrees with a double loop") {
  for (MatmulShape shape : {MatmulShape{64, 256, 64}, {64, 64, 256}, {7, 19, 33}, {300, 20, 40}})
    for (Transpose ta : {Transpose::no, Transpose::yes})
      for (Transpose tb : {Transpose::no, Transpose::yes})
        for (bool accumulate : {false, true}) {
          Case const t{shape, ta, tb, 3, accumulate};
          Operands const o(t);
          auto c = o.c;
          constexpr int W = glyphdiff::kernels::native_width;
          std::vector<float> scratch(host::matmul_serial_scratch<W>(shape) + 1, NAN);
          scratch.back() = 7;
          host::matmul_serial<W>(shape, o.a.data(), o.lda, ta, o.b.data(), o.ldb, tb, c.data(), o.ldc,
                                 accumulate, scratch.data());
          CHECK(scratch.back() == 7);
          CHECK(error(t, o, c) < 1e-6);
        }
}

}  // namespace kernels_host_matmul_tests
