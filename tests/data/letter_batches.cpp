#include <glyphdiff/data/letter_batches.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace data_letter_batches_tests {

using namespace glyphdiff;

namespace {

ImageDataset bars(int count) {
  std::vector<Image> images;
  for (int n = 0; n < count; ++n) {
    images.emplace_back(32, 32, 1, 255);
    for (int y = 8; y < 24; ++y) std::fill_n(images.back().at(y, 8 + n), 8, 0);
  }
  return make_dataset(images, std::vector<std::string>(std::size_t(count)));
}

std::vector<float> batch(LetterBatches& batches, int step) {
  auto const images = batches(step);
  return {images.data(), images.data() + images.size()};
}

}  // namespace

TEST_CASE("letters are varied until the update from which they are plain") {
  LetterBatches plain(bars(5), 16, 4, 1, std::nullopt), varied(bars(5), 16, 4, 1, LetterAugmentation{}),
      at_first(bars(5), 16, 4, 1, LetterAugmentation{}, 3);
  for (int step = 0; step < 6; ++step) {
    CHECK(batch(varied, step) != batch(plain, step));
    CHECK(batch(at_first, step) == batch(step < 3 ? varied : plain, step));
  }
}

TEST_CASE("the four variations are drawn apart") {
  LetterAugmentation const none{0, 0, 0, 0};
  for (auto const& one : {LetterAugmentation{.1f, 0, 0, 0}, LetterAugmentation{0, .1f, 0, 0},
                          LetterAugmentation{0, 0, .02f, 0}, LetterAugmentation{0, 0, 0, .02f}}) {
    LetterBatches plain(bars(5), 16, 4, 1, none), varied(bars(5), 16, 4, 1, one);
    CHECK(batch(varied, 0) != batch(plain, 0));
  }
}

TEST_CASE("white letters on black are varied as black ones on white are") {
  ImageDataset negative = bars(5);
  for (float& value : negative.images) value = -value;
  LetterBatches black(bars(5), 16, 4, 1, LetterAugmentation{}),
      white(negative, 16, 4, 1, LetterAugmentation{});
  std::vector<float> const wanted = batch(black, 0);
  std::vector<float> found = batch(white, 0);
  for (float& value : found) value = -value;
  CHECK(found == wanted);
}

}  // namespace data_letter_batches_tests
