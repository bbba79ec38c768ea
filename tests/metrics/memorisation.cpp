#include <glyphdiff/metrics/memorisation.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace metrics_memorisation_tests {

using namespace glyphdiff;

namespace {

/// `count` distances, `copies` of them 0 and the rest 3.
std::vector<double> distances(int count, int copies) {
  std::vector<double> values(static_cast<std::size_t>(count), 3.0);
  for (int i = 0; i < copies; ++i) values[static_cast<std::size_t>(i)] = 0;
  return values;
}

}  // namespace

TEST_CASE("the warning comes where copies are more than chance explains") {
  std::vector<double> held_out;
  for (int i = 0; i < 100; ++i) held_out.push_back(1 + 0.01 * i);
  // The limit for 100 and 100 letters is 0.05 + 2 sqrt(0.0475 * 0.02) = 0.1116.
  CHECK(memorisation_warning(distances(100, 0), held_out).empty());
  CHECK(memorisation_warning(distances(100, 11), held_out).empty());
  CHECK(
      memorisation_warning(distances(100, 12), held_out) ==
      "warning: 12 of 100 samples are nearer to a training letter than 1.05, which 5 % of new letters would "
      "be; the model repeats letters it was trained on.");
  CHECK(memorisation_warning(held_out, held_out).empty());
}

TEST_CASE("few held-out letters give a weaker warning, none give none") {
  CHECK(memorisation_warning(distances(10, 9), {1, 2, 3, 4, 5}).size() > 0);
  CHECK(memorisation_warning(distances(10, 3), {1, 2, 3, 4, 5}).empty());
  CHECK(memorisation_warning(distances(10, 9), {}).empty());
  CHECK(memorisation_warning({}, {1, 2}).empty());
}

}  // namespace metrics_memorisation_tests
