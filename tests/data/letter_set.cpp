#include <glyphdiff/data/letter_set.hpp>

#include "../io/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <string>

namespace data_letter_set_tests {

using namespace glyphdiff;

namespace {

std::string const header = "file\tcharacter\tfamily\tsource\tscale\tbaseline\tcap_height\torigin\tadvance\n";

/// A square of `ink` in the middle of `paper`.
Image square(int size, std::uint8_t ink, std::uint8_t paper, int channels = 1) {
  Image image(size, size, channels, paper);
  for (int y = size / 4; y < size / 2; ++y)
    for (int x = size / 4; x < size / 2; ++x) std::fill_n(image.at(y, x), channels, ink);
  return image;
}

}  // namespace

TEST_CASE("a manifest is read as it was written, pictures become gray and black on white") {
  TemporaryFolder folder;
  write_png(folder / "a.png", square(16, 0, 255));
  write_png(folder / "b.png", square(16, 255, 0, 3));
  LetterEntry const a{"a.png", "é", "one", "One Font.ttf #1", 58.25, 50, 40, 3.5, 33.125};
  LetterEntry const b{"b.png", "B", "two", "two\tfonts\n", -1e-3, 12345.5, 0, 0, 0};
  save_manifest(folder.path(), {a, b});
  LetterSet const set = load_letter_set(folder.path());
  REQUIRE(set.pictures.size() == 2);
  CHECK(set.entries[0] == a);
  CHECK(set.entries[1].source == "two fonts ");
  CHECK(set.entries[1].scale == -1e-3);
  CHECK(set.entries[1].baseline == 12345.5);
  CHECK(set.pictures[0].pixels == square(16, 0, 255).pixels);
  CHECK(set.pictures[1].pixels == set.pictures[0].pixels);
  CHECK(set.skipped.empty());
}

TEST_CASE("a manifest is UTF-8 whatever files are called") {
  TemporaryFolder folder;
  write_png(folder / "a.png", square(16, 0, 255));
  save_manifest(folder.path(), {{.file = "a.png", .character = "A", .source = "caf\xE9.png"}});
  CHECK(load_manifest(folder.path())[0].source == "caf?.png");
}

TEST_CASE("a picture that cannot be read is named and skipped") {
  TemporaryFolder folder;
  write_png(folder / "a.png", square(16, 0, 255));
  folder.write("b.png", "no picture");
  save_manifest(folder.path(), {{.file = "a.png", .character = "A"}, {.file = "b.png", .character = "B"}});
  LetterSet const set = load_letter_set(folder.path());
  CHECK(set.entries.size() == 1);
  REQUIRE(set.skipped.size() == 1);
  CHECK(set.skipped[0].find("b.png: expected a PNG or JPEG image") != std::string::npos);
  folder.write("a.png", "");
  CHECK_THROWS_WITH_AS(load_letter_set(folder.path()), doctest::Contains("none, first"), Error);
}

TEST_CASE("a manifest that says nothing is refused with its line") {
  TemporaryFolder folder;
  write_png(folder / "a.png", square(16, 0, 255));
  write_png(folder / "wide.png", Image(16, 17, 1, 255));
  write_png(folder / "small.png", square(8, 0, 255));
  std::string const rest = "\tA\tone\tone.ttf\t1\t2\t3\t4\t5\n", good = "a.png" + rest;
  auto const refuse = [&](std::string const& text, char const* words) {
    folder.write("letters.tsv", text);
    CHECK_THROWS_WITH_AS(load_letter_set(folder.path()), doctest::Contains(words), Error);
  };
  CHECK_THROWS_WITH_AS(load_letter_set(folder.path()), doctest::Contains("letters.tsv: expected a file"),
                       Error);
  refuse("", "a header line");
  refuse(good, "a header line");
  refuse(header, "at least one letter");
  refuse(header + good + "b.png" + rest, "line 3: expected the picture b.png, found nothing");
  refuse(header + "a.png\tA\tone\n", "line 2: expected file");
  refuse(header + "a.png\tA\tone\tone.ttf\t1\t2\t3\t4\tx\n", "found \"x\"");
  refuse(header + "a.png\tA\tone\tone.ttf\t1\t2\t3\t4\tnan\n", "found \"nan\"");
  refuse(header + "../a.png" + rest, "a file within the folder");
  refuse(header + "/a.png" + rest, "a file within the folder");
  refuse(header + good + "wide.png" + rest, "wide.png: expected a square picture");
  refuse(header + good + "small.png" + rest, "small.png: expected a square picture");
  folder.write("letters.tsv",
               "file\tcharacter\tfamily\tsource\tscale\tbaseline\tcap_height\torigin\tadvance\r\n" +
                   good.substr(0, good.size() - 1) + "\r\n");
  CHECK(load_letter_set(folder.path()).entries[0].advance == 5);  // as other systems end their lines
}

}  // namespace data_letter_set_tests
