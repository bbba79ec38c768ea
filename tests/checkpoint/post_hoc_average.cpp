#include <glyphdiff/checkpoint/post_hoc_average.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <numeric>

namespace checkpoint_post_hoc_average_tests {

using namespace glyphdiff;

namespace {

/// What averages of these widths hold of a parameter that changes with time, after every update.
std::map<double, std::vector<double>> averages_of(double (*parameter)(double), int steps,
                                                  std::vector<double> const& widths) {
  std::map<double, std::vector<double>> result;
  for (double width : widths) {
    double const exponent = power_exponent(width);
    double average = 0;
    for (int step = 0; step < steps; ++step) {
      double const rate = power_rate(exponent, step);
      average = rate * average + (1 - rate) * parameter(double(step + 1) / steps);
      result[width].push_back(average);
    }
  }
  return result;
}

}  // namespace

TEST_CASE("an average that was kept is composed of itself") {
  auto const weights = post_hoc_weights({{0.05, 500}, {0.1, 500}, {0.05, 1000}, {0.1, 1000}}, 0.1, 1000);
  CHECK(weights[3] == doctest::Approx(1).epsilon(1e-6));
  for (int i : {0, 1, 2}) CHECK(std::abs(weights[i]) < 1e-6);
}

TEST_CASE("averages of other widths are found again from eight saves of two") {
  int const steps = 8000, every = 1000;
  std::vector<KeptAverage> kept;
  for (int step = every; step <= steps; step += every) {
    kept.push_back({0.05, step});
    kept.push_back({0.10, step});
  }
  auto const check = [&](double (*parameter)(double)) {
    auto const truth = averages_of(parameter, steps, {0.05, 0.06, 0.08, 0.10, 0.15});
    for (double width : {0.06, 0.08, 0.15}) {
      CAPTURE(width);
      auto const weights = post_hoc_weights(kept, width, steps);
      CHECK(std::accumulate(weights.begin(), weights.end(), 0.0) == doctest::Approx(1).epsilon(1e-12));
      double found = 0;
      for (std::size_t i = 0; i < kept.size(); ++i)
        found += weights[i] * truth.at(kept[i].width)[kept[i].step - 1];
      CHECK(found == doctest::Approx(truth.at(width).back()).epsilon(5e-3));
      // The nearest kept one alone is farther off.
      CHECK(std::abs(truth.at(0.10).back() - truth.at(width).back()) >
            3 * std::abs(found - truth.at(width).back()));
    }
  };
  check([](double t) { return t * t * t; });
  check([](double t) { return std::exp(3 * t); });
}

TEST_CASE("nothing to compose from is refused") {
  CHECK_THROWS_AS(post_hoc_weights({}, 0.1, 10), Error);
  CHECK_THROWS_AS(post_hoc_weights({{0.1, 0}}, 0.1, 10), Error);
  CHECK_THROWS_AS(post_hoc_weights({{0.1, 10}}, 0.5, 10), Error);
}

}  // namespace checkpoint_post_hoc_average_tests
