#include "../arenas.hpp"

#include <glyphdiff/optim/ema.hpp>

#include <doctest/doctest.h>

using namespace glyphdiff;

TEST_CASE("the warm-up begins low and ends at the rate") {
  CHECK(ema_rate(0.999, 0, true) == doctest::Approx(0.1));
  CHECK(ema_rate(0.999, 90, true) == doctest::Approx(0.91));
  CHECK(ema_rate(0.999, 1000000, true) == 0.999);
  CHECK(ema_rate(0.05, 0, true) == 0.05);
  CHECK(ema_rate(0.999, 0, false) == 0.999);
}

TEST_CASE_TEMPLATE("an average starts at the parameters and approaches them", Exec, GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  auto const p = to_arena<Exec>(std::vector<float>(19, 1.0f));
  Ema<Exec> const ema(exec, p, {0.75}, /*warm_up=*/false);
  auto const& average = ema.averages()[0].values;
  CHECK(to_host(average) == std::vector<float>(19, 1.0f));

  Kokkos::deep_copy(p, 5.0f);
  ema.update(exec, p, 0);
  CHECK(to_host(average) == std::vector<float>(19, 2.0f));
  ema.update(exec, p, 1);
  CHECK(to_host(average) == std::vector<float>(19, 2.75f));
}

TEST_CASE_TEMPLATE("with warm-up little of the initial weights is left after twenty steps", Exec,
                   GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  auto const p = to_arena<Exec>(std::vector<float>(3, 1.0f));
  Ema<Exec> const warm(exec, p, {0.9999}), cold(exec, p, {0.9999}, /*warm_up=*/false);
  Kokkos::deep_copy(p, 0.0f);
  for (int step = 0; step < 20; ++step) {
    warm.update(exec, p, step);
    cold.update(exec, p, step);
  }
  CHECK(to_host(warm.averages()[0].values)[0] < 1e-6f);
  CHECK(to_host(cold.averages()[0].values)[0] > 0.997f);
}

TEST_CASE("rates that make no average are refused") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  Arena<Exec> const p("p", 3);
  CHECK_THROWS_WITH_AS(Ema<Exec>(Exec(), p, {1.0}),
                       "The rate of a moving average must be at least 0 and below 1, not 1.000000.", Error);
  CHECK_THROWS_AS(Ema<Exec>(Exec(), p, {-0.5}), Error);
  CHECK_THROWS_WITH_AS(Ema<Exec>(Exec(), p, {0.5, 0.9, 0.5}),
                       "The moving averages must differ in rate, but 0.500000 is given twice.", Error);
}
