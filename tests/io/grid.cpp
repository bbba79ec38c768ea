#include <glyphdiff/io/grid.hpp>

#include <xtensor/xbuilder.hpp>
#include <xtensor/xview.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace io_grid_tests {

using namespace glyphdiff;

TEST_CASE("values become bytes as in the reference: clamped and truncated") {
  CHECK(to_byte(-1.0f) == 0);
  CHECK(to_byte(1.0f) == 255);
  CHECK(to_byte(0.0f) == 127);
  CHECK(to_byte(0.999f) == 254);
  CHECK(to_byte(-7.0f) == 0);
  CHECK(to_byte(7.0f) == 255);
  CHECK(to_byte(std::numeric_limits<float>::infinity()) == 255);
  CHECK(to_byte(std::nanf("")) == 0);
}

TEST_CASE("a grid lays images row by row on white") {
  xt::xtensor<float, 4> images({3, 2, 3, 1}, -1.0f);
  images(2, 0, 0, 0) = 0.0f;
  Image const grid = image_grid(images, 2, 1);
  CHECK(grid.height == 2 * 3 + 1);
  CHECK(grid.width == 2 * 4 + 1);
  CHECK(grid.channels == 1);
  CHECK(*grid.at(0, 0) == 255);
  CHECK(*grid.at(1, 1) == 0);
  CHECK(*grid.at(1, 4) == 255);
  CHECK(*grid.at(2, 7) == 0);
  CHECK(*grid.at(4, 1) == 127);
  CHECK(*grid.at(4, 2) == 0);
  CHECK(*grid.at(5, 6) == 255);  // no fourth image
}

TEST_CASE("a grid of colour, with more columns than images") {
  xt::xtensor<float, 4> images({1, 1, 1, 3}, -1.0f);
  images(0, 0, 0, 1) = 1.0f;
  Image const grid = image_grid(images, 10, 0);
  CHECK(grid.pixels == std::vector<std::uint8_t>{0, 255, 0});
}

TEST_CASE("no grid of nothing") {
  CHECK_THROWS_AS(image_grid(xt::xtensor<float, 4>({0, 2, 2, 1}), 2), Error);
  CHECK_THROWS_AS(image_grid(xt::xtensor<float, 4>({1, 2, 2, 2}, 0.0f), 2), Error);
  CHECK_THROWS_AS(image_grid(xt::xtensor<float, 4>({1, 2, 2, 1}, 0.0f), 0), Error);
}

TEST_CASE("a sheet is taken apart into what it was made of, whether the size is said or not") {
  xt::xtensor<float, 4> images = xt::ones<float>({5, 12, 12, 1});
  for (std::size_t n = 0; n < 5; ++n)
    for (std::size_t i = 0; i < 12; ++i) images(n, i, i, 0) = -1.0f + 0.1f * static_cast<float>(n);
  Image const sheet = image_grid(images, 2);
  for (int size : {0, 12, 13}) {
    auto const cells = images_of_grid(sheet, size, "a.png");
    REQUIRE(cells.size() == 5);
    for (std::size_t n = 0; n < 5; ++n) {
      CHECK(cells[n].height == 12);
      CHECK(*cells[n].at(11, 11) == to_byte(images(n, 11, 11, 0)));
      CHECK(*cells[n].at(11, 10) == 255);
    }
  }
  xt::view(images, 2) = 1.0f;  // a blank one in between stays
  CHECK(images_of_grid(image_grid(images, 2), 12, "a.png").size() == 5);
  CHECK(images_of_grid(image_grid(images, 1), 0, "a.png")[4].width == 12);
}

TEST_CASE("what is no sheet, or a blank one, is refused") {
  xt::xtensor<float, 4> const images = -xt::ones<float>({4, 16, 16, 1});
  CHECK_THROWS_WITH_AS(
      images_of_grid(image_grid(images, 2, 0), 0, "a.png"),
      "a.png: expected a sheet of square pictures with 2 white pixels around each, found a picture of 32x32 "
      "that is none",
      Error);
  CHECK_THROWS_WITH_AS(images_of_grid(Image(30, 30, 1, 255), 0, "a.png"),
                       "a.png: expected a sheet with pictures on it, found white paper", Error);
  CHECK_THROWS_AS(images_of_grid(Image(1, 1, 1, 255), 0, "a.png"), Error);
}

}  // namespace io_grid_tests
