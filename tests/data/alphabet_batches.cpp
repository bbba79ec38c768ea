#include <glyphdiff/data/alphabet.hpp>
#include <glyphdiff/data/alphabet_batches.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace data_alphabet_batches_tests {

using namespace glyphdiff;

namespace {

/// A letter that its label and its style can be read off: all of one gray.
StyledLetter flat(int label, int style) {
  return {Image(4, 4, 1, std::uint8_t(100 * style + label)), label, "style " + std::to_string(style)};
}
std::vector<StyledLetter> two_styles() {
  std::vector<StyledLetter> letters;
  for (int style : {0, 1})
    for (int label = 0; label < 10; ++label) letters.push_back(flat(label, style));
  return letters;
}
int byte_of(float value) { return int(std::lround((value + 1) * 127.5f)); }

/// The bytes of the references that a letter came with.
std::vector<int> references(AlphabetBatches::Batch const& batch, int slot) {
  std::vector<int> shown;
  for (std::size_t k = 0; k < batch.condition.extent(3); ++k)
    if (batch.condition(slot, 0, 0, k) != no_reference)
      shown.push_back(byte_of(batch.condition(slot, 0, 0, k)));
  return shown;
}

}  // namespace

TEST_CASE("references are other letters of the same style, up to three, all different") {
  AlphabetBatches batches(two_styles(), {.batch = 16, .seed = 4});
  std::set<std::size_t> counts;
  int without_class = 0, alone = 0;
  for (int step = 0; step < 100; ++step) {
    auto const& batch = batches(step);
    for (int slot = 0; slot < 16; ++slot) {
      int const letter = byte_of(batch.images(slot, 3, 2, 0));
      auto const shown = references(batch, slot);
      counts.insert(shown.size());
      alone += shown.empty();
      CHECK(std::set<int>(shown.begin(), shown.end()).size() == shown.size());
      for (int const other : shown) {
        CHECK(other / 100 == letter / 100);
        CHECK(other != letter);
      }
      if (batch.labels[slot] == no_class) {
        ++without_class;
        CHECK(shown.empty());
      } else {
        CHECK(batch.labels[slot] == letter % 100);
      }
    }
  }
  CHECK(counts == std::set<std::size_t>{0, 1, 2, 3});
  CHECK(without_class == doctest::Approx(160).epsilon(0.3));  // a tenth of 1600
  CHECK(alone == doctest::Approx(480).epsilon(0.2));          // and a fifth more
}

TEST_CASE("batches are a function of seed and step") {
  AlphabetBatches a(two_styles(), {.batch = 8, .seed = 4}), b(two_styles(), {.batch = 8, .seed = 4}),
      other(two_styles(), {.batch = 8, .seed = 5});
  auto const numbers = [](AlphabetBatches::Batch const& batch) {
    std::vector<float> all(batch.images.data(), batch.images.data() + batch.images.size());
    all.insert(all.end(), batch.condition.data(), batch.condition.data() + batch.condition.size());
    return all;
  };
  a(3);
  auto const later = numbers(a(7));
  CHECK(later == numbers(b(7)));
  CHECK(later != numbers(other(7)));
  CHECK(a.letter_count() == 20);
  CHECK(a.style_count() == 2);
}

TEST_CASE("a letter and its references vary alike, and letters alone don't") {
  // Bars of different places: a wider letter has a wider bar, whatever its place.
  std::vector<StyledLetter> letters;
  for (int label = 0; label < 4; ++label) {
    Image bar(32, 32, 1, 255);
    for (int y = 4; y < 28; ++y)
      for (int x = 8 + label; x < 18 + label; ++x) *bar.at(y, x) = 0;
    letters.push_back({bar, label, "bars"});
  }
  AlphabetBatches batches(letters, {.batch = 8, .seed = 1, .augmentation = LetterAugmentation{}});
  auto const ink = [](float const* pixels, int stride) {
    double sum = 0;
    for (int i = 0; i < 32 * 32; ++i) sum += 0.5 - 0.5 * pixels[i * stride];
    return sum;
  };
  std::set<int> varied;
  for (int step = 0; step < 20; ++step) {
    auto const& batch = batches(step);
    for (int slot = 0; slot < 8; ++slot) {
      double const own = ink(&batch.images(slot, 0, 0, 0), 1);
      if (batch.condition(slot, 0, 0, 0) == no_reference) {
        CHECK(own == doctest::Approx(240));
        continue;
      }
      CHECK(ink(&batch.condition(slot, 0, 0, 0), 3) == doctest::Approx(own).epsilon(0.01));
      varied.insert(int(own));
    }
  }
  CHECK(varied.size() > 5);
}

TEST_CASE("letters of different sizes are refused, and none") {
  std::vector<StyledLetter> letters{flat(0, 0), {Image(5, 5, 1), 1, "style 0"}};
  CHECK_THROWS_WITH_AS(AlphabetBatches(letters, {}),
                       "letter 1: expected 4x4 gray pixels, as the first, found 5x5x1", Error);
  CHECK_THROWS_AS(AlphabetBatches({}, {}), Error);
}

TEST_CASE("a text's classes are its characters' places in the alphabet") {
  CHECK(alphabet_classes("A b") == std::vector<int>{0, 27});
  CHECK(alphabet_class("$") == int(alphabet.size()) - 1);
  CHECK(alphabet_class("\xC3\x84") == no_class);
  CHECK(alphabet_class("") == no_class);
  CHECK_THROWS_AS(alphabet_classes("a~"), Error);
  CHECK_THROWS_AS(alphabet_classes("  "), Error);
}

}  // namespace data_alphabet_batches_tests
