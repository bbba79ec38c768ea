#include <glyphdiff/metrics/bootstrap.hpp>

#include <doctest/doctest.h>

#include <cmath>

using namespace glyphdiff;

namespace {

double mean(std::vector<int> const& rows) {
  double sum = 0;
  for (int row : rows) sum += row;
  return sum / static_cast<double>(rows.size());
}

}  // namespace

TEST_CASE("the interval of a mean is that of its standard error") {
  // 0..99: mean 49.5, standard deviation 28.87, so 1.96 standard errors of 100 values are 5.66.
  Estimate const estimate = bootstrap(49.5, 100, 100, 1, mean, 4000);
  CHECK(estimate.value == 49.5);
  CHECK(estimate.low == doctest::Approx(49.5 - 5.66).epsilon(0.01));
  CHECK(estimate.high == doctest::Approx(49.5 + 5.66).epsilon(0.01));
  Estimate const wider = bootstrap(49.5, 100, 25, 1, mean, 4000);
  CHECK(wider.high - wider.low == doctest::Approx(2 * (estimate.high - estimate.low)).epsilon(0.05));
}

TEST_CASE("what resampling adds in the mean is taken off") {
  auto const biased = [](std::vector<int> const& rows) { return mean(rows) + 1000; };
  Estimate const plain = bootstrap(49.5, 100, 100, 1, mean), moved = bootstrap(49.5, 100, 100, 1, biased);
  CHECK(moved.low == doctest::Approx(plain.low));
  CHECK(moved.high == doctest::Approx(plain.high));
}

TEST_CASE("a seed fixes an interval, one letter has none") {
  CHECK(bootstrap(1, 50, 50, 3, mean).low == bootstrap(1, 50, 50, 3, mean).low);
  CHECK(bootstrap(1, 50, 50, 3, mean).low != bootstrap(1, 50, 50, 4, mean).low);
  CHECK_THROWS_WITH_AS(bootstrap(1, 1, 2, 3, mean), "expected at least 2 letters to resample, found 1",
                       Error);
}
