#include <glyphdiff/data/drawing.hpp>

#include <doctest/doctest.h>

#include <array>

namespace data_drawing_tests {

using namespace glyphdiff;

namespace {

using Colour = std::array<std::uint8_t, 4>;

/// A bar of `ink` on `paper`, RGBA.
Image bar(Colour ink, Colour paper) {
  Image image(16, 16, 4);
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 16; ++x)
      std::copy_n((x >= 4 && x < 9 && y >= 2 && y < 14 ? ink : paper).data(), 4, image.at(y, x));
  return image;
}

/// Whether a drawing is black in the bar and white elsewhere.
bool is_bar(Drawing const& drawing) {
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 16; ++x)
      if (*drawing.picture.at(y, x) != (x >= 4 && x < 9 && y >= 2 && y < 14 ? 0 : 255)) return false;
  return true;
}

Colour const black{0, 0, 0, 255}, white{255, 255, 255, 255}, nothing{0, 0, 0, 0};

}  // namespace

TEST_CASE("black on white stays as it is, whatever else becomes it and says so") {
  Drawing const plain = make_drawing(bar(black, white));
  CHECK(is_bar(plain));
  CHECK(plain.notes.empty());

  Drawing const turned = make_drawing(bar(white, black));
  CHECK(is_bar(turned));
  CHECK(turned.notes == std::vector<std::string>{"white on black was turned"});

  Drawing const clear = make_drawing(bar(black, nothing));
  CHECK(is_bar(clear));
  CHECK(clear.notes == std::vector<std::string>{"transparent parts became paper"});

  Drawing const white_on_nothing = make_drawing(bar(white, nothing));
  CHECK(is_bar(white_on_nothing));
  CHECK(white_on_nothing.notes.size() == 2);
}

TEST_CASE("a scan's paper becomes white and its ink black; colours are told from noise") {
  Drawing const scan = make_drawing(bar({60, 50, 70, 255}, {240, 230, 190, 255}));
  CHECK(is_bar(scan));
  CHECK(scan.notes == std::vector<std::string>{"colours became gray", "paper became white and ink black"});
  Drawing const noisy = make_drawing(bar({2, 4, 0, 255}, {253, 255, 250, 255}));
  CHECK(noisy.notes.empty());
  Drawing const red = make_drawing(bar({255, 0, 0, 255}, white));
  CHECK(*red.picture.at(5, 5) == 76);
  CHECK(red.notes == std::vector<std::string>{"colours became gray"});
}

TEST_CASE("an image without pixels or contrast is a blank drawing") {
  CHECK(make_drawing(bar(white, white)).picture.pixels == std::vector<std::uint8_t>(256, 255));
  CHECK(make_drawing(bar(black, black)).picture.pixels == std::vector<std::uint8_t>(256, 255));
  CHECK(make_drawing(bar(nothing, nothing)).notes.size() == 2);
}

}  // namespace data_drawing_tests
