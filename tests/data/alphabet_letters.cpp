#include <glyphdiff/data/alphabet_letters.hpp>

#include "../io/temporary_folder.hpp"

#include <doctest/doctest.h>

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

TEST_CASE("letters that lie otherwise, and folders without any of the alphabet, are refused") {
  TemporaryFolder folder;
  write_png(folder / "a.png", Image(64, 64, 1, 200));
  LetterEntry a = entry("a.png", "A", "one.ttf");
  a.baseline = 50;
  save_manifest(folder.path(), {a});
  CHECK_THROWS_WITH_AS(load_alphabet_letters(folder.path()),
                       ((folder / "a.png").string() +
                        ": expected a letter of 64x64 pixels with its baseline at 48 and capitals 40 high "
                        "(letters --size 64 --baseline 48 --cap-height 40), found 64 pixels, 50 and 40")
                           .c_str(),
                       Error);
  save_manifest(folder.path(), {entry("a.png", "~", "one.ttf")});
  CHECK_THROWS_AS(load_alphabet_letters(folder.path()), Error);
  write_png(folder / "a.png", Image(32, 32, 1, 200));
  save_manifest(folder.path(), {entry("a.png", "A", "one.ttf")});
  CHECK_THROWS_AS(load_alphabet_letters(folder.path()), Error);
}
