#include <glyphdiff/data/alphabet_picture.hpp>

#include "../io/temporary_folder.hpp"

#include <doctest/doctest.h>

namespace data_alphabet_picture_tests {

using namespace glyphdiff;

namespace {

/// A black bar on white.
Image bar(int height, int width, int top, int bottom, int left, int right) {
  Image image(height, width, 1, 255);
  for (int y = top; y < bottom; ++y)
    for (int x = left; x < right; ++x) *image.at(y, x) = 0;
  return image;
}

}  // namespace

TEST_CASE("a picture of 64x64 pixels is taken as it is, of any other its ink is fitted to the frame") {
  TemporaryFolder folder;
  write_png(folder / "scan.png", bar(64, 64, 3, 33, 10, 20));
  auto const as_it_is = read_alphabet_picture(folder / "scan.png");
  CHECK(!as_it_is.moved);
  CHECK(as_it_is.image.pixels == bar(64, 64, 3, 33, 10, 20).pixels);

  write_png(folder / "H_1.png", bar(300, 200, 100, 260, 20, 60));
  auto const capital = read_alphabet_picture(folder / "H_1.png");
  REQUIRE(capital.moved);
  CHECK(capital.image.height == 64);
  CHECK(capital.image.width == 64);
  auto const ink = ink_box(capital.image);
  REQUIRE(ink);
  CHECK(ink->top == doctest::Approx(8).epsilon(0.02));
  CHECK(ink->bottom == doctest::Approx(48).epsilon(0.01));
  CHECK(ink->left == doctest::Approx(27).epsilon(0.02));
  CHECK(ink->right == doctest::Approx(37).epsilon(0.02));

  // A small letter is as high as an x; white on black is turned.
  write_png(folder / "scan2.png", inverted(bar(300, 200, 100, 240, 20, 60)));
  auto const small = read_alphabet_picture(folder / "scan2.png", U'x');
  CHECK(ink_box(small.image)->top == doctest::Approx(20).epsilon(0.02));
  CHECK(ink_box(small.image)->bottom == doctest::Approx(48).epsilon(0.01));
}

TEST_CASE("a picture of another size that cannot be placed is refused in a sentence that says what can") {
  TemporaryFolder folder;
  write_png(folder / "scan.png", bar(100, 100, 10, 60, 10, 20));
  CHECK_THROWS_WITH_AS(read_alphabet_picture(folder / "scan.png"), doctest::Contains("R_12.png"), Error);
  write_png(folder / "g_1.png", bar(100, 100, 10, 60, 10, 20));
  CHECK_THROWS_WITH_AS(read_alphabet_picture(folder / "g_1.png"), doctest::Contains("./run letters"), Error);
  write_png(folder / "H_2.png", Image(100, 100, 1, 255));
  CHECK_THROWS_WITH_AS(read_alphabet_picture(folder / "H_2.png"), doctest::Contains("no ink"), Error);
}

TEST_CASE("a mask goes where its picture went, and closes what lies outside") {
  TemporaryFolder folder;
  write_png(folder / "H_1.png", bar(300, 200, 100, 260, 20, 60));
  auto const picture = read_alphabet_picture(folder / "H_1.png");
  Image open(300, 200, 1, 0);  // the lower half of the bar
  for (int y = 180; y < 300; ++y)
    for (int x = 0; x < 200; ++x) *open.at(y, x) = 255;
  write_png(folder / "mask.png", open);
  Image const mask = read_alphabet_mask(folder / "mask.png", picture);
  CHECK(*mask.at(20, 32) == 0);
  CHECK(*mask.at(27, 32) == 0);
  CHECK(*mask.at(29, 32) == 255);
  CHECK(*mask.at(47, 32) == 255);
  CHECK(*mask.at(40, 2) == 0);  // left of the drawing
  write_png(folder / "small.png", Image(64, 64, 1, 255));
  CHECK_THROWS_WITH_AS(read_alphabet_mask(folder / "small.png", picture), doctest::Contains("300x200"),
                       Error);

  write_png(folder / "scan.png", bar(64, 64, 3, 33, 10, 20));
  CHECK(read_alphabet_mask(folder / "mask.png", read_alphabet_picture(folder / "scan.png")).width == 64);
}

}  // namespace data_alphabet_picture_tests
