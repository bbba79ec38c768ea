#include <glyphdiff/data/alphabet_letters.hpp>

#include "../io/temporary_folder.hpp"

#include <doctest/doctest.h>

namespace data_alphabet_letters_tests {

using namespace glyphdiff;

namespace {

LetterEntry entry(std::string file, std::string character, std::string source) {
  return {file, character, "family", source, 1, 48, 40, 10, 30};
}

}  // namespace

TEST_CASE("letters have the style of their font, or of their family where each has its own file") {
  TemporaryFolder folder;
  for (char const* const name : {"a.png", "b.png", "c.png", "d.png", "e.png"})
    write_png(folder / name, Image(64, 64, 1, 200));
  save_manifest(folder.path(),
                {entry("a.png", "A", "one.ttf"), entry("b.png", "b", "one.ttf"), entry("c.png", "C", "c.svg"),
                 entry("d.png", "D", "d.svg"), entry("e.png", "\xC3\x84", "one.ttf")});
  auto const loaded = load_alphabet_letters(folder.path());
  REQUIRE(loaded.letters.size() == 4);
  CHECK(loaded.letters[1].label == 27);
  CHECK(loaded.letters[0].style == "one.ttf");
  CHECK(loaded.letters[1].style == "one.ttf");
  CHECK(loaded.letters[2].style == "family");
  CHECK(loaded.letters[3].style == "family");
  CHECK(loaded.entries[3].file == "d.png");
  REQUIRE(loaded.skipped.size() == 1);
  CHECK(loaded.skipped[0].ends_with("the letters \xC3\x84, which the alphabet lacks"));
}

TEST_CASE("drawings whose names say nothing of a hand have one style together") {
  TemporaryFolder folder;
  std::vector<LetterEntry> entries;
  for (std::string const character : {"A", "B", "C"}) {
    write_png(folder / (character + ".png"), Image(64, 64, 1, 200));
    entries.push_back(entry(character + ".png", character, character + "_x.png"));
    entries.back().family = "number " + character;
  }
  save_manifest(folder.path(), entries);
  auto const loaded = load_alphabet_letters(folder.path());
  REQUIRE(loaded.letters.size() == 3);
  CHECK(loaded.letters[1].style == loaded.letters[0].style);
  CHECK(loaded.letters[2].style == loaded.letters[0].style);
}

TEST_CASE(
    "letters of another frame are brought to the alphabet's: two rows up, a smaller one, a larger one") {
  TemporaryFolder folder;
  auto const picture = [](int size, int top, int bottom) {
    Image image(size, size, 1, 255);
    for (int y = top; y < bottom; ++y)
      for (int x = size / 4; x < 3 * size / 4; ++x) *image.at(y, x) = 0;
    return image;
  };
  auto const load_one = [&](Image const& image, double baseline, double cap_height, double origin) {
    write_png(folder / "a.png", image);
    LetterEntry a = entry("a.png", "A", "one.ttf");
    a.baseline = baseline, a.cap_height = cap_height, a.origin = origin;
    save_manifest(folder.path(), {a});
    return load_alphabet_letters(folder.path());
  };
  auto const as_it_is = load_one(picture(64, 8, 48), 48, 40, 10);
  CHECK(as_it_is.moved == 0);
  CHECK(as_it_is.letters[0].picture.pixels == picture(64, 8, 48).pixels);

  // What letters made before both programs had one frame.
  auto const up = load_one(picture(64, 10, 50), 50, 40, 10);
  CHECK(up.moved == 1);
  CHECK(up.letters[0].picture.pixels == picture(64, 8, 48).pixels);
  CHECK(up.entries[0].baseline == 48);
  CHECK(up.entries[0].origin == doctest::Approx(10));

  auto const large = load_one(picture(128, 20, 100), 100, 80, 20);
  CHECK(large.letters[0].picture.pixels == picture(64, 8, 48).pixels);
  CHECK(large.entries[0].origin == doctest::Approx(10));
  CHECK(large.entries[0].advance == doctest::Approx(15));
  CHECK(large.entries[0].cap_height == 40);

  auto const small = load_one(picture(32, 4, 24), 24, 20, 5);
  auto const ink = ink_box(small.letters[0].picture);
  REQUIRE(ink);
  CHECK(ink->top == doctest::Approx(8).epsilon(0.05));
  CHECK(ink->bottom == doctest::Approx(48).epsilon(0.02));

  // The frame of the built-in letters A, and one whose cap height is not known.
  CHECK(ink_box(load_one(picture(64, 10, 54), 54, 44, 10).letters[0].picture)->height() ==
        doctest::Approx(40).epsilon(0.03));
  CHECK(load_one(picture(128, 40, 100), 100, 0, 10).entries[0].baseline == 48);
}

TEST_CASE(
    "letters that would be clipped are named and left out, and folders without any letter are refused") {
  TemporaryFolder folder;
  Image tall(64, 64, 1, 255);
  for (int y = 1; y < 63; ++y) *tall.at(y, 32) = 0;
  write_png(folder / "a.png", tall);
  write_png(folder / "b.png", Image(64, 64, 1, 200));
  LetterEntry a = entry("a.png", "A", "one.ttf"), b = entry("b.png", "B", "one.ttf");
  a.baseline = b.baseline = 54;
  save_manifest(folder.path(), {a, b});
  auto const loaded = load_alphabet_letters(folder.path());
  REQUIRE(loaded.letters.size() == 1);
  CHECK(loaded.entries[0].file == "b.png");
  REQUIRE(loaded.skipped.size() == 1);
  CHECK(loaded.skipped[0].find("a.png") != std::string::npos);
  CHECK(loaded.skipped[0].find("clipped") != std::string::npos);
  save_manifest(folder.path(), {a});
  CHECK_THROWS_WITH_AS(load_alphabet_letters(folder.path()), doctest::Contains("clipped"), Error);
  save_manifest(folder.path(), {entry("a.png", "~", "one.ttf")});
  CHECK_THROWS_AS(load_alphabet_letters(folder.path()), Error);
}

}  // namespace data_alphabet_letters_tests
