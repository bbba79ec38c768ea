#include <glyphdiff/io/resize.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace io_resize_tests {

using namespace glyphdiff;

namespace {
constexpr ResizeFilter filters[] = {ResizeFilter::area, ResizeFilter::cubic};
}

TEST_CASE("area shrinking by a whole factor is the mean of the boxes") {
  Image image(4, 4, 1);
  for (int i = 0; i < 16; ++i) image.pixels[i] = static_cast<std::uint8_t>(10 * i);
  CHECK(resize(image, 2, 2, ResizeFilter::area).pixels == std::vector<std::uint8_t>{25, 45, 105, 125});
  CHECK(resize(image, 1, 4, ResizeFilter::area).pixels == std::vector<std::uint8_t>{60, 70, 80, 90});
}

TEST_CASE("area shrinking by a fraction shares pixels by what is covered") {
  Image image(1, 3, 1);
  image.pixels = {0, 90, 240};
  // Pixels of 1.5: (0 + 45) / 1.5 and (45 + 240) / 1.5.
  CHECK(resize(image, 1, 2, ResizeFilter::area).pixels == std::vector<std::uint8_t>{30, 190});
}

TEST_CASE("cubic enlarging reproduces a quadratic, which Keys's kernel does to third order") {
  Image image(1, 12, 1);
  auto const value = [](double x) { return 20 + 1.5 * x * x; };
  for (int x = 0; x < 12; ++x) image.pixels[x] = static_cast<std::uint8_t>(std::lround(value(x + 0.5)));
  Image const large = resize(image, 1, 24, ResizeFilter::cubic);
  for (int x = 6; x < 18; ++x) CHECK(std::abs(large.pixels[x] - value(0.5 * (x + 0.5))) <= 1.6);
}

TEST_CASE("nothing aliases: a fine checkerboard shrinks to gray") {
  Image image(90, 90, 1);
  for (int y = 0; y < 90; ++y)
    for (int x = 0; x < 90; ++x) *image.at(y, x) = (x + y) % 2 ? 255 : 0;
  for (ResizeFilter filter : filters)
    for (std::uint8_t pixel : resize(image, 9, 9, filter).pixels) CHECK(std::abs(pixel - 127.5) <= 2);
}

TEST_CASE("a flat image stays flat, the mean stays, and mirroring commutes") {
  Image flat(13, 17, 3, 77), step(20, 20, 1);
  for (int y = 0; y < 20; ++y)
    for (int x = 0; x < 20; ++x) *step.at(y, x) = x < 7 ? 30 : 200;
  Image mirrored = step;
  for (int y = 0; y < 20; ++y)
    for (int x = 0; x < 20; ++x) *mirrored.at(y, x) = *step.at(y, 19 - x);
  for (ResizeFilter filter : filters)
    for (int size : {1, 5, 13, 40}) {
      for (std::uint8_t pixel : resize(flat, size, size + 2, filter).pixels) CHECK(pixel == 77);
      Image const a = resize(step, size, size, filter), b = resize(mirrored, size, size, filter);
      double mean = 0;
      for (std::uint8_t pixel : a.pixels) mean += pixel;
      // What cubic overshoots is partly cut off at the edges of the image.
      CHECK(std::abs(mean / a.pixels.size() - (30 * 7 + 200 * 13) / 20.0) <=
            (filter == ResizeFilter::area ? 3 : 8));
      for (int x = 0; x < size; ++x) CHECK(std::abs(*a.at(0, x) - *b.at(0, size - 1 - x)) <= 1);
    }
}

TEST_CASE("fit_to_square keeps proportions and pads with white in the middle") {
  Image const wide = fit_to_square(Image(10, 40, 1, 0), 8);
  CHECK(wide.height == 8);
  CHECK(wide.width == 8);
  for (int y = 0; y < 8; ++y) CHECK(*wide.at(y, 3) == (y == 3 || y == 4 ? 0 : 255));
  Image const tall = fit_to_square(Image(40, 20, 3, 0), 8);
  for (int x = 0; x < 8; ++x) CHECK(*tall.at(5, x) == (x >= 2 && x < 6 ? 0 : 255));
  CHECK(fit_to_square(Image(1, 1000, 1, 0), 8).pixels.size() == 64);
  CHECK(fit_to_square(Image(8, 8, 1, 3), 8).pixels == Image(8, 8, 1, 3).pixels);
}

TEST_CASE("empty images cannot be resized") {
  CHECK_THROWS_AS(resize(Image{}, 2, 2), Error);
  CHECK_THROWS_AS(resize(Image(2, 2, 1), 0, 2), Error);
  CHECK_THROWS_AS(fit_to_square(Image{}, 4), Error);
}

}  // namespace io_resize_tests
