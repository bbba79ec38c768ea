#include <glyphdiff/data/dataset.hpp>

#include <doctest/doctest.h>

using namespace glyphdiff;

TEST_CASE("bytes become byte / 127.5 - 1, in the order (N,H,W,C)") {
  Image first(1, 2, 3, 0), second(1, 2, 3, 255);
  second.at(0, 1)[2] = 51;
  ImageDataset const dataset = make_dataset({first, second}, {"a", "b"});
  CHECK(dataset.size() == 2);
  CHECK(dataset.images.shape(0) == 2);
  CHECK(dataset.images.shape(1) == 1);
  CHECK(dataset.images.shape(2) == 2);
  CHECK(dataset.images.shape(3) == 3);
  CHECK(dataset.images(0, 0, 0, 0) == -1.0f);
  CHECK(dataset.images(1, 0, 0, 0) == 1.0f);
  CHECK(dataset.images(1, 0, 1, 2) == doctest::Approx(-0.6));
  CHECK(dataset.names[1] == "b");
}

TEST_CASE("images of different sizes are refused, none is a dataset of none") {
  CHECK_THROWS_WITH_AS(
      make_dataset({Image(2, 2, 1), Image(2, 3, 1)}, {"a", "b"}),
      doctest::Contains("b: expected an image of the size of the others, 2x2x1, found 2x3x1"), Error);
  CHECK(make_dataset({}, {}).size() == 0);
}
