#include "../arenas.hpp"

#include <glyphdiff/optim/ema.hpp>

#include <doctest/doctest.h>

namespace optim_power_profile_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

TEST_CASE("exponents of the widths that the paper names") {
  // Karras et al. 2024, appendix C: widths 0.05 and 0.10 are gamma 16.97 and 6.94.
  CHECK(power_exponent(0.05) == doctest::Approx(16.97).epsilon(1e-3));
  CHECK(power_exponent(0.10) == doctest::Approx(6.94).epsilon(1e-3));
  CHECK_THROWS_AS(power_exponent(0), Error);
  CHECK_THROWS_AS(power_exponent(0.3), Error);
  CHECK_THROWS_AS(power_exponent(NAN), Error);
}

TEST_CASE("a power-function average weighs the past by its profile and forgets the start") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  Exec const exec;
  int const steps = 2000, probe = 1200;
  double const exponent = power_exponent(0.1);
  auto const p = to_space<Exec>(std::vector<float>{100.0f, 0.0f, 0.0f});
  Ema<Exec> const ema(exec, p, {}, true, {0.1});
  for (int step = 0; step < steps; ++step) {
    // First value: nothing but the start. Second: time. Third: one update alone.
    assign<Exec>(p,
                 std::vector<float>{0.0f, float(step + 1) / steps, step + 1 == probe ? 1.0f : 0.0f}.data());
    ema.update(exec, p, step);
  }
  auto const average = to_host(ema.averages()[0].values);
  CHECK(average[0] == 0);
  CHECK(average[1] == doctest::Approx((exponent + 1) / (exponent + 2)).epsilon(1e-3));  // the mean of tau
  double const density = (exponent + 1) * std::pow(double(probe) / steps, exponent) / steps;
  CHECK(average[2] == doctest::Approx(density).epsilon(1e-2));
  CHECK_THROWS_AS(Ema<Exec>(exec, p, {}, true, {0.1, 0.1}), Error);
}

TEST_CASE("the overlap of two profiles is their integral") {
  for (auto [a, s, b, t] :
       {std::array{3.0, 50.0, 7.0, 80.0}, {7.0, 80.0, 3.0, 50.0}, {6.9, 10.0, 16.9, 10.0}}) {
    double sum = 0;
    int const cells = 200000;
    double const end = std::min(s, t);
    for (int i = 0; i < cells; ++i) {
      double const tau = (i + 0.5) / cells * end;
      sum += (a + 1) * std::pow(tau / s, a) / s * (b + 1) * std::pow(tau / t, b) / t * end / cells;
    }
    CHECK(power_overlap(a, s, b, t) == doctest::Approx(sum).epsilon(1e-6));
  }
}

}  // namespace optim_power_profile_tests
