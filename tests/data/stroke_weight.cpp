#include <glyphdiff/data/stroke_weight.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace data_stroke_weight_tests {

using namespace glyphdiff;

namespace {

constexpr int size = 64;
using Pixels = std::vector<float>;

void fill(Pixels& image, int left, int top, int right, int bottom, float value) {
  for (int y = top; y < bottom; ++y)
    for (int x = left; x < right; ++x) image[y * size + x] = value;
}

/// An H: two stems of 6 pixels and a bar of 4, from row 10 to row 50.
Pixels letter_h() {
  Pixels image(size * size, 1.0f);
  fill(image, 16, 10, 22, 50, -1);
  fill(image, 42, 10, 48, 50, -1);
  fill(image, 22, 28, 42, 32, -1);
  return image;
}

Pixels changed(Pixels image, float across, float down) {
  change_weight(image.data(), size, 1, across, down);
  return image;
}

double row_ink(Pixels const& image, int y, int from = 0, int to = size) {
  double sum = 0;
  for (int x = from; x < to; ++x) sum += 0.5 * (1 - image[y * size + x]);
  return sum;
}
double column_ink(Pixels const& image, int x, int from = 0, int to = size) {
  double sum = 0;
  for (int y = from; y < to; ++y) sum += 0.5 * (1 - image[y * size + x]);
  return sum;
}

}  // namespace

TEST_CASE("nothing to change changes nothing") {
  Pixels const h = letter_h(), same = changed(h, 0, 0);
  for (int i = 0; i < size * size; ++i) CHECK(std::abs(same[i] - h[i]) < 1e-5f);
  for (float value : changed(Pixels(size * size, 1.0f), 0.5f, 0.5f)) CHECK(value == 1.0f);
}

TEST_CASE("strokes grow by what is asked for; the ink begins and ends where it did") {
  for (float across : {-0.4f, 0.25f, 0.5f})
    for (float down : {-0.3f, 0.4f}) {
      Pixels const image = changed(letter_h(), across, down);
      double const squeeze_x = 32 / (32 + 2 * across), squeeze_y = 40 / (40 + 2 * down);
      CHECK(std::abs(row_ink(image, 20, 0, 32) - (6 + 2 * across) * squeeze_x) < 0.1);
      CHECK(std::abs(column_ink(image, 32) - (4 + 2 * down) * squeeze_y) < 0.1);
      CHECK(column_ink(image, 19) == doctest::Approx(40).epsilon(0.002));
      for (int outside : {9, 50}) CHECK(row_ink(image, outside) == 0);
      for (int outside : {15, 48}) CHECK(column_ink(image, outside) == 0);
      CHECK(row_ink(image, 10, 17, 21) > 3.98);  // edges that were crisp stay so
      CHECK(row_ink(image, 49, 17, 21) > 3.98);
      CHECK(column_ink(image, 16, 11, 49) > 37.8);
    }
}

TEST_CASE("upright and level strokes change apart, and edges are at most two gray pixels") {
  Pixels const image = changed(letter_h(), 0.4f, -0.4f);
  CHECK(row_ink(image, 20, 0, 32) > 6.5);
  CHECK(column_ink(image, 32) < 3.4);
  for (int y = 10; y < 26; ++y) {
    int gray = 0;
    for (int x = 0; x < size; ++x) gray += std::abs(image[y * size + x]) < 0.85f;
    CHECK(gray <= 4);
  }
}

TEST_CASE("hairlines get lighter or heavier, and never break or leave the range") {
  Pixels image(size * size, 1.0f);
  for (int k = 10; k < 50; ++k) {  // a diagonal of one pixel, in two shades
    image[k * size + k] = -1;
    image[k * size + k + 1] = 0;
  }
  for (float growth : {-0.3f, 0.3f}) {
    Pixels const line = changed(image, growth, growth);
    for (int y = 11; y < 49; ++y) {
      CHECK(row_ink(line, y) > (growth < 0 ? 0.4 : 1.5));
      for (int x = 0; x < size; ++x) CHECK(std::abs(line[y * size + x]) <= 1.0f);
    }
  }
  Pixels dot(size * size, 1.0f);
  dot[30 * size + 30] = -1;
  CHECK(row_ink(changed(dot, -5, -5), 30) > 0.5);  // what asks for more than there is gets a tenth
}

TEST_CASE("channels apart") {
  Pixels colour(size * size * 3, 1.0f);
  Pixels const h = letter_h(), alone = changed(h, 0.3f, 0.2f);
  for (int i = 0; i < size * size; ++i) colour[3 * i + 1] = h[i];
  change_weight(colour.data(), size, 3, 0.3f, 0.2f);
  for (int i = 0; i < size * size; ++i) {
    CHECK(colour[3 * i] == 1.0f);
    CHECK(colour[3 * i + 1] == alone[i]);
  }
}

}  // namespace data_stroke_weight_tests
