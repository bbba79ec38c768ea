#include <glyphdiff/data/dataset.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace data_dataset_tests {

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

TEST_CASE("every tenth image is held out, or every tenth group") {
  auto const numbered = [](int count) {
    std::vector<Image> images;
    std::vector<std::string> names;
    for (int n = 0; n < count; ++n)
      images.emplace_back(2, 2, 1, std::uint8_t(n)), names.push_back(std::to_string(n));
    return make_dataset(images, names);
  };
  ImageDataset kept = numbered(35);
  ImageDataset const held_out = hold_out_tenth(kept);
  CHECK(held_out.names == std::vector<std::string>{"9", "19", "29"});
  CHECK(held_out.images(2, 1, 1, 0) == 29 / 127.5f - 1);
  CHECK(held_out.images.shape(0) == 3);
  REQUIRE(kept.size() == 32);
  CHECK(kept.names[9] == "10");
  CHECK(kept.images(9, 0, 0, 0) == 10 / 127.5f - 1);
  CHECK(kept.images(31, 1, 0, 0) == 34 / 127.5f - 1);

  ImageDataset of_groups = numbered(40);  // two images of each of 20 groups, first all first ones
  std::vector<std::string> groups;
  for (int n = 0; n < 40; ++n) groups.push_back("g" + std::to_string(n % 20));
  CHECK(hold_out_tenth(of_groups, groups).names == std::vector<std::string>{"9", "19", "29", "39"});
  CHECK(of_groups.size() == 36);

  ImageDataset few = numbered(29);
  CHECK_THROWS_WITH_AS(hold_out_tenth(few), doctest::Contains("at least 30, found 29"), Error);
  CHECK(few.size() == 29);
}

}  // namespace data_dataset_tests
