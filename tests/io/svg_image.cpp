#include <glyphdiff/io/svg_image.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace io_svg_image_tests {

using namespace glyphdiff;

namespace {

Image draw(std::string const& attributes, std::string const& content, int longer = 40) {
  std::string const text = "<svg xmlns='http://www.w3.org/2000/svg' " + attributes + ">" + content + "</svg>";
  return draw_svg(std::vector<std::uint8_t>(text.begin(), text.end()), longer, "a.svg");
}

std::vector<int> pixel(Image const& image, int y, int x) { return {image.at(y, x), image.at(y, x) + 4}; }

}  // namespace

TEST_CASE("an SVG is drawn at the size asked for, in its colours, on nothing") {
  Image const image = draw("width='20mm' height='10mm' viewBox='0 0 200 100'",
                           "<g transform='translate(100 0)'><path d='M0 0h50v50h-50z' fill='#ff8000'/>"
                           "<path d='M0 50h50v50h-50z' fill='#0000ff' fill-opacity='.5'/></g>");
  CHECK(image.width == 40);
  CHECK(image.height == 20);
  CHECK(image.channels == 4);
  CHECK(pixel(image, 5, 5)[3] == 0);
  CHECK(pixel(image, 5, 25) == std::vector<int>{255, 128, 0, 255});
  CHECK(pixel(image, 15, 25)[2] == 255);
  CHECK(std::abs(pixel(image, 15, 25)[3] - 128) <= 1);
}

TEST_CASE("fill rules, strokes and curves count") {
  char const* const rings = "M0 0h40v40h-40z M10 10h20v20h-20z";
  CHECK(pixel(draw("viewBox='0 0 40 40'", std::string("<path d='") + rings + "'/>"), 20, 20)[3] == 255);
  CHECK(pixel(draw("viewBox='0 0 40 40'", std::string("<path fill-rule='evenodd' d='") + rings + "'/>"), 20,
              20)[3] == 0);
  Image const stroke =
      draw("viewBox='0 0 40 40'", "<path fill='none' stroke='#000' stroke-width='8' d='M0 20h40'/>");
  CHECK(pixel(stroke, 17, 20)[3] == 255);
  CHECK(pixel(stroke, 14, 20)[3] == 0);
}

TEST_CASE("what is no SVG, or has no size, is refused with its name") {
  auto const refuse = [](std::string const& text, char const* words) {
    CHECK_THROWS_WITH_AS(draw_svg(std::vector<std::uint8_t>(text.begin(), text.end()), 40, "a.svg"),
                         doctest::Contains(words), Error);
  };
  refuse("", "a.svg: expected an SVG drawing");
  refuse("<svg", "a.svg: expected an SVG drawing");
  refuse("<html/>", "a.svg: expected an SVG drawing");
  CHECK_THROWS_WITH_AS(draw("viewBox='0 0 0 0'", ""), doctest::Contains("how large its page is"), Error);
}

}  // namespace io_svg_image_tests
