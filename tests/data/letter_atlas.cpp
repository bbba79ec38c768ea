#include <glyphdiff/data/letter_atlas.hpp>

#include "../io/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

namespace data_letter_atlas_tests {

using namespace glyphdiff;

namespace {

std::string const data = GLYPHDIFF_TEST_DATA "/../../examples/data/letters_a";
std::string const header = "index\tfamily\tfont\tpackage\tlicence\tsplit\n";

float at(ImageDataset const& set, std::size_t n, int y, int x) { return set.images(n, y, x, 0); }

}  // namespace

TEST_CASE("the letters that are shipped: many, one baseline, one cap height, held out by family") {
  LetterAtlas const atlas = load_letter_atlas(data + ".png", data + ".tsv", 64);
  CHECK(atlas.train.size() >= 1100);
  CHECK(atlas.held_out.size() >= 120);
  CHECK(atlas.held_out.size() <= 140);
  int flat_feet = 0;
  for (ImageDataset const* set : {&atlas.train, &atlas.held_out})
    for (std::size_t n = 0; n < set->size(); ++n) {
      int top = 64, bottom = -1;
      for (int y = 0; y < 64; ++y)
        for (int x = 0; x < 64; ++x)
          if (at(*set, n, y, x) < 0) top = std::min(top, y), bottom = y;
      CHECK(std::abs(top - 10) <= 6);
      CHECK(std::abs(bottom - 53) <= 4);
      flat_feet += bottom == 53;
    }
  CHECK(flat_feet > 900);
}

TEST_CASE("32 px letters are the means of the 64 px ones") {
  LetterAtlas const large = load_letter_atlas(data + ".png", data + ".tsv", 64);
  LetterAtlas const half = load_letter_atlas(data + ".png", data + ".tsv", 32);
  REQUIRE(half.train.size() == large.train.size());
  CHECK(half.train.names == large.train.names);
  for (std::size_t n = 0; n < large.train.size(); n += 100)
    for (int y = 0; y < 32; ++y)
      for (int x = 0; x < 32; ++x) {
        float const mean =
            0.25f * (at(large.train, n, 2 * y, 2 * x) + at(large.train, n, 2 * y, 2 * x + 1) +
                     at(large.train, n, 2 * y + 1, 2 * x) + at(large.train, n, 2 * y + 1, 2 * x + 1));
        CHECK(std::abs(at(half.train, n, y, x) - mean) < 0.0045f);  // half a byte and rounding
      }
}

TEST_CASE("cells go where the list says, at any size") {
  TemporaryFolder folder;
  Image image(64, 192, 1, 255);
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 192; ++x) *image.at(y, x) = static_cast<std::uint8_t>(x / 64 * 51);
  write_png(folder / "a.png", image);
  auto const list =
      folder.write("a.tsv", header + "0\tOne\tone.ttf\tp\tMIT\theld_out\n1\tTwo\ttwo.ttf\tp\tMIT\ttrain\n");
  for (int size : {20, 64, 100}) {
    LetterAtlas const atlas = load_letter_atlas(folder / "a.png", list, size);
    REQUIRE(atlas.train.size() == 1);
    REQUIRE(atlas.held_out.size() == 1);
    CHECK(atlas.train.names[0] == "two.ttf");
    CHECK(atlas.train.images.shape(2) == static_cast<std::size_t>(size));
    CHECK(at(atlas.train, 0, size - 1, 0) == doctest::Approx(-0.6));
    CHECK(at(atlas.held_out, 0, 0, size - 1) == -1.0f);
  }
}

TEST_CASE("an atlas and a list that do not fit together are refused") {
  TemporaryFolder folder;
  write_png(folder / "a.png", Image(64, 64, 1));
  write_png(folder / "odd.png", Image(64, 65, 1));
  std::string const line = "0\tOne\tone.ttf\tp\tMIT\ttrain\n";
  auto const refuse = [&](std::string const& png, std::string const& text, char const* words) {
    CHECK_THROWS_WITH_AS(load_letter_atlas(folder / png, folder.write("a.tsv", text), 32),
                         doctest::Contains(words), Error);
  };
  CHECK_NOTHROW(load_letter_atlas(folder / "a.png", folder.write("a.tsv", header + line), 32));
  refuse("odd.png", header + line, "expected cells of 64x64 pixels, found an image of 64x65");
  refuse("missing.png", header + line, "missing.png: expected a file");
  refuse("a.png", "", "a header line");
  refuse("a.png", line, "a header line");
  refuse("a.png", header, "at least one letter");
  refuse("a.png", header + "1\tOne\tone.ttf\tp\tMIT\ttrain\n", "line 2: expected index 0");
  refuse("a.png", header + "0\tOne\tone.ttf\tp\tMIT\tother\n", "train or held_out");
  refuse("a.png", header + "0\tOne\ttrain\n", "line 2");
  refuse("a.png", header + line + "1\tOne\tone.ttf\tp\tMIT\ttrain\n", "at most the 1 cells");
}

}  // namespace data_letter_atlas_tests
