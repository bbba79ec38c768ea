#include <glyphdiff/data/font_glyphs.hpp>

#include "../io/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <string>

namespace data_font_glyphs_tests {

using namespace glyphdiff;

// The fonts are of rectangles: see fixtures/make_fonts.py.
namespace {

std::string const fonts = GLYPHDIFF_TEST_DATA "/../data/fixtures/";

LetterFrame const frame{.size = 64, .baseline = 50, .cap_height = 35};  // 20 font units are a pixel

/// Bytes are rounded.
doctest::Approx about(double value) { return doctest::Approx(value).epsilon(0.005); }

/// Ink of a row, or of a column, in pixels.
double row_ink(Image const& image, int y) {
  double sum = 0;
  for (int x = 0; x < image.width; ++x) sum += 255 - *image.at(y, x);
  return sum / 255;
}
double column_ink(Image const& image, int x) {
  double sum = 0;
  for (int y = 0; y < image.height; ++y) sum += 255 - *image.at(y, x);
  return sum / 255;
}

}  // namespace

TEST_CASE(
    "a letter stands on the baseline at the cap height, centred by its ink, and says where it came from") {
  auto const faces = open_font(fonts + "squares.ttf");
  REQUIRE(faces.size() == 1);
  CHECK(faces[0].name() == "SquaresOne-Regular");
  CHECK(faces[0].family() == "Squares One");
  CHECK(faces[0].style() == "Regular");
  Letter const a = faces[0].draw(U'A', frame);  // 400 x 700 units with a hole of 200 x 300
  CHECK(row_ink(a.picture, 14) == 0);
  for (int y = 15; y < 50; ++y) CHECK(row_ink(a.picture, y) == doctest::Approx(y < 25 || y >= 40 ? 20 : 10));
  CHECK(row_ink(a.picture, 50) == 0);
  CHECK(column_ink(a.picture, 21) == 0);
  CHECK(column_ink(a.picture, 22) == 35);
  CHECK(column_ink(a.picture, 41) == 35);
  CHECK(a.entry.character == "A");
  CHECK(a.entry.family == "squares");
  CHECK(a.entry.source == fonts + "squares.ttf");
  CHECK(a.entry.scale == doctest::Approx(50));
  CHECK(a.entry.baseline == 50);
  CHECK(a.entry.cap_height == doctest::Approx(35));
  CHECK(a.entry.origin == doctest::Approx(17));
  CHECK(a.entry.advance == doctest::Approx(35));
  Letter const g = faces[0].draw(U'g', frame);
  CHECK(row_ink(g.picture, 59) == about(15));
  CHECK(row_ink(g.picture, 60) == 0);
}

TEST_CASE(
    "side bearings are kept where letters are centred by the advance, and x-heights are measured at x") {
  auto const face = std::move(open_font(fonts + "squares.ttf")[0]);
  LetterFrame bearings = frame;
  bearings.side_bearings = true;
  Letter const a = face.draw(U'A', bearings);
  CHECK(a.entry.origin == doctest::Approx(32 - 17.5));
  CHECK(column_ink(a.picture, 19) == about(17.5));  // ink begins at 14.5 + 5
  LetterFrame by_x = frame;
  by_x.x_height = 20;
  Letter const x = face.draw(U'x', by_x);
  CHECK(row_ink(x.picture, 29) == 0);
  CHECK(row_ink(x.picture, 30) == 16);
  CHECK(x.entry.cap_height == doctest::Approx(28));
}

TEST_CASE("edges that fall between pixels are gray by what they cover, at every size") {
  auto const face = std::move(open_font(fonts + "squares.ttf")[0]);
  for (int size : {32, 100, 512}) {
    LetterFrame const other{.size = size, .baseline = 0.8 * size, .cap_height = 0.51 * size};
    double ink = 0;
    Letter const a = face.draw(U'A', other);
    for (int y = 0; y < size; ++y) ink += row_ink(a.picture, y);
    double const scale = other.cap_height / 700;
    CHECK(ink == doctest::Approx((400 * 700 - 200 * 300) * scale * scale).epsilon(0.01));
  }
}

TEST_CASE("every face of a collection, every named style of a variable font") {
  auto const collection = open_font(fonts + "squares.ttc");
  REQUIRE(collection.size() == 2);
  CHECK(collection[1].name() == "SquaresOne-Heavy");
  CHECK(collection[1].where() == fonts + "squares.ttc #1");
  CHECK(collection[1].draw(U'A', frame).entry.source == fonts + "squares.ttc #1");
  CHECK(row_ink(collection[1].draw(U'A', frame).picture, 20) == about(25));

  auto const variable = open_font(fonts + "squares_variable.ttf");
  REQUIRE(variable.size() == 2);
  CHECK(variable[0].name() == "Squares One-Thin");
  CHECK(variable[1].name() == "Squares One-Wide");
  CHECK(row_ink(variable[0].draw(U'A', frame).picture, 20) == about(25));
  CHECK(row_ink(variable[1].draw(U'A', frame).picture, 20) == about(30));
  CHECK(variable[1].draw(U'A', frame).entry.source == fonts + "squares_variable.ttf #0.2");
}

TEST_CASE("what a font lacks or cannot show is said") {
  auto const face = std::move(open_font(fonts + "squares.ttf")[0]);
  auto const refuse = [&](FontFace const& from, char32_t character, LetterFrame const& in,
                          char const* words) {
    CHECK_THROWS_WITH_AS(from.draw(character, in), doctest::Contains(words), Error);
  };
  refuse(face, U'B', frame, "squares.ttf: expected the character B, found no outline of it");
  refuse(face, U' ', frame, "no outline of it");
  refuse(face, U'W', frame, "expected W to fit into 64x64, found that it would be clipped");
  LetterFrame low = frame;
  low.baseline = 55;  // g ends 10 rows below
  refuse(face, U'g', low, "clipped");
  auto const small = std::move(open_font(fonts + "small.ttf")[0]);  // its OS/2 table says how high H would be
  CHECK(row_ink(small.draw(U'g', frame).picture, 59) == about(15));
}

TEST_CASE("what is no font is refused with its name") {
  TemporaryFolder folder;
  auto const refuse = [&](std::filesystem::path const& path) {
    CHECK_THROWS_WITH_AS(open_font(path), doctest::Contains(path.c_str()), Error);
  };
  refuse(folder / "missing.ttf");
  refuse(folder.write("empty.ttf", ""));
  refuse(folder.write("text.otf", "not a font"));
  auto const bytes = read_file(fonts + "squares.ttf");
  refuse(folder.write("cut.ttf", std::string(bytes.begin(), bytes.begin() + 200)));
}

TEST_CASE("of a collection with a broken face the others can be had") {
  TemporaryFolder folder;
  auto bytes = read_file(fonts + "squares.ttc");
  REQUIRE(open_font(fonts + "squares.ttc").size() == 2);
  bytes[17] ^= 0x7f;  // where its second face begins
  auto const broken = folder.write("broken.ttc", std::string(bytes.begin(), bytes.end()));
  CHECK_THROWS_WITH_AS(open_font(broken), doctest::Contains("broken.ttc #1"), Error);
  std::vector<std::string> skipped;
  CHECK(open_font(broken, &skipped).size() == 1);
  REQUIRE(skipped.size() == 1);
  CHECK(skipped[0].find("broken.ttc #1: expected a font") != std::string::npos);
}

TEST_CASE("families are known by their first word") {
  CHECK(family_word("DejaVu Sans Mono") == "dejavu");
  CHECK(family_word("Yoza90b") == "yoza");
  CHECK(family_word("  3270 Nerd") == "3270");
  CHECK(family_word("--").empty());
}

}  // namespace data_font_glyphs_tests
