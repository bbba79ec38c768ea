#include <glyphdiff/data/ink_box.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace data_ink_box_tests {

using namespace glyphdiff;

TEST_CASE("where ink lies, to a part of a pixel") {
  Image picture(10, 12, 1, 255);
  CHECK_FALSE(ink_box(picture));
  // From column 2.25 to 8.6 and row 3 to 6.8.
  for (int y = 3; y < 7; ++y)
    for (int x = 2; x < 9; ++x) {
      double const ink = (x == 2 ? 0.75 : x == 8 ? 0.6 : 1) * (y == 6 ? 0.8 : 1);
      *picture.at(y, x) = std::uint8_t(255 - std::lround(255 * ink));
    }
  auto const box = ink_box(picture);
  REQUIRE(box);
  CHECK(box->left == doctest::Approx(2.25).epsilon(0.002));
  CHECK(box->right == doctest::Approx(8.6).epsilon(0.002));
  CHECK(box->top == doctest::Approx(3).epsilon(0.002));
  CHECK(box->bottom == doctest::Approx(6.8).epsilon(0.002));
  for (int y = 3; y < 7; ++y) *picture.at(y, 9) = 200;  // less than half a pixel more
  CHECK(ink_box(picture)->right == doctest::Approx(8.8).epsilon(0.02));
}

TEST_CASE("ink at the edge") {
  for (int side = 0; side < 4; ++side) {
    Image picture(6, 8, 1, 255);
    *picture.at(2, 3) = 0;
    CHECK_FALSE(touches_edge(picture));
    *picture.at(side == 0 ? 0 : side == 1 ? 5 : 3, side == 2 ? 0 : side == 3 ? 7 : 4) = 0;
    CHECK(touches_edge(picture));
    CHECK(ink_box(picture)->height() >= 1);
  }
}

}  // namespace data_ink_box_tests
