#include <glyphdiff/metrics/diversity.hpp>

#include <doctest/doctest.h>

namespace metrics_diversity_tests {

using namespace glyphdiff;

TEST_CASE("diversity is the mean distance of two different letters") {
  RowMatrix letters(3, 2);
  letters << 0, 0, 3, 4, 0, 0;  // distances 5, 5 and 0
  CHECK(diversity(pairwise_distances(letters, letters)) == doctest::Approx(10.0 / 3));
  CHECK_THROWS_WITH_AS(diversity(RowMatrix::Zero(1, 1)),
                       "expected at least 2 letters for their diversity, found 1", Error);
}

}  // namespace metrics_diversity_tests
