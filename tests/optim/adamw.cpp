#include "../arenas.hpp"
#include "../golden/golden.hpp"

#include <glyphdiff/optim/adamw.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

using namespace glyphdiff;

namespace {

/// The largest relative difference of single values; differences of values below `floor` count as if at the
/// floor.
double relative_error(std::vector<float> const& ours, float const* expected, double floor) {
  double worst = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    double const e = expected[i];
    worst = std::max(worst, std::abs(ours[i] - e) / std::max(std::abs(e), floor));
  }
  return worst;
}

/// Three updates of 5000 parameters; whatever happens must end in the same bits as elsewhere.
template <class Exec>
std::vector<float> three_updates() {
  Exec const exec;
  auto const p = to_arena<Exec>(scattered(5003, 1));
  Ema<Exec> const ema(exec, p, {0.5, 0.9});
  AdamW<Exec> adamw(5003, {.weight_decay = 0.1});
  for (unsigned step = 0; step < 3; ++step)
    adamw.update(exec, p, to_arena<Exec>(scattered(5003, 10 + step)), 1e-3, ema);
  auto all = to_host(p);
  for (auto const& average : ema.averages())
    for (float const x : to_host(average.values)) all.push_back(x);
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("AdamW and EMA follow PyTorch through twenty gradients of very different sizes", Exec,
                   GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  auto const grads = golden::array("adamw/grads"), params = golden::array("adamw/params"),
             averages = golden::array("adamw/ema");
  std::size_t const count = std::size_t(grads.extent(1));
  REQUIRE(grads.extent(0) == 20);

  Arena<Exec> const p("p", count), g("g", count);
  assign<Exec>(p, golden::array("adamw/params0").values.data());
  Ema<Exec> const ema(exec, p, {0.99}, /*warm_up=*/false);
  AdamW<Exec> adamw(std::int64_t(count), {.weight_decay = 0.01});
  for (std::size_t step = 0; step < 20; ++step) {
    CAPTURE(step);
    assign<Exec>(g, grads.values.data() + step * count);
    adamw.update(exec, p, g, 1e-3, ema);
    CHECK(relative_error(to_host(p), params.values.data() + step * count, 1e-1) < 1e-6);
    CHECK(relative_error(to_host(ema.averages()[0].values), averages.values.data() + step * count, 1e-1) <
          1e-6);
    auto const gradients = to_host(g);
    CHECK(std::all_of(gradients.begin(), gradients.end(), [](float x) { return x == 0.0f; }));
  }
  CHECK(adamw.steps == 20);
  // Terms of the first moment may cancel, so each value is compared relative to its largest term.
  auto const moment = to_host(adamw.first_moment);
  auto const expected = golden::array("adamw/exp_avg").values;
  for (std::size_t i = 0; i < count; ++i) {
    float largest = 0;
    for (std::size_t step = 0; step < 20; ++step)
      largest = std::max(largest, 0.1f * std::abs(grads.values[step * count + i]));
    REQUIRE(std::abs(moment[i] - expected[i]) <= 1e-6f * largest);
  }
  CHECK(relative_error(to_host(adamw.second_moment), golden::array("adamw/exp_avg_sq").values.data(), 1e-20) <
        1e-6);
}

TEST_CASE_TEMPLATE("the gradient scale is part of the gradient", Exec, GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  auto const values = scattered(37, 1), gradients = scattered(37, 2);
  auto quarter = gradients;
  for (float& x : quarter) x *= 0.25f;

  auto const p = to_arena<Exec>(values), q = to_arena<Exec>(values);
  AdamW<Exec> scaled(37), plain(37);
  scaled.update(exec, p, to_arena<Exec>(gradients), 1e-2, {}, 0.25);
  plain.update(exec, q, to_arena<Exec>(quarter), 1e-2);
  CHECK(to_host(p) == to_host(q));
  CHECK(to_host(scaled.second_moment) == to_host(plain.second_moment));
}

TEST_CASE_TEMPLATE("more averages than one pass takes all follow", Exec, GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  auto const initial = scattered(41, 1);
  auto const p = to_arena<Exec>(initial);
  std::vector<double> const rates{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
  Ema<Exec> const ema(exec, p, rates, /*warm_up=*/false);
  AdamW<Exec> adamw(41);
  adamw.update(exec, p, to_arena<Exec>(scattered(41, 2)), 1.0, ema);
  auto const updated = to_host(p);
  for (std::size_t k = 0; k < rates.size(); ++k) {
    auto const average = to_host(ema.averages()[k].values);
    for (std::size_t i = 0; i < average.size(); ++i)
      CHECK(average[i] == doctest::Approx(rates[k] * initial[i] + (1 - rates[k]) * updated[i]).epsilon(1e-5));
  }
}

TEST_CASE("the result has the same bits on one thread and on several") {
  auto const reference = three_updates<Kokkos::Serial>();
  auto const parallel = three_updates<Kokkos::DefaultHostExecutionSpace>();
  REQUIRE(reference.size() == parallel.size());
  CHECK(std::memcmp(reference.data(), parallel.data(), reference.size() * sizeof(float)) == 0);
}

TEST_CASE("options and arenas that do not fit are refused") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  CHECK_THROWS_WITH_AS(AdamW<Exec>(4, {.beta1 = 1.0}),
                       "AdamW's beta1 must be at least 0 and below 1, not 1.000000.", Error);
  CHECK_THROWS_AS(AdamW<Exec>(4, {.beta2 = -0.1}), Error);
  CHECK_THROWS_AS(AdamW<Exec>(4, {.eps = std::nan("")}), Error);
  CHECK_THROWS_AS(AdamW<Exec>(4, {.weight_decay = INFINITY}), Error);
  AdamW<Exec> adamw(4);
  CHECK_THROWS_WITH_AS(adamw.update(Exec(), Arena<Exec>("p", 4), Arena<Exec>("g", 5), 1e-3),
                       "AdamW was made for 4 parameters, but gradients has 5.", Error);
}
