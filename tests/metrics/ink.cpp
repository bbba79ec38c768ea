#include "shapes.hpp"

#include <glyphdiff/metrics/ink.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace metrics_ink_tests {

using namespace glyphdiff;

TEST_CASE("mid-gray lies strictly between 0.2 and 0.8 of the 0..1 scale") {
  std::vector<float> const pixels{-1, -0.61F, -0.59F, 0, 0.59F, 0.61F, 1, 1.2F};
  CHECK(mid_gray_share({pixels.data(), 2, 2, 2}) == 3.0 / 8);
}

TEST_CASE("blur raises the mid-gray share") {
  Drawings letters = random_letters(32, 20, 1);
  double const sharp = mid_gray_share(letters.span());
  for (float& pixel : letters.pixels()) pixel *= 0.5F;  // paper and ink both become gray
  CHECK(sharp < 0.1);
  CHECK(mid_gray_share(letters.span()) == 1.0);
}

TEST_CASE("ink rows are those of the ink, and blank images have none") {
  Drawings shapes(16);
  shapes.blank();
  shapes.blank();
  for (int y = 3; y <= 9; ++y) shapes.at(1, y, 4) = -1.0F;
  shapes.blank();
  shapes.at(2, 0, 0) = shapes.at(2, 15, 15) = -0.1F;
  std::vector<InkRows> const rows = ink_rows(shapes.span());
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].top == 3);
  CHECK(rows[0].bottom == 9);
  CHECK(rows[0].height() == 7);
  CHECK(rows[1].top == 0);
  CHECK(rows[1].bottom == 15);
  CHECK(baseline_sd(shapes.span()) == doctest::Approx(3.0));    // rows 9 and 15
  CHECK(ink_height_sd(shapes.span()) == doctest::Approx(4.5));  // 7 and 16 rows
}

TEST_CASE("standard_deviation divides by the number of values") {
  CHECK(standard_deviation({2, 4, 4, 4, 5, 5, 7, 9}) == doctest::Approx(2.0));
  CHECK(standard_deviation({3}) == 0.0);
  CHECK(std::isnan(standard_deviation({})));
}

}  // namespace metrics_ink_tests
