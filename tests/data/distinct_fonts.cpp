#include <glyphdiff/data/distinct_fonts.hpp>

#include <doctest/doctest.h>

namespace data_distinct_fonts_tests {

using namespace glyphdiff;

namespace {

/// A bar of 40 rows and so many columns, at 64 or another size.
Letter bar(char const* character, int columns, int size = 64) {
  Image image(size, size, 1, 255);
  for (int y = size / 8; y < size / 8 + 40 * size / 64; ++y)
    std::fill_n(image.at(y, size / 8), columns * size / 64, 0);
  return {image, {.character = character}};
}

}  // namespace

TEST_CASE("fonts are told apart by the mean of the characters that both have") {
  DistinctFonts fonts;
  CHECK(fonts.add({bar("A", 8), bar("B", 8)}));
  CHECK_FALSE(fonts.add({bar("A", 8), bar("B", 8)}));
  CHECK(fonts.add({bar("A", 9), bar("B", 9)}));         // a column is sqrt(40) = 6.3
  CHECK(fonts.add({bar("A", 10), bar("B", 9)}));        // from the one before sqrt(20) = 4.5
  CHECK_FALSE(fonts.add({bar("C", 20), bar("B", 8)}));  // B is all that both have
  CHECK(fonts.add({bar("C", 20)}));
}

TEST_CASE("the distance that counts is at 64 x 64, and is a choice") {
  DistinctFonts close(7);
  CHECK(close.add({bar("A", 8, 128)}));
  CHECK_FALSE(close.add({bar("A", 9, 128)}));  // 6.3 at 64, 12.6 at 128
  CHECK_FALSE(close.add({bar("A", 8, 32)}));
  DistinctFonts all(0);
  CHECK(all.add({bar("A", 8)}));
  CHECK(all.add({bar("A", 8)}));
}

}  // namespace data_distinct_fonts_tests
