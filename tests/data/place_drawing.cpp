#include <glyphdiff/data/place_drawing.hpp>

#include <doctest/doctest.h>

namespace data_place_drawing_tests {

using namespace glyphdiff;

namespace {

LetterFrame const frame{.size = 64, .baseline = 50, .cap_height = 40};

DrawnLetter drawn(char32_t character, double top, double bottom) {
  return {character, {10, top, 30, bottom}};
}

Image bar(int height, int width, int left, int top, int right, int bottom) {
  Image image(height, width, 1, 255);
  for (int y = top; y < bottom; ++y)
    for (int x = left; x < right; ++x) *image.at(y, x) = 0;
  return image;
}

}  // namespace

TEST_CASE("drawings of one frame keep their overshoot, and letters that say nothing don't count") {
  std::vector<DrawnLetter> letters{drawn(U'H', 100, 300), drawn(U'E', 100, 300), drawn(U'O', 97, 303),
                                   drawn(U'A', 100, 300), drawn(U'g', 170, 380), drawn(U'Q', 97, 340),
                                   drawn(U'x', 160, 300), drawn(U'b', 80, 300)};
  Placement const common = common_placement(letters, frame);
  CHECK(common.scale == doctest::Approx(0.2));
  CHECK(common.top + common.scale * 300 == doctest::Approx(50));
  LetterFrame by_x = frame;
  by_x.x_height = 21;
  CHECK(common_placement(letters, by_x).scale == doctest::Approx(0.15));
  letters = {drawn(U'b', 80, 300), drawn(U'x', 160, 300)};
  CHECK(common_placement(letters, frame).scale == doctest::Approx(40.0 / 220));
  letters = {drawn(U'x', 160, 300)};
  CHECK_THROWS_WITH_AS(common_placement(letters, frame), doctest::Contains("or --x-height"), Error);
  letters = {drawn(U'H', 100, 300)};
  CHECK_THROWS_WITH_AS(common_placement(letters, by_x), doctest::Contains("a small letter"), Error);
}

TEST_CASE("a drawing that is fitted spans from the baseline to its height") {
  Placement const capital = fitted_placement(drawn(U'O', 97, 303), frame, "O.png");
  CHECK(capital.top + capital.scale * 97 == doctest::Approx(10));
  CHECK(capital.top + capital.scale * 303 == doctest::Approx(50));
  Placement const small = fitted_placement(drawn(U'x', 160, 300), frame, "x.png");
  CHECK(small.top + small.scale * 160 == doctest::Approx(22));
  LetterFrame by_x = frame;
  by_x.x_height = 21;
  CHECK(fitted_placement(drawn(U'x', 160, 300), by_x, "x.png").scale == doctest::Approx(0.15));
  CHECK(fitted_placement(drawn(U'H', 0, 100), by_x, "H.png").scale == doctest::Approx(0.3));
  CHECK_THROWS_WITH_AS(fitted_placement(drawn(U'g', 1, 2), frame, "g.png"), doctest::Contains("g.png"),
                       Error);
}

TEST_CASE("placing keeps the ink's area and its edges, smaller and larger") {
  for (double scale : {0.37, 1.0, 2.2}) {
    Image const picture = bar(30, 40, 10, 5, 20, 25);
    Image const placed = place_drawing(picture, {scale, 3.3, 2.6}, 64);
    auto const box = ink_box(placed);
    REQUIRE(box);
    CHECK(std::abs(box->left - (3.3 + 10 * scale)) < 0.15);
    CHECK(std::abs(box->right - (3.3 + 20 * scale)) < 0.15);
    CHECK(std::abs(box->top - (2.6 + 5 * scale)) < 0.15);
    CHECK(std::abs(box->bottom - (2.6 + 25 * scale)) < 0.15);
    double ink = 0;
    for (std::uint8_t value : placed.pixels) ink += 255 - value;
    CHECK(ink / 255 == doctest::Approx(200 * scale * scale).epsilon(0.02));
  }
  // What lies outside is left out; beyond the drawing there is paper.
  CHECK(place_drawing(Image(10, 10, 1, 0), {1, -5, 60}, 64).pixels[0] == 255);
  CHECK(*place_drawing(Image(10, 10, 1, 0), {1, -5, 60}, 64).at(63, 4) == 0);
  CHECK(place_drawing(Image(10, 10, 1, 0), {1, 500, -300}, 64).pixels == Image(64, 64, 1, 255).pixels);
}

TEST_CASE("a letter is centred by its ink or by the drawing, and never clipped") {
  Image const picture = bar(400, 200, 20, 100, 120, 300);
  DrawnLetter const letter{U'H', *ink_box(picture)};
  Placement const at = fitted_placement(letter, frame, "H_1.png");
  Letter const by_ink = place_letter(picture, letter, at, frame, "some/H_1.png");
  CHECK(ink_box(by_ink.picture)->left == doctest::Approx(22));
  CHECK(ink_box(by_ink.picture)->bottom == doctest::Approx(50));
  CHECK(by_ink.entry.character == "H");
  CHECK(by_ink.entry.source == "some/H_1.png");
  CHECK(by_ink.entry.family == "1");
  CHECK(by_ink.entry.scale == doctest::Approx(0.2));
  CHECK(by_ink.entry.cap_height == frame.cap_height);
  LetterFrame bearings = frame;
  bearings.side_bearings = true;
  Letter const by_width = place_letter(picture, letter, at, bearings, "H_1.png");
  CHECK(ink_box(by_width.picture)->left == doctest::Approx(32 - 20 + 4));
  CHECK(by_width.entry.origin == doctest::Approx(12));
  CHECK(by_width.entry.advance == doctest::Approx(40));
  DrawnLetter const wide{U'H', {20, 100, 20 + 320, 300}};
  CHECK_THROWS_WITH_AS(place_letter(picture, wide, at, frame, "H_1.png"),
                       doctest::Contains("H_1.png: expected H to fit into 64x64"), Error);
}

TEST_CASE("drawings of one hand are known by their names or their folder") {
  CHECK(family_of_drawing("x/A_bold_2.png") == "bold_2");
  CHECK(family_of_drawing("x/B_bold_2.svg") == "bold_2");
  CHECK(family_of_drawing("anna/A.png") == "anna");
  CHECK(family_of_drawing("anna/A_.png") == "anna");
  CHECK(family_of_drawing("A.png") == "drawings");
}

TEST_CASE("a blot is refused instead of being enlarged without end") {
  Image picture(2000, 2000, 1, 255);
  *picture.at(1000, 1000) = 0;
  DrawnLetter const letter{U'H', *ink_box(picture)};
  CHECK_THROWS_WITH_AS(
      place_letter(picture, letter, fitted_placement(letter, frame, "H_1.png"), frame, "H_1.png"),
      doctest::Contains("H_1.png: expected ink that is larger than a few pixels"), Error);
  // Of a large sheet with a small letter on it only the letter is enlarged.
  Image const sheet = bar(6000, 6000, 3000, 3000, 3004, 3004);
  DrawnLetter const small{U'H', *ink_box(sheet)};
  Letter const placed =
      place_letter(sheet, small, fitted_placement(small, frame, "H_1.png"), frame, "H_1.png");
  CHECK(ink_box(placed.picture)->height() == doctest::Approx(frame.cap_height).epsilon(0.02));
}

TEST_CASE("letters of other scripts stand on the baseline, or are known not to") {
  CHECK(letter_kind(U'Я') == LetterKind::capital);
  CHECK(letter_kind(U'я') == LetterKind::x_height);
  CHECK(letter_kind(U'р') == LetterKind::other);  // Cyrillic er
  CHECK(letter_kind(U'ф') == LetterKind::other);
  CHECK(letter_kind(U'ç') == LetterKind::other);
  CHECK(letter_kind(U'Ä') == LetterKind::other);
  CHECK(letter_kind(U'ω') == LetterKind::x_height);
  CHECK(letter_kind(U'Ք') == LetterKind::capital);  // Armenian: taken for one, or it could not be placed
}

}  // namespace data_place_drawing_tests
