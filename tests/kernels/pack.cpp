#include "../arrays.hpp"

#include <glyphdiff/kernels/pack.hpp>

#include <doctest/doctest.h>

// nvcc 13.0 ends with a segmentation fault on this file, which is about the host's vectors alone.
#if !defined(__CUDACC__)
namespace kernels_pack_tests {

using glyphdiff::kernels::Pack;

namespace {

/// f of every value, `W` at a time.
template <int W, class F>
std::vector<float> each(std::vector<float> x, F const& f) {
  x.resize((x.size() + W - 1) / W * W);
  for (std::size_t i = 0; i < x.size(); i += W) f(Pack<W>::load(x.data() + i)).store(x.data() + i);
  return x;
}

}  // namespace

TEST_CASE_TEMPLATE("the functions of a pack", Width, std::integral_constant<int, 1>,
                   std::integral_constant<int, 4>, std::integral_constant<int, 8>,
                   std::integral_constant<int, 16>) {
  constexpr int W = Width::value;
  auto const x = glyphdiff::test::values(4000, 1, 87.0f);
  auto const e = each<W>(x, [](Pack<W> p) { return exp(p); });
  auto const s = each<W>(x, [](Pack<W> p) { return sigmoid(p); });
  auto const silus = each<W>(x, [](Pack<W> p) { return silu(p); });
  auto const slopes = each<W>(x, [](Pack<W> p) { return silu_derivative(p); });
  double worst_exp = 0, worst_sigmoid = 0, worst_silu = 0, worst_slope = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    double const exact = std::exp(double(x[i])), logistic = 1 / (1 + std::exp(-double(x[i])));
    worst_exp = std::max(worst_exp, std::abs(e[i] / exact - 1));
    worst_sigmoid = std::max(worst_sigmoid, std::abs(s[i] / logistic - 1));
    worst_silu = std::max(worst_silu, std::abs(silus[i] - x[i] * logistic) / (1 + std::abs(x[i])));
    worst_slope = std::max(worst_slope, std::abs(slopes[i] - logistic * (1 + x[i] * (1 - logistic))));
  }
  CHECK(worst_exp < 2e-7);
  CHECK(worst_sigmoid < 4e-7);
  CHECK(worst_silu < 2e-7);
  CHECK(worst_slope < 1e-6);
}

TEST_CASE_TEMPLATE("packs at the ends of the range", Width, std::integral_constant<int, 1>,
                   std::integral_constant<int, 4>, std::integral_constant<int, 16>) {
  constexpr int W = Width::value;
  auto const one = [](auto const& f, float x) { return each<W>({x}, f)[0]; };
  auto const e = [](Pack<W> p) { return exp(p); };
  CHECK(one(e, 0.0f) == 1.0f);
  CHECK(one(e, -1000.0f) < 2e-38f);
  CHECK(one(e, -1000.0f) >= 0.0f);
  CHECK(std::isnan(one(e, NAN)));
  auto const logistic = [](Pack<W> p) { return sigmoid(p); };
  CHECK(one(logistic, 1000.0f) == 1.0f);
  CHECK(one(logistic, -1000.0f) < 2e-38f);
  CHECK(std::isnan(one(logistic, NAN)));
  auto const s = [](Pack<W> p) { return silu(p); };
  CHECK(one(s, 1000.0f) == 1000.0f);
  CHECK(std::abs(one(s, -1000.0f)) < 1e-34f);
}

}  // namespace kernels_pack_tests
#endif
