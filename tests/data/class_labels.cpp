#include <glyphdiff/data/class_labels.hpp>

#include <doctest/doctest.h>

namespace data_class_labels_tests {

using namespace glyphdiff;

TEST_CASE("names of files and of an atlas's cells say classes") {
  CHECK(class_of("B_0001.png") == "B");
  CHECK(class_of("ae_small_caps_2.png") == "ae");
  CHECK(class_of("Some Font.ttf B") == "B");
  CHECK(class_of("B_my drawing.png") == "B");
  CHECK(class_of("u0042_Font-Bold_0.png") == "B");
  CHECK(class_of("uncial_1.png") == "uncial");
  for (char const* nameless : {"drawing.png", "_1.png", "my drawing.png", ""}) {
    CAPTURE(nameless);
    CHECK_THROWS_AS(class_of(nameless), Error);
  }
}

TEST_CASE("classes are numbered in alphabetical order") {
  ClassLabels const classes = class_labels({"R_1.png", "B_1.png", "R_2.png", "Z_9.png"});
  CHECK(classes.names == std::vector<std::string>{"B", "R", "Z"});
  CHECK(classes.labels == std::vector<int>{1, 0, 1, 2});
}

}  // namespace data_class_labels_tests
