#include <glyphdiff/data/ink_box.hpp>
#include <glyphdiff/data/read_drawing.hpp>

#include "../io/temporary_folder.hpp"

#include <doctest/doctest.h>

namespace data_read_drawing_tests {

using namespace glyphdiff;

TEST_CASE("a drawing's name says its character") {
  CHECK(character_of_file("some/A_12.png") == U'A');
  CHECK(character_of_file("a.png") == U'a');
  CHECK(character_of_file("é_x_1.svg") == U'é');
  CHECK(character_of_file("u0041_x.svg") == U'A');
  CHECK(character_of_file("uni00c4.jpg") == U'Ä');
  CHECK(character_of_file("u1d538_1.png") == U'𝔸');
  CHECK(character_of_file("u_1.png") == U'u');
  for (char const* nameless : {"drawing_1.png", "_A.png", "u00_1.png", "u110000_1.png", "ud800.png",
                               "u004g.png", "Ab.png", "\xff_1.png"}) {
    CAPTURE(nameless);
    CHECK_THROWS_WITH_AS(character_of_file(nameless), doctest::Contains("such as A_12.png"), Error);
  }
}

TEST_CASE("PNG and SVG are read alike, anything else is refused with its name") {
  TemporaryFolder folder;
  Image bar(256, 256, 1, 255);
  for (int y = 64; y < 192; ++y) std::fill_n(bar.at(y, 96), 32, 0);
  write_png(folder / "H_1.png", bar);
  CHECK(read_drawing(folder / "H_1.png").picture.pixels == bar.pixels);

  Drawing const svg = read_drawing(folder.write("H_2.SVG",
                                                "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'>"
                                                "<path d='M3 2h1v4h-1z'/></svg>"));
  CHECK(svg.picture.height == 1024);
  auto const ink = ink_box(svg.picture);
  REQUIRE(ink);
  CHECK(ink->left == 384);
  CHECK(ink->bottom == 768);

  for (char const* name : {"H_3.png", "H_3.svg", "H_3.jpg"}) {
    CHECK_THROWS_WITH_AS(read_drawing(folder / name), doctest::Contains(name), Error);
    folder.write(name, "no drawing");
    CHECK_THROWS_WITH_AS(read_drawing(folder / name), doctest::Contains(name), Error);
  }
}

}  // namespace data_read_drawing_tests
