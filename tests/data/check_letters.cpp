#include <glyphdiff/data/check_letters.hpp>

#include "../io/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <string>

namespace data_check_letters_tests {

using namespace glyphdiff;

namespace {

Image bar(int size) {
  Image image(size, size, 1, 255);
  for (int y = size / 4; y < size * 3 / 4; ++y) std::fill_n(image.at(y, size / 2), size / 8, 0);
  return image;
}

}  // namespace

TEST_CASE("a folder of drawings is checked by the names, and its page has the pictures in it") {
  TemporaryFolder folder;
  write_png(folder / "I_1.png", bar(64));
  write_png(folder / "I_2.png", bar(64));
  write_png(folder / "nameless <&.png", bar(64));
  folder.write("I_3.png", "no picture");
  folder.write("notes.txt", "no picture either");
  LetterCheck const check = check_letters(folder.path());
  REQUIRE(check.entries.size() == 3);
  CHECK(check.entries[0].file == "I_1.png");
  CHECK(check.entries[0].character == "I");
  CHECK(check.entries[2].character.empty());
  CHECK(check.skipped.size() == 1);
  REQUIRE(check.faults.size() == 2);
  CHECK(check.faults[0].fault == Fault::near_duplicate);
  CHECK(check.faults[0].letter == 1);
  CHECK(check.faults[1].fault == Fault::too_few);

  write_lint_page(folder / "lint.html", folder.path(), check);
  auto const bytes = read_file(folder / "lint.html");
  std::string const html(bytes.begin(), bytes.end());
  for (char const* part :
       {"3 letters, 2 remarks", "near-duplicate: 1", "I_2.png is nearly the same as I_1.png", "too few: 1",
        "src=\"data:image/png;base64,iVBORw0KGgo"}) {
    CAPTURE(part);
    CHECK(html.find(part) != std::string::npos);
  }
  CHECK(html.find("http") == std::string::npos);
}

TEST_CASE("a data set is checked by its manifest, and shown on a sheet") {
  TemporaryFolder folder;
  write_png(folder / "x.png", bar(32));
  save_manifest(folder.path(), {{"x.png", "I", "", "", 0, 20, 16, 0, 0}});
  LetterCheck const check = check_letters(folder.path());
  REQUIRE(check.faults.size() == 2);
  CHECK(check.faults[0].fault == Fault::off_baseline);
  CHECK(check.faults[0].sentence == "ends 25 % of its height below the baseline");
  std::vector<LetterEntry> const many(100, check.entries[0]);
  Image const sheet = letter_sheet(folder.path(), many, 20);
  CHECK(sheet.width == 6 * 66 + 2);
  CHECK(sheet.height == 4 * 66 + 2);
  CHECK(*sheet.at(2 + 32, 2 + 33) == 0);
  CHECK(*sheet.at(3, 3) == 255);
}

TEST_CASE("nothing to check is an error") {
  TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(check_letters(folder.path()), doctest::Contains("neither"), Error);
  CHECK_THROWS_WITH_AS(check_letters(folder / "missing"), doctest::Contains("a folder of letters"), Error);
  folder.write("A_1.png", "no picture");
  CHECK_THROWS_WITH_AS(check_letters(folder.path()), doctest::Contains("none, first"), Error);
}

}  // namespace data_check_letters_tests
