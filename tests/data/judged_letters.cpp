#include <glyphdiff/data/judged_letters.hpp>

#include "../io/temporary_folder.hpp"

#include <xtensor/xmath.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

namespace data_judged_letters_tests {

using namespace glyphdiff;

namespace {

/// A dark bar on paper, `shade` of it.
Image bar(int size, int shade, bool inverse = false) {
  Image picture(size, size, 1, 255);
  for (int y = size / 4; y < size / 2; ++y)
    for (int x = 2; x < size - 2; ++x) *picture.at(y, x) = static_cast<std::uint8_t>(shade);
  return inverse ? inverted(picture) : picture;
}

JudgedLetters load(std::filesystem::path const& source, int size = 0, std::string const& character = "",
                   LetterSplit split = LetterSplit::train) {
  return load_letters(source, size, character, split);
}

float darkest(ImageDataset const& letters, std::size_t n) {
  auto const size = letters.images.shape(1);
  return letters.images(n, size * 3 / 8, size / 2, 0);
}

void write_set(std::filesystem::path const& folder, int count) {
  std::filesystem::create_directories(folder);
  std::vector<LetterEntry> entries;
  for (int n = 0; n < count; ++n) {
    std::string const file = std::to_string(n) + ".png";
    write_png(folder / file, bar(16, n));
    entries.push_back({.file = file,
                       .character = n % 3 == 2 ? "B" : "A",
                       .family = "family" + std::to_string(n / 6),
                       .source = "font"});
  }
  save_manifest(folder, entries);
}

}  // namespace

TEST_CASE("a data set gives the letters of one character, with their families") {
  TemporaryFolder folder;
  write_set(folder.path(), 9);
  JudgedLetters const a = load(folder.path(), 0, "A"), b = load(folder.path(), 8, "B");
  CHECK(a.letters.names == std::vector<std::string>{"0.png", "1.png", "3.png", "4.png", "6.png", "7.png"});
  CHECK(a.families[3] == "family0");
  CHECK(a.families[4] == "family1");
  CHECK(a.letters.images.shape(1) == 16);
  CHECK(b.letters.size() == 3);
  CHECK(b.letters.images.shape(1) == 8);
  CHECK_THROWS_WITH_AS(load(folder.path(), 0, "Q"), doctest::Contains("expected letters Q, found A B"),
                       Error);
  CHECK_THROWS_WITH_AS(load(folder.path()), doctest::Contains("one character to be chosen of it"), Error);
}

TEST_CASE("a folder gives its pictures, black on white, at their size or another") {
  TemporaryFolder folder;
  write_png(folder / "1.png", bar(16, 0));
  write_png(folder / "2.png", bar(16, 51, true));
  folder.write("3.png", "no picture");
  JudgedLetters const letters = load(folder.path());
  CHECK(letters.letters.size() == 2);
  CHECK(letters.skipped.size() == 1);
  CHECK(darkest(letters.letters, 0) == -1.0f);
  CHECK(darkest(letters.letters, 1) == doctest::Approx(-0.6));
  write_png(folder / "4.png", bar(20, 0));
  CHECK_THROWS_WITH_AS(load(folder.path()), doctest::Contains("4.png: expected a square picture of the size"),
                       Error);
  CHECK(load(folder.path(), 12).letters.images.shape(2) == 12);
}

TEST_CASE("of a folder whose names say characters those of another one are left out") {
  TemporaryFolder folder;
  for (char const* name : {"A_1.png", "u0041_2.png", "B_1.png", "7.png", "7_2.png", "scan_3.png"})
    write_png(folder / name, bar(16, 0));
  CHECK(load(folder.path(), 0, "A").letters.size() == 5);
  CHECK(load(folder.path(), 0, "B").letters.size() == 4);
  CHECK(load(folder.path()).letters.size() == 6);
}

TEST_CASE("an atlas gives a split, a sheet its cells") {
  std::string const data = GLYPHDIFF_TEST_DATA "/../../examples/data/letters_a";
  LetterAtlas const atlas = load_letter_atlas(data + ".png", data + ".tsv", 32);
  CHECK(load(data + ".png", 32).letters.names == atlas.train.names);
  JudgedLetters const held_out = load(data + ".png", 32, "", LetterSplit::held_out);
  CHECK(held_out.letters.images == atlas.held_out.images);
  TemporaryFolder folder;
  write_png(folder / "sheet.png", image_grid(held_out.letters.images, 16));
  JudgedLetters const cells = load(folder / "sheet.png");
  CHECK(cells.letters.size() == held_out.letters.size());
  CHECK(xt::amax(xt::abs(cells.letters.images - held_out.letters.images))() < 0.0079f);  // a byte
  CHECK(load(folder / "sheet.png", 16).letters.images.shape(1) == 16);
}

TEST_CASE("what holds no letters is refused in one sentence") {
  TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(load(folder.path()), doctest::Contains("at least one PNG or JPEG image, found none"),
                       Error);
  CHECK_THROWS_WITH_AS(load(folder / "missing"),
                       doctest::Contains("a folder of pictures, a sheet of letters"), Error);
  CHECK_THROWS_WITH_AS(load(folder.write("a.txt", "text")), doctest::Contains("a PNG or JPEG image"), Error);
  write_png(folder / "one.png", bar(64, 0));
  CHECK_THROWS_WITH_AS(load(folder / "one.png"), doctest::Contains("an atlas with its list beside it"),
                       Error);
}

TEST_CASE("a tenth is held out: by family where families are known") {
  TemporaryFolder folder;
  write_set(folder.path(), 90);  // 15 families of 4 letters A
  JudgedLetters letters = load(folder.path(), 0, "A");
  auto const [held_out, rule] = hold_out_letters(letters);
  CHECK(rule == "every tenth family");
  CHECK(held_out.size() == 4);
  CHECK(letters.letters.size() == 56);
  CHECK(held_out.names == std::vector<std::string>{"54.png", "55.png", "57.png", "58.png"});
  CHECK(darkest(held_out, 0) == doctest::Approx(54 / 127.5 - 1));

  letters = load(folder.path(), 0, "A");
  letters.families.clear();
  auto const [tenth, other_rule] = hold_out_letters(letters);
  CHECK(other_rule == "every tenth letter");
  CHECK(tenth.size() == 6);
  CHECK(tenth.names.front() == "13.png");

  letters = load(folder.path(), 0, "A");  // of 21 families two single letters would be held out
  for (std::size_t n = 0; n < 60; ++n) letters.families[n] = n < 40 ? "large" : std::to_string(n);
  CHECK(hold_out_letters(letters).second == "every tenth letter");
  JudgedLetters few = load(folder.path(), 0, "B");
  few.letters.names.resize(20);
  CHECK_THROWS_WITH_AS(hold_out_letters(few), doctest::Contains("at least 30, found 20"), Error);
}

}  // namespace data_judged_letters_tests
