#include <glyphdiff/metrics/interval.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace metrics_interval_tests {

using namespace glyphdiff;

namespace {

double mean(std::vector<int> const& rows) {
  double sum = 0;
  for (int row : rows) sum += row;
  return sum / static_cast<double>(rows.size());
}

}  // namespace

TEST_CASE("the jackknife of a mean is its standard error") {
  // 0..99 have the standard deviation 29.011 (of a sample), a hundredth part of which is the variance of the
  // mean; leaving single rows out gives just that.
  CHECK(jackknife_error(100, mean, 100) == doctest::Approx(2.9011).epsilon(1e-4));
  CHECK(jackknife_error(100, mean, 1000) == doctest::Approx(2.9011).epsilon(1e-4));
}

TEST_CASE("groups of rows give about the same, and see every row") {
  auto const shuffled = [](std::vector<int> const& rows) {  // 0..96 in another order
    double sum = 0;
    for (int row : rows) sum += row * 41 % 97;
    return sum / static_cast<double>(rows.size());
  };
  double const single = jackknife_error(97, shuffled, 97);
  CHECK(single == doctest::Approx(std::sqrt((97.0 * 97 - 1) / 12 / 96)).epsilon(1e-4));
  CHECK(jackknife_error(97, shuffled, 24) == doctest::Approx(single).epsilon(0.4));
  auto const first = [](std::vector<int> const& rows) { return rows.front() == 0 ? 0.0 : 1.0; };
  CHECK(jackknife_error(40, first, 10) ==
        doctest::Approx(std::sqrt(0.9 * 0.9)));  // one of 10 groups lacks row 0
}

TEST_CASE("a constant has no error, one letter has none to be computed") {
  CHECK(jackknife_error(30, [](std::vector<int> const&) { return 7.0; }) < 1e-12);
  CHECK_THROWS_WITH_AS(jackknife_error(1, mean), "expected at least 2 letters for an interval, found 1",
                       Error);
  Estimate const estimate = normal_interval(10, 2);
  CHECK(estimate.low == doctest::Approx(6.08));
  CHECK(estimate.high == doctest::Approx(13.92));
}

}  // namespace metrics_interval_tests
