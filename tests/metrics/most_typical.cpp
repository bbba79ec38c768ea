#include <glyphdiff/metrics/most_typical.hpp>

#include <doctest/doctest.h>

namespace metrics_most_typical_tests {

using namespace glyphdiff;

TEST_CASE("the picture that is nearest to all others") {
  CHECK(most_typical({{0, 0}, {-9, 9}, {0, 1}, {1, 1}}) == 2);
  CHECK(most_typical({{5}}) == 0);
  CHECK(most_typical({{1}, {1}}) == 0);  // the first of equals
  CHECK_THROWS_AS(most_typical({}), Error);
}

}  // namespace metrics_most_typical_tests
