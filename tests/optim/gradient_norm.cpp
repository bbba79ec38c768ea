#include "../arenas.hpp"

#include <glyphdiff/optim/gradient_norm.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace optim_gradient_norm_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

TEST_CASE_TEMPLATE("the norm is exact to double precision, tails included", Exec, GLYPHDIFF_TEST_SPACES) {
  for (std::size_t const count : {0, 1, 15, 16, 17, 2047, 2048, 2049, 100003}) {
    CAPTURE(count);
    auto const values = scattered(count, 3);
    double expected = 0;
    for (float const x : values) expected += double(x) * x;
    GradientNorm<Exec> norm;
    CHECK(norm(Exec(), to_space<Exec>(values)) == doctest::Approx(std::sqrt(expected)).epsilon(1e-13));
  }
}

TEST_CASE_TEMPLATE("the norm neither overflows nor vanishes where a float's square would", Exec,
                   GLYPHDIFF_TEST_SPACES) {
  GradientNorm<Exec> norm;
  CHECK(norm(Exec(), to_space<Exec>(std::vector<float>{3e38f, 0.0f})) == doctest::Approx(3e38));
  CHECK(norm(Exec(), to_space<Exec>(std::vector<float>{3e-30f, 4e-30f})) == doctest::Approx(5e-30));
}

TEST_CASE_TEMPLATE("one broken gradient anywhere shows in the norm", Exec, GLYPHDIFF_TEST_SPACES) {
  GradientNorm<Exec> norm;
  for (std::size_t const at : {0, 2047, 4095, 4999}) {
    auto values = scattered(5000, 4);
    CHECK(std::isfinite(norm(Exec(), to_space<Exec>(values))));
    values[at] = std::numeric_limits<float>::quiet_NaN();
    CHECK_FALSE(std::isfinite(norm(Exec(), to_space<Exec>(values))));
    values[at] = -std::numeric_limits<float>::infinity();
    CHECK_FALSE(std::isfinite(norm(Exec(), to_space<Exec>(values))));
  }
}

TEST_CASE_TEMPLATE("the norm has the same bits on one thread and on several", Backend, kernels::Vectorised,
                   kernels::Portable) {
  auto const values = scattered(300007, 5);
  double expected = 0;
  for (float const x : values) expected += double(x) * x;
  auto const norm = [&](auto exec) {
    using Exec = decltype(exec);
    return GradientNorm<Exec>()(Runner<Exec, Backend>(exec), to_space<Exec>(values));
  };
  double const parallel = norm(Kokkos::DefaultHostExecutionSpace());
  CHECK(norm(Kokkos::Serial()) == parallel);
  CHECK(parallel == doctest::Approx(std::sqrt(expected)).epsilon(1e-13));
}

TEST_CASE("one thread of a device adds few sums, however large the gradient") {
  for (std::int64_t const count : {0, 1, 255, 256, 257, 32768, 32769, 300007, 1 << 30}) {
    CAPTURE(count);
    CHECK(kernels::square_sums<kernels::Portable>(count) == std::min<std::int64_t>(count, 256));
  }
}

TEST_CASE("clipping brings a large gradient to the limit and leaves a small one alone") {
  CHECK(clip_factor(0.5, 1.0) == 1.0);
  CHECK(clip_factor(4.0, 1.0) == doctest::Approx(0.25).epsilon(1e-6));
  CHECK(clip_factor(0.0, 1.0) == 1.0);
  CHECK(std::isnan(clip_factor(std::nan(""), 1.0)));
}

}  // namespace optim_gradient_norm_tests
