#include <glyphdiff/data/letter_line.hpp>

#include <doctest/doctest.h>

namespace data_letter_line_tests {

using namespace glyphdiff;

namespace {

/// A 16x16 picture with a bar of ink from column `left` to `right`.
Image bar(int left, int right) {
  Image picture(16, 16, 1, 255);
  for (int y = 0; y < 16; ++y)
    for (int x = left; x < right; ++x) *picture.at(y, x) = 0;
  return picture;
}

}  // namespace

TEST_CASE("ink and side bearings") {
  Image const letter = bar(5, 9);
  CHECK(ink_columns(letter).left == 5);
  CHECK(ink_columns(letter).right == 9);
  CHECK(ink_columns(Image(4, 4, 1, 255)).left == ink_columns(Image(4, 4, 1, 255)).right);
  auto const sides = side_bearings(letter, {.origin = 3.5, .advance = 8});
  CHECK(sides.left == 1.5);
  CHECK(sides.right == 2.5);
}

TEST_CASE("letters stand where their origins and advances put them") {
  Image const first = bar(5, 9), second = bar(6, 8);
  std::vector<LetterEntry> const entries{
      {.origin = 4, .advance = 6}, {.advance = 3}, {.origin = 6, .advance = 2}};
  Image const line = letter_line({&first, nullptr, &second}, entries);
  CHECK(line.height == 16);
  CHECK(line.width == 2 + 6 + 3 + 2 + 2);  // a margin of 2, the advances, a margin
  std::string row;
  for (int x = 0; x < line.width; ++x) row += *line.at(3, x) == 0 ? '#' : '.';
  CHECK(row == "...####....##..");
}

TEST_CASE("a line needs letters of one height") {
  Image const small(8, 8, 1, 255), letter = bar(5, 9);
  CHECK_THROWS_AS(letter_line({}, {}), Error);
  CHECK_THROWS_AS(letter_line({&small, &letter}, {{.advance = 1}, {.advance = 1}}), Error);
}

}  // namespace data_letter_line_tests
