#include <glyphdiff/data/augment.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace data_augment_tests {

using namespace glyphdiff;

namespace {

using Pixels = std::vector<float>;

/// A black block, rows [8, 24) and columns [left, right) of 32, in every channel.
Pixels block(int left, int right, int channels = 1) {
  Pixels image(32 * 32 * channels, 1.0f);
  for (int y = 8; y < 24; ++y)
    for (int x = left; x < right; ++x)
      for (int c = 0; c < channels; ++c) image[(y * 32 + x) * channels + c] = -1.0f;
  return image;
}

Pixels augmented(Pixels const& image, float u_width, float u_shear, int size = 32, int channels = 1,
                 LetterAugmentation const& most = {}) {
  Pixels out(static_cast<std::size_t>(size * size * channels), 7.0f);
  augment_letter(image.data(), 32, out.data(), size, channels, {u_width, u_shear}, most);
  return out;
}

/// Ink of a row, in pixels, and its centre.
double ink(Pixels const& image, int y, int size = 32) {
  double sum = 0;
  for (int x = 0; x < size; ++x) sum += 0.5 * (1 - image[y * size + x]);
  return sum;
}
double centre(Pixels const& image, int y) {
  double sum = 0;
  for (int x = 0; x < 32; ++x) sum += (x + 0.5) * 0.5 * (1 - image[y * 32 + x]);
  return sum / ink(image, y);
}

}  // namespace

TEST_CASE("in the middle of both ranges nothing changes, and shrinking is the mean of boxes") {
  Pixels image = block(9, 20);
  for (int i = 0; i < 32 * 32; ++i)
    if (image[i] < 0) image[i] = -0.2f - 0.001f * static_cast<float>(i % 700);
  for (int y = 7; y < 25; ++y) image[y * 32 + 8] = image[y * 32 + 20] = 0.4f;  // light gray is ink too
  Pixels const same = augmented(image, 0.5f, 0.5f), half = augmented(image, 0.5f, 0.5f, 16);
  for (int i = 0; i < 32 * 32; ++i) CHECK(std::abs(same[i] - image[i]) < 1e-4f);
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 16; ++x) {
      float const* const p = &image[2 * y * 32 + 2 * x];
      CHECK(std::abs(half[y * 16 + x] - 0.25f * (p[0] + p[1] + p[32] + p[33])) < 1e-4f);
    }
}

TEST_CASE("widths change by the given share about the middle of the ink; rows stay") {
  for (float u : {0.0f, 0.25f, 1.0f}) {
    Pixels const image = augmented(block(6, 22), u, 0.5f);
    for (int y = 0; y < 32; ++y) {
      bool const inside = y >= 8 && y < 24;
      CHECK(ink(image, y) == doctest::Approx(inside ? 16 * (1 + 0.1 * (2 * u - 1)) : 0.0).epsilon(0.01));
      if (inside) CHECK(centre(image, y) == doctest::Approx(14.0).epsilon(0.001));
    }
  }
}

TEST_CASE("leaning moves rows in proportion to their height above the middle and keeps their ink") {
  Pixels const image = augmented(block(10, 18), 0.5f, 1.0f);
  for (int y = 8; y < 24; ++y) {
    CHECK(ink(image, y) == doctest::Approx(8.0).epsilon(0.01));
    CHECK(std::abs(centre(image, y) - (14 + 0.08 * (16 - (y + 0.5)))) < 0.06);
  }
}

TEST_CASE("edges stay crisp: at most two gray pixels on either side of a stem, values in range") {
  for (float u_width : {0.0f, 0.3f, 0.9f})
    for (float u_shear : {0.0f, 0.4f, 1.0f}) {
      Pixels const image = augmented(block(10, 18), u_width, u_shear);
      for (int y = 8; y < 24; ++y) {
        int gray = 0;
        for (int x = 0; x < 32; ++x) {
          float const value = image[y * 32 + x];
          CHECK(value >= -1.0f);
          CHECK(value <= 1.0f);
          gray += value > -0.85f && value < 0.85f;
        }
        CHECK(gray <= 4);
      }
    }
}

TEST_CASE("ink never leaves the image") {
  for (int left : {0, 1, 4})
    for (float u_shear : {0.0f, 0.5f, 1.0f}) {
      Pixels const image = augmented(block(left, 30), 1.0f, u_shear);
      double total = 0;
      for (int y = 0; y < 32; ++y) total += ink(image, y);
      CHECK(total >= 0.995 * 16 * (30 - left));
    }
}

TEST_CASE("channels are moved alike, blank images stay blank") {
  Pixels colour = block(10, 18, 3);
  for (int i = 1; i < 32 * 32 * 3; i += 3) colour[i] = 1.0f;  // no ink in green
  Pixels const out = augmented(colour, 0.9f, 0.2f, 32, 3), gray = augmented(block(10, 18), 0.9f, 0.2f);
  for (int i = 0; i < 32 * 32; ++i) {
    CHECK(out[3 * i] == gray[i]);
    CHECK(out[3 * i + 1] == 1.0f);
    CHECK(out[3 * i + 2] == gray[i]);
  }
  for (float value : augmented(Pixels(32 * 32, 1.0f), 0.0f, 1.0f, 16)) CHECK(value == 1.0f);
}

TEST_CASE("weight and contrast change strokes and no rows, and only when asked for") {
  LetterAugmentation const most{0, 0, 0.01f, 0.01f};
  Pixels ring = block(8, 24);  // strokes of 4 pixels
  for (int y = 12; y < 20; ++y) std::fill_n(&ring[y * 32 + 12], 8, 1.0f);
  auto const varied = [&](LetterVariation const& u, LetterAugmentation const& up_to) {
    Pixels out(32 * 32);
    augment_letter(ring.data(), 32, out.data(), 32, 1, u, up_to);
    CHECK(ink(out, 7) == 0);
    CHECK(ink(out, 8) == doctest::Approx(16).epsilon(0.01));
    CHECK(ink(out, 24) == 0);
    return ink(out, 16);
  };
  CHECK(varied({.weight = 1.0f}, most) == doctest::Approx(2 * (4 + 0.64) * 16 / 16.64).epsilon(0.01));
  CHECK(varied({.contrast = 0.0f}, most) == doctest::Approx(2 * (4 - 0.64) * 16 / 15.36).epsilon(0.01));
  CHECK(varied({}, most) == doctest::Approx(8));
  CHECK(varied({.weight = 1.0f, .contrast = 1.0f}, {}) == doctest::Approx(8));
}

TEST_CASE("all extremes of the options are safe") {
  for (float u_width : {0.0f, 1.0f})
    for (float u_shear : {0.0f, 1.0f})
      for (int size : {1, 8, 16, 32})
        for (auto const& image : {block(0, 32), block(0, 1), block(31, 32)})
          for (float value : augmented(image, u_width, u_shear, size, 1, {0.9f, 3.0f}))
            CHECK(std::abs(value) <= 1.0f);
  CHECK_THROWS_AS(augmented(block(1, 2), 0.5f, 0.5f, 12), Error);
}

}  // namespace data_augment_tests
