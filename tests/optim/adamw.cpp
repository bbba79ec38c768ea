#include "../arenas.hpp"
#include "../golden/golden.hpp"

#include <glyphdiff/optim/adamw.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

namespace optim_adamw_tests {

using namespace glyphdiff::test;
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

template <class Exec>
std::vector<float> widened(Bfloat16Arena<Exec> const& arena) {
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), arena);
  std::vector<float> values(host.extent(0));
  std::transform(host.data(), host.data() + host.extent(0), values.begin(), bfloat16_to_float);
  return values;
}

double mean(std::vector<float> const& values) {
  double sum = 0;
  for (float const x : values) sum += x;
  return sum / double(values.size());
}

/// Three updates of 5000 parameters; whatever happens must end in the same bits as elsewhere.
template <class Exec>
std::vector<float> three_updates(MomentFormat moments, std::uint64_t seed = 1) {
  Exec const exec;
  auto const p = to_space<Exec>(scattered(5003, 1));
  Ema<Exec> const ema(exec, p, {0.5, 0.9});
  AdamW<Exec> adamw(5003, {.weight_decay = 0.1, .moments = moments, .seed = seed});
  for (unsigned step = 0; step < 3; ++step)
    adamw.update(exec, p, to_space<Exec>(scattered(5003, 10 + step)), 1e-3, ema);
  auto all = to_host(p);
  for (auto const& average : ema.averages())
    for (float const x : to_host(average.values)) all.push_back(x);
  for (float const x : widened<Exec>(adamw.first_moment_bfloat16)) all.push_back(x);
  for (float const x : widened<Exec>(adamw.second_moment_bfloat16)) all.push_back(x);
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

  auto const p = to_space<Exec>(values), q = to_space<Exec>(values);
  AdamW<Exec> scaled(37), plain(37);
  scaled.update(exec, p, to_space<Exec>(gradients), 1e-2, {}, 0.25);
  plain.update(exec, q, to_space<Exec>(quarter), 1e-2);
  CHECK(to_host(p) == to_host(q));
  CHECK(to_host(scaled.second_moment) == to_host(plain.second_moment));
}

