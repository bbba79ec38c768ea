#include "../arrays.hpp"
#include "../spaces.hpp"

#include <glyphdiff/loss/cross_entropy.hpp>

#include <doctest/doctest.h>

namespace loss_cross_entropy_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

template <class Exec>
Logits<Exec> rows(std::vector<float> const& floats, int n) {
  Logits<Exec> result("logits", n, floats.size() / n);
  Kokkos::deep_copy(Arena<Exec>(result.data(), result.size()), to_space<Exec>(floats));
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("cross entropy, its gradient and the likeliest class", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  Exec const exec;
  auto const scores = values(3 * 7, 1, 40);  // far beyond what exponentials in float bear when added
  std::vector<int> const labels{0, 6, 3};
  std::vector<double> const weights{1, -2, 0.5};
  auto const logits = rows<Exec>(scores, 3), gradient = rows<Exec>(std::vector<float>(21, NAN), 3);
  auto const report = cross_entropy(exec, logits, labels, weights, gradient);
  std::vector<double> expected;
  for (int n = 0; n < 3; ++n) {
    float const* const row = scores.data() + 7 * n;
    double sum = 0;
    for (int k = 0; k < 7; ++k) sum += std::exp(double(row[k]));
    CHECK(report.loss[n] == doctest::Approx(std::log(sum) - row[labels[n]]));
    CHECK(report.predicted[n] == std::max_element(row, row + 7) - row);
    for (int k = 0; k < 7; ++k)
      expected.push_back(weights[n] * (std::exp(double(row[k])) / sum - (k == labels[n])));
  }
  CHECK(relative_error(to_host(gradient), expected) < 1e-6);

  // Without weights, the mean's.
  cross_entropy(exec, logits, labels, {}, gradient);
  for (int i = 0; i < 21; ++i) expected[i] /= 3 * weights[i / 7];
  CHECK(relative_error(to_host(gradient), expected) < 1e-6);
}

TEST_CASE("cross entropy refuses what doesn't fit") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  Exec const exec;
  auto const logits = rows<Exec>(values(6, 1), 2);
  Logits<Exec> const none, narrow("gradient", 2, 2);
  auto const check = [&](std::vector<int> const& labels, std::vector<double> const& weights,
                         Logits<Exec> const& gradient) {
    cross_entropy(exec, logits, labels, weights, gradient);
  };
  CHECK_NOTHROW(check({0, 2}, {}, none));
  CHECK_THROWS_WITH_AS(check({0, 3}, {}, none),
                       "labels of the cross entropy: expected classes in [0, 3), found 3", Error);
  CHECK_THROWS_AS(check({0, -1}, {}, none), Error);
  CHECK_THROWS_WITH_AS(check({0}, {}, none), "labels of the cross entropy: expected 2 of them, found 1",
                       Error);
  CHECK_THROWS_AS(check({0, 1}, {1}, none), Error);
  CHECK_THROWS_AS(check({0, 1}, {}, narrow), Error);
}

}  // namespace loss_cross_entropy_tests
