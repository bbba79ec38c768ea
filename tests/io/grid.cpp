#include <glyphdiff/io/grid.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

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
