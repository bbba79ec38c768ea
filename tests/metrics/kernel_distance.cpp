#include <glyphdiff/metrics/kernel_distance.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <random>

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
  RowMatrix points(2, 1), reference(2, 1);
  points << 0, 1;
  reference << 1, 2;
  // Kernels (x y + 1)^3: among the points 1, among the reference 27, between them 1, 1, 8 and 27.
  CHECK(KernelDistance(points, reference)() == doctest::Approx(1 + 27 - 2 * 37.0 / 4));
}

TEST_CASE("kernel distance is 0 in the mean for one distribution, and grows with a shift") {
  double same = 0;
  RowMatrix const reference = random_points(300, 0, 1000);
  for (unsigned seed = 0; seed < 50; ++seed)
    same += KernelDistance(random_points(20, 0, seed), reference)() / 50;
  double const near = KernelDistance(random_points(300, 0.3, 1), reference)(),
               far = KernelDistance(random_points(300, 0.6, 1), reference)();
  CHECK(std::abs(same) < 0.1 * near);
  CHECK(far > 2 * near);
}

TEST_CASE("a resample counts a point as often as it was drawn, but makes no pair of it") {
  RowMatrix const points = random_points(5, 0, 1), reference = random_points(9, 0, 2);
  KernelDistance const distance(points, reference);
  CHECK(distance({0, 1, 2, 3, 4}) == doctest::Approx(distance()));
  CHECK(distance({3, 1, 3, 1}) == doctest::Approx(KernelDistance(select_rows(points, {1, 3}), reference)()));
}

TEST_CASE("kernel distance refuses single letters") {
  CHECK_THROWS_WITH_AS(KernelDistance(random_points(1, 0, 1), random_points(5, 0, 1)),
                       "expected at least 2 letters in both sets of a kernel distance, found 1", Error);
}
