#include <glyphdiff/data/image_folder.hpp>

#include "../io/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

namespace data_image_folder_tests {

using namespace glyphdiff;

namespace {

/// Left half black, right half white.
Image halves(int height, int width) {
  Image image(height, width, 1, 255);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width / 2; ++x) *image.at(y, x) = 0;
  return image;
}

}  // namespace

TEST_CASE("a folder's images come sorted by name, at one size; other files are named and skipped") {
  TemporaryFolder folder;
  write_png(folder / "b.png", halves(16, 16));
  write_png(folder / "a.jpeg", Image(8, 32, 3, 0));  // a PNG by content
  auto const whole = read_file(folder / "b.png");
  folder.write("c.png", std::string(whole.begin(), whole.begin() + 40));
  folder.write("notes.txt", "not an image");
  folder.write(".hidden", "not an image either");
  std::filesystem::create_directory(folder / "more");
  write_png(folder / "more/d.png", halves(16, 16));

  ImageFolder const loaded = load_image_folder(folder.path(), 8, 1);
  REQUIRE(loaded.dataset.size() == 2);
  CHECK(loaded.dataset.names[0] == "a.jpeg");
  CHECK(loaded.dataset.names[1] == "b.png");
  auto const& images = loaded.dataset.images;
  CHECK(images.shape(1) == 8);
  CHECK(images.shape(2) == 8);
  CHECK(images.shape(3) == 1);
  CHECK(images(0, 0, 0, 0) == 1.0f);   // padded with white
  CHECK(images(0, 3, 0, 0) == -1.0f);  // the wide black image
  CHECK(images(0, 5, 0, 0) == 1.0f);
  CHECK(images(1, 4, 0, 0) == -1.0f);
  CHECK(images(1, 4, 7, 0) == 1.0f);
  REQUIRE(loaded.skipped.size() == 2);
  CHECK(loaded.skipped[0].find("c.png") != std::string::npos);
  CHECK(loaded.skipped[1].find("notes.txt") != std::string::npos);
}

TEST_CASE("of a data set of letters its manifest says which pictures are meant") {
  TemporaryFolder folder;
  for (char const* name : {"a.png", "b.png", "sheet.png"}) write_png(folder / name, halves(8, 8));
  save_manifest(folder.path(), {{.file = "b.png"}, {.file = "a.png"}});
  ImageFolder const loaded = load_image_folder(folder.path(), 8, 1);
  CHECK(loaded.dataset.names == std::vector<std::string>{"b.png", "a.png"});
  CHECK(loaded.skipped.empty());
}

TEST_CASE("mirror images only when asked for, and in colour") {
  TemporaryFolder folder;
  write_png(folder / "a.png", halves(4, 4));
  CHECK(load_image_folder(folder.path(), 4, 3).dataset.size() == 1);
  ImageDataset const both = load_image_folder(folder.path(), 4, 3, true).dataset;
  REQUIRE(both.size() == 2);
  CHECK(both.images.shape(0) == 2);
  for (int c = 0; c < 3; ++c) {
    CHECK(both.images(0, 2, 0, c) == -1.0f);
    CHECK(both.images(0, 2, 3, c) == 1.0f);
    CHECK(both.images(1, 2, 0, c) == 1.0f);
    CHECK(both.images(1, 2, 3, c) == -1.0f);
  }
}

TEST_CASE("a folder with nothing to train on is an error that says why") {
  TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(load_image_folder(folder / "missing", 8, 1),
                       doctest::Contains("missing: expected a folder of PNG or JPEG images, found nothing"),
                       Error);
  CHECK_THROWS_WITH_AS(load_image_folder(folder.path(), 8, 1), doctest::Contains("found no file"), Error);
  folder.write("a.png", "text");
  CHECK_THROWS_WITH_AS(load_image_folder(folder.path(), 8, 1),
                       doctest::Contains("none of 1 files is a readable image, first"), Error);
  CHECK_THROWS_WITH_AS(load_image_folder(folder / "a.png", 8, 1), doctest::Contains("found a file"), Error);
  CHECK_THROWS_AS(load_image_folder(folder.path(), 0, 1), Error);
  CHECK_THROWS_AS(load_image_folder(folder.path(), 8, 2), Error);
}

}  // namespace data_image_folder_tests
