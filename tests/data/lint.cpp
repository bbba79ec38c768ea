#include <glyphdiff/data/lint.hpp>

#include <doctest/doctest.h>

#include <functional>

namespace data_lint_tests {

using namespace glyphdiff;

namespace {

void box(Image& image, int left, int top, int right, int bottom, int value = 0) {
  for (int y = top; y < bottom; ++y)
    for (int x = left; x < right; ++x) std::fill_n(image.at(y, x), 3, std::uint8_t(value));
}

/// An F of 64 pixels, RGBA, from row 10 to the baseline on row 50. No two are alike.
Image letter(int number, int bottom = 50, int top = 10) {
  Image image(64, 64, 4, 255);
  int const arm = 28 + number % 10, bar = top + 12 + number / 10 % 8;
  box(image, 16, top, 22, bottom);
  box(image, 16, top, 16 + arm, top + 5);
  box(image, 16, bar, 8 + arm, bar + 5);
  return image;
}

LetterEntry const in_frame{.file = "", .character = "F", .family = "", .source = "", .baseline = 50};

/// Which kinds of fault are found when letter 7 of so many is another one, each with the letters it is said
/// of.
std::vector<std::pair<Fault, std::size_t>> found(Image const& seventh, LetterEntry const& entry = in_frame,
                                                 int count = 60) {
  LetterLint lint;
  for (int i = 0; i < count; ++i) lint.add(i == 7 ? seventh : letter(i), entry);
  std::vector<std::pair<Fault, std::size_t>> result;
  for (LetterFault const& fault : lint.faults()) result.emplace_back(fault.fault, fault.letter);
  return result;
}

using Found = std::vector<std::pair<Fault, std::size_t>>;

}  // namespace

TEST_CASE("good letters are not talked about") {
  CHECK(found(letter(7)).empty());
  LetterEntry unknown = in_frame;
  unknown.baseline = 0;  // no manifest
  CHECK(found(letter(7), unknown).empty());
  CHECK(found(letter(7, 51, 9)).empty());  // an overshoot
}

TEST_CASE("off the baseline, whether a manifest says where it is or not") {
  CHECK(found(letter(7, 54, 14)) == Found{{Fault::off_baseline, 7}});
  CHECK(found(letter(7, 46, 6)) == Found{{Fault::off_baseline, 7}});
  LetterEntry unknown = in_frame;
  unknown.baseline = 0;
  CHECK(found(letter(7, 54, 14), unknown) == Found{{Fault::off_baseline, 7}});
  LetterEntry descends = in_frame;
  descends.character = "g";  // nothing says how far
  CHECK(found(letter(7, 54, 14), descends).empty());
}

TEST_CASE("odd size: of the letter, and of the picture") {
  CHECK(found(letter(7, 50, 20)) == Found{{Fault::odd_size, 7}});
  Image const wide = [] {
    Image image(64, 80, 4, 255);
    box(image, 16, 10, 22, 50);
    box(image, 16, 10, 40, 15);
    return image;
  }();
  CHECK(found(wide) == Found{{Fault::odd_size, 7}});
}

TEST_CASE("clipped, blank") {
  Image cut = letter(7);
  box(cut, 40, 10, 64, 15);
  CHECK(found(cut) == Found{{Fault::clipped, 7}});
  CHECK(found(Image(64, 64, 4, 255)) == Found{{Fault::blank, 7}});
}

TEST_CASE("near-duplicates are told which letter they repeat") {
  Image nearly = letter(3);
  box(nearly, 16, 49, 22, 50, 20);
  CHECK(found(nearly) == Found{{Fault::near_duplicate, 7}});
  LetterLint lint;
  for (int i = 0; i < 60; ++i) lint.add(i == 7 ? nearly : letter(i), in_frame);
  REQUIRE(lint.faults().size() == 1);
  CHECK(lint.faults()[0].other == 3);
  LetterLint two;  // the same shape as another character is no duplicate
  for (int i = 0; i < 60; ++i) {
    LetterEntry entry = in_frame;
    entry.character = i % 2 == 0 ? "F" : "P";
    two.add(letter(i / 2), entry);
  }
  CHECK(two.faults().empty());
}

TEST_CASE("mirrored, also where the letter isn't in the middle") {
  Image mirrored(64, 64, 4, 255);
  Image const right = letter(7);
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 64; ++x) std::copy_n(right.at(y, x), 4, mirrored.at(y, 63 - x));
  CHECK(found(mirrored) == Found{{Fault::mirrored, 7}});
}

TEST_CASE("colour cast and alpha") {
  Image yellow = letter(7);
  for (std::size_t i = 0; i < yellow.pixels.size(); i += 4)
    yellow.pixels[i + 2] = yellow.pixels[i + 2] * 4 / 5;
  CHECK(found(yellow) == Found{{Fault::coloured, 7}});
  Image clear = letter(7);
  for (std::size_t i = 0; i < clear.pixels.size(); i += 4)
    if (clear.pixels[i] == 255) clear.pixels[i + 3] = 0;
  CHECK(found(clear) == Found{{Fault::transparent, 7}});
}

TEST_CASE("too few, and white on black is as good") {
  CHECK(found(letter(7), in_frame, 49) == Found{{Fault::too_few, 0}});
  CHECK(found(letter(7), in_frame, 50).empty());
  Image negative = letter(7);
  for (std::size_t i = 0; i < negative.pixels.size(); ++i)
    if (i % 4 != 3) negative.pixels[i] = std::uint8_t(255 - negative.pixels[i]);
  CHECK(found(negative).empty());
}

TEST_CASE("a letter that is refused leaves nothing behind") {
  LetterLint lint;
  LetterEntry broken = in_frame;
  broken.character = "\xE4";                                        // not UTF-8
  CHECK_THROWS_AS(lint.add(Image(64, 64, 4, 255), broken), Error);  // blank as well
  auto const faults = lint.faults();
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].fault == Fault::too_few);
}

}  // namespace data_lint_tests
