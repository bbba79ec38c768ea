#include <glyphdiff/io/histogram.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace io_histogram_tests {

using namespace glyphdiff;

namespace {

/// Area below the outline, which runs from left to right.
double area(PlotSeries const& line) {
  double sum = 0;
  for (std::size_t i = 1; i < line.x.size(); ++i)
    sum += (line.x[i] - line.x[i - 1]) * 0.5 * (line.y[i] + line.y[i - 1]);
  return sum;
}

}  // namespace

TEST_CASE("values are counted in bins that all sets share, as shares of their set") {
  std::vector<double> even, left;
  for (int i = 0; i <= 100; ++i) even.push_back(0.01 * i), left.push_back(i < 100 ? 0.05 : 5);
  auto const lines = histograms({{"even", even}, {"left", left, true}});
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].name == "even");
  CHECK_FALSE(lines[0].dashed);
  CHECK(lines[1].dashed);
  CHECK(lines[0].x == lines[1].x);
  // 2 cbrt(101) = 9 bins, each an outline of two points; one at either end comes down to 0.
  CHECK(lines[0].x.size() == 2 * 9 + 2);
  CHECK(lines[0].y.front() == 0);
  CHECK(lines[0].y.back() == 0);
  double const width = (lines[0].x.back() - lines[0].x.front()) / 9;
  for (PlotSeries const& line : lines) CHECK(area(line) == doctest::Approx(width));
  CHECK(lines[1].y[1] == doctest::Approx(100 / 101.0));
  CHECK(lines[1].y[18] == doctest::Approx(1 / 101.0));  // the 5, beyond the 99th percentile of all
  CHECK(lines[1].x.back() == doctest::Approx(0.99));
}

TEST_CASE("bins hold their left edge, and equal values have a bin of their own") {
  auto const lines = histograms({{"a", {0, 1, 2, 3, 4, 5, 6}}});
  REQUIRE(lines.size() == 1);
  std::vector<double> const expected{1, 1, 1, 1, 1, 2};  // six bins; the last holds both its edges
  for (std::size_t bin = 0; bin < 6; ++bin)
    CHECK(lines[0].y[1 + 2 * bin] == doctest::Approx(expected[bin] / 7));
  auto const equal = histograms({{"a", {2, 2, 2}}});
  CHECK(*std::max_element(equal[0].y.begin(), equal[0].y.end()) == doctest::Approx(1));
  CHECK(equal[0].x.front() < 2);
  CHECK(equal[0].x.back() > 2);
}

TEST_CASE("what is not finite is left out, and sets of nothing else") {
  double const infinity = std::numeric_limits<double>::infinity();
  auto const lines = histograms({{"a", {std::nan(""), infinity}}, {"b", {1, 2, 3, infinity}}, {"c", {}}});
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].name == "b");
  CHECK(lines[0].x.back() == 3);
  CHECK(histograms({}).empty());
  CHECK(histograms({{"a", {}}}).empty());
}

}  // namespace io_histogram_tests
