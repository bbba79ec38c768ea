#include "shapes.hpp"

#include <glyphdiff/metrics/fragments.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace metrics_fragments_tests {

using namespace glyphdiff;

TEST_CASE("specks are fragments, dots of an i are not") {
  Drawings letters(32);
  letters.blank().stroke(0.5, 0.4, 0.5, 0.9, 0.12).dot(0.5, 0.2, 0.07);
  letters.blank().letter_a(0.3, 0.6, 0.1);
  letters.at(1, 2, 2) = -1.0F;
  letters.at(1, 30, 30) = -1.0F;
  letters.blank();
  CHECK(letter_fragments(letters.span()) == std::vector<int>{0, 2, 0});
  CHECK(fragmented_rate({0, 2, 0, 1}) == 0.5);
  CHECK(std::isnan(fragmented_rate({})));
}

TEST_CASE("a piece of just under and of just 2 % of the ink") {
  Drawings letters(16);
  for (int const bar : {98, 99}) {  // beside it a piece of 2 pixels: of 100 and of 101
    letters.blank();
    for (int i = 0; i < bar; ++i) letters.at(letters.count() - 1, 4 + i / 16, i % 16) = -1.0F;
    letters.at(letters.count() - 1, 0, 0) = letters.at(letters.count() - 1, 0, 1) = -1.0F;
  }
  CHECK(letter_fragments(letters.span()) == std::vector<int>{0, 1});
}

}  // namespace metrics_fragments_tests