TEST_CASE_TEMPLATE("more averages than one pass takes all follow", Exec, GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  auto const initial = scattered(41, 1);
  auto const p = to_space<Exec>(initial);
  std::vector<double> const rates{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
  Ema<Exec> const ema(exec, p, rates, /*warm_up=*/false);
  AdamW<Exec> adamw(41);
  adamw.update(exec, p, to_space<Exec>(scattered(41, 2)), 1.0, ema);
  auto const updated = to_host(p);
  for (std::size_t k = 0; k < rates.size(); ++k) {
    auto const average = to_host(ema.averages()[k].values);
    for (std::size_t i = 0; i < average.size(); ++i)
      CHECK(average[i] == doctest::Approx(rates[k] * initial[i] + (1 - rates[k]) * updated[i]).epsilon(1e-5));
  }
}

TEST_CASE("the result has the same bits on one thread and on several") {
  for (auto const moments : {MomentFormat::float32, MomentFormat::bfloat16}) {
    auto const reference = three_updates<Kokkos::Serial>(moments);
    auto const parallel = three_updates<Kokkos::DefaultHostExecutionSpace>(moments);
    REQUIRE(reference.size() == parallel.size());
    CHECK(std::memcmp(reference.data(), parallel.data(), reference.size() * sizeof(float)) == 0);
  }
  CHECK(three_updates<Kokkos::Serial>(MomentFormat::bfloat16, 1) !=
        three_updates<Kokkos::Serial>(MomentFormat::bfloat16, 2));
}

TEST_CASE_TEMPLATE("bfloat16 moments are rounded without bias, independently from value to value", Exec,
                   GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  std::size_t const count = 1 << 16;
  Arena<Exec> const p("p", count), g("g", count);
  AdamW<Exec> adamw(std::int64_t(count), {.moments = MomentFormat::bfloat16});
  CHECK(adamw.first_moment.extent(0) == 0);
  for (int step = 0; step < 3; ++step) {
    CAPTURE(step);
    auto const m0 = widened<Exec>(adamw.first_moment_bfloat16),
               v0 = widened<Exec>(adamw.second_moment_bfloat16);
    float const gradient = 0.37f;
    Kokkos::deep_copy(g, gradient);
    adamw.update(exec, p, g, 1e-3);
    auto const m = widened<Exec>(adamw.first_moment_bfloat16),
               v = widened<Exec>(adamw.second_moment_bfloat16);
    // Errors lie within one unit of the last place, 2^-7 of a value, so their deviation is at most half that.
    std::vector<float> dm(count), dv(count);
    double product = 0, neighbours = 0, squares_m = 0, squares_v = 0;
    for (std::size_t i = 0; i < count; ++i) {
      dm[i] = m[i] - (0.9f * m0[i] + 0.1f * gradient);
      dv[i] = v[i] - (0.999f * v0[i] + 0.001f * gradient * gradient);
      squares_m += double(dm[i]) * dm[i];
      squares_v += double(dv[i]) * dv[i];
      product += double(dm[i]) * dv[i];
      if (i > 0) neighbours += double(dm[i]) * dm[i - 1];
    }
    double const bound = 5 / std::sqrt(double(count));  // five standard deviations of a mean
    CHECK(std::abs(mean(dm)) < bound * std::sqrt(squares_m / double(count)));
    CHECK(std::abs(mean(dv)) < bound * std::sqrt(squares_v / double(count)));
    CHECK(std::abs(neighbours) < bound * squares_m);
    CHECK(std::abs(product) < 0.5 * std::sqrt(squares_m * squares_v));  // by the same bits in another order
    CHECK(std::sqrt(squares_v / double(count)) < mean(v) / 256);
  }
}

TEST_CASE("a bfloat16 second moment follows where rounding to the nearest would stand still") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  Exec const exec;
  std::size_t const count = 1 << 14;
  // 0.999 of a bfloat16 is nearer to it than to the one below.
  CHECK(float_to_bfloat16(0.999f * 0.7f) == float_to_bfloat16(0.7f));
  Arena<Exec> const p("p", count), g("g", count);
  AdamW<Exec> adamw(std::int64_t(count), {.moments = MomentFormat::bfloat16});
  Kokkos::deep_copy(adamw.second_moment_bfloat16, float_to_bfloat16(0.7f));
  float const start = bfloat16_to_float(float_to_bfloat16(0.7f));
  for (int step = 0; step < 1000; ++step) adamw.update(exec, p, g, 0.0);  // no gradient: it decays
  auto const v = widened<Exec>(adamw.second_moment_bfloat16);
  CHECK(mean(v) == doctest::Approx(start * std::pow(0.999, 1000)).epsilon(0.003));

  for (int step = 0; step < 1000; ++step) {  // and with gradients it grows towards their square
    Kokkos::deep_copy(g, 2.0f);
    adamw.update(exec, p, g, 0.0);
  }
  double const grown = 4 + (start * std::pow(0.999, 1000) - 4) * std::pow(0.999, 1000);
  CHECK(mean(widened<Exec>(adamw.second_moment_bfloat16)) == doctest::Approx(grown).epsilon(0.003));
}

TEST_CASE("options and arenas that do not fit are refused") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  CHECK_THROWS_WITH_AS(AdamW<Exec>(4, {.beta1 = 1.0}), "AdamW's beta1 must be at least 0 and below 1, not 1.",
                       Error);
  CHECK_THROWS_AS(AdamW<Exec>(4, {.beta2 = -0.1}), Error);
  CHECK_THROWS_AS(AdamW<Exec>(4, {.eps = std::nan("")}), Error);
  CHECK_THROWS_AS(AdamW<Exec>(4, {.weight_decay = INFINITY}), Error);
  AdamW<Exec> adamw(4);
  CHECK_THROWS_WITH_AS(adamw.update(Exec(), Arena<Exec>("p", 4), Arena<Exec>("g", 5), 1e-3),
                       "AdamW was made for 4 parameters, but gradients has 5.", Error);
}

}  // namespace optim_adamw_tests
