#include <glyphdiff/metrics/kernel_distance.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <random>

namespace metrics_kernel_distance_tests {

using namespace glyphdiff;

namespace {

RowMatrix random_points(int count, double shift, unsigned seed) {
  std::mt19937 bits(seed);
  RowMatrix points(count, 4);
  for (double& value : points.reshaped()) {
    value = shift;
    for (int i = 0; i < 12; ++i) value += static_cast<double>(bits()) * 0x1p-32 - 0.5;  // nearly normal
  }
  return points;
}

}  // namespace

TEST_CASE("kernel distance of points on a line, by hand") {
  RowMatrix points(4, 1), reference(2, 1);
  points << 0, 0, 1, 1;
  reference << 1, 2;
  // Kernels (x y + 1)^3: among different points 1, but 8 between both ones; among the reference 27; between
  // them 1, 1, 8 and 27, all of them twice.
  CHECK(kernel_distance(points, reference).value == doctest::Approx(13.0 / 6 + 27 - 2 * 37.0 / 4));
}

TEST_CASE("kernel distance is 0 in the mean for one distribution, and grows with a shift") {
  double same = 0;
  RowMatrix const reference = random_points(300, 0, 1000);
  for (unsigned seed = 0; seed < 50; ++seed)
    same += kernel_distance(random_points(20, 0, seed), reference).value / 50;
  double const near = kernel_distance(random_points(300, 0.3, 1), reference).value,
               far = kernel_distance(random_points(300, 0.6, 1), reference).value;
  CHECK(std::abs(same) < 0.1 * near);
  CHECK(far > 2 * near);
}

TEST_CASE("the interval is as wide as distances of new points scatter, whether both sets are alike or not") {
  RowMatrix const reference = random_points(300, 0, 1000);
  for (double shift : {0.0, 0.5}) {
    static constexpr int sets = 300;
    double sum = 0, squares = 0, variance = 0;
    for (unsigned seed = 0; seed < sets; ++seed) {
      Estimate const of_set = kernel_distance(random_points(40, shift, seed), reference);
      sum += of_set.value, squares += of_set.value * of_set.value;
      double const error = (of_set.high - of_set.value) / 1.96;
      CHECK(of_set.value - of_set.low == doctest::Approx(of_set.high - of_set.value));
      variance += error * error / sets;
    }
    double const scattered = (squares - sum * sum / sets) / (sets - 1);
    CHECK(variance / scattered == doctest::Approx(1).epsilon(0.25));
  }
}

TEST_CASE("kernel distance refuses too few letters") {
  CHECK_THROWS_WITH_AS(
      kernel_distance(random_points(3, 0, 1), random_points(5, 0, 1)),
      "expected at least 4 letters and 2 to compare them with for a kernel distance, found 3 and 5", Error);
}

}  // namespace metrics_kernel_distance_tests
