#include "temporary_folder.hpp"

#include <glyphdiff/io/image.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace io_image_tests {

using namespace glyphdiff;

namespace {

std::string const fixtures = GLYPHDIFF_TEST_DATA "/../io/fixtures/";

using Bytes = std::vector<std::uint8_t>;

Image sample(int height, int width, int channels) {
  Image image(height, width, channels);
  std::uint32_t state = 1;
  for (auto& pixel : image.pixels)
    pixel = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  return image;
}

std::string jpeg_of(Image const& image) {
  std::string bytes;
  stb::stbi_write_jpg_to_func(
      [](void* to, void* data, int size) {
        static_cast<std::string*>(to)->append(static_cast<char*>(data), size);
      },
      &bytes, image.width, image.height, image.channels, image.pixels.data(), 95);
  return bytes;
}

}  // namespace

TEST_CASE("PNG keeps gray and RGB images exactly") {
  TemporaryFolder folder;
  for (int channels : {1, 3}) {
    Image const image = sample(5, 7, channels);
    write_png(folder / "a.png", image);
    Image const back = read_image(folder / "a.png", channels);
    CHECK(back.height == 5);
    CHECK(back.width == 7);
    CHECK(back.channels == channels);
    CHECK(back.pixels == image.pixels);
  }
}

TEST_CASE("gray and RGB turn into each other") {
  TemporaryFolder folder;
  Image rgb(1, 3, 3);
  rgb.pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255};
  write_png(folder / "rgb.png", rgb);
  CHECK(read_image(folder / "rgb.png", 1).pixels == Bytes{76, 150, 29});
  Image gray(1, 2, 1);
  gray.pixels = {7, 200};
  write_png(folder / "gray.png", gray);
  CHECK(read_image(folder / "gray.png", 3).pixels == Bytes{7, 7, 7, 200, 200, 200});
}

TEST_CASE("transparent parts lie on white") {
  TemporaryFolder folder;
  Image rgba(1, 3, 4);
  rgba.pixels = {0, 0, 0, 0, 0, 0, 0, 255, 100, 0, 200, 51};
  write_png(folder / "rgba.png", rgba);
  CHECK(read_image(folder / "rgba.png", 3).pixels == Bytes{255, 255, 255, 0, 0, 0, 224, 204, 244});
  Image gray_alpha(1, 2, 2);
  gray_alpha.pixels = {0, 0, 0, 128};
  write_png(folder / "ga.png", gray_alpha);
  CHECK(read_image(folder / "ga.png", 1).pixels == Bytes{255, 127});
  CHECK(read_image(fixtures + "palette_transparent.png", 3).pixels ==
        Bytes{255, 0, 0, 127, 127, 255, 255, 255, 255});
  CHECK(read_image(fixtures + "colour_key.png", 3).pixels == Bytes{255, 255, 255, 200, 100, 50});
}

TEST_CASE("1-bit and 16-bit PNG") {
  CHECK(read_image(fixtures + "bits.png", 1).pixels == Bytes{255, 0, 255, 0, 255, 0, 255, 0});
  CHECK(read_image(fixtures + "gray16.png", 1).pixels == Bytes{0, 128, 255, 0x12, 0, 255});
}

TEST_CASE("JPEG: baseline, progressive gray, CMYK") {
  TemporaryFolder folder;
  Image flat(16, 24, 3);
  for (std::size_t i = 0; i < flat.pixels.size(); ++i) flat.pixels[i] = i % 3 == 0 ? 200 : 60;
  Image const back = read_image(folder.write("named.png", jpeg_of(flat)), 3);  // told by content, not by name
  REQUIRE(back.pixels.size() == flat.pixels.size());
  for (std::size_t i = 0; i < flat.pixels.size(); ++i) CHECK(std::abs(back.pixels[i] - flat.pixels[i]) <= 4);

  Image const progressive = read_image(fixtures + "gray_progressive.jpg", 1);
  CHECK(progressive.height == 16);
  CHECK(std::abs(*progressive.at(0, 0) - 255) <= 4);
  CHECK(std::abs(*progressive.at(8, 8) - 40) <= 4);

  Image const cmyk = read_image(fixtures + "cmyk.jpg", 3);
  CHECK(cmyk.at(4, 4)[0] > 240);
  CHECK(cmyk.at(4, 4)[1] < 15);
}

TEST_CASE("files cut anywhere give an error that names them, never a picture") {
  TemporaryFolder folder;
  write_png(folder / "whole.png", sample(9, 9, 3));
  Bytes const png = read_file(folder / "whole.png");
  std::string const jpeg = jpeg_of(sample(40, 40, 3));
  for (std::size_t size = 0; size + 12 < png.size(); size += 3)  // the last 12 bytes are the end chunk
    CHECK_THROWS_WITH_AS(decode_image({png.data(), size}, 1, "cut.png"),
                         doctest::Contains("cut.png: expected"), Error);
  auto const* const bytes = reinterpret_cast<std::uint8_t const*>(jpeg.data());
  CHECK_NOTHROW(decode_image({bytes, jpeg.size()}, 1, "whole.jpg"));
  for (std::size_t size = 0; size + 1 < jpeg.size(); size += 17)
    CHECK_THROWS_WITH_AS(decode_image({bytes, size}, 1, "cut.jpg"), doctest::Contains("cut.jpg: expected"),
                         Error);
}

TEST_CASE("a PNG that claims more than its bytes can hold is refused before memory is taken for it") {
  TemporaryFolder folder;
  write_png(folder / "whole.png", Image(64, 64, 1, 255));  // 4,160 bytes in some dozens
  Bytes const whole = read_file(folder / "whole.png");
  CHECK_NOTHROW(decode_image(whole, 1, "whole.png"));
  auto const refused = [&](std::size_t at, std::uint8_t value) {
    Bytes claims = whole;
    claims[at] = value;
    CHECK_THROWS_WITH_AS(decode_image(claims, 1, "claims.png"),
                         doctest::Contains("expected a whole PNG image, found a truncated one"), Error);
  };
  refused(18, 8);     // 2,112 pixels wide
  refused(22, 0x40);  // 16,448 high
  refused(16, 0xff);
  refused(33, 0x7f);  // a chunk of 2 GB
}

TEST_CASE("a JPEG that claims more than its bytes can hold, or lacks its tables") {
  std::string const text = jpeg_of(Image(64, 64, 1, 255));
  Bytes jpeg(text.begin(), text.end());
  auto const segment = [&](std::uint8_t marker) {
    std::size_t at = 2;
    while (jpeg[at + 1] != marker) at += 2 + 256u * jpeg[at + 2] + jpeg[at + 3];
    return jpeg.begin() + std::ptrdiff_t(at);
  };
  Bytes large = jpeg;
  large[std::size_t(segment(0xc0) - jpeg.begin()) + 5] = 0x40;  // 16,448 rows
  CHECK_THROWS_WITH_AS(decode_image(large, 1, "large.jpg"), doctest::Contains("found a truncated one"),
                       Error);

  auto const tables = segment(0xc4);  // of Huffman codes
  jpeg.erase(tables, tables + 2 + 256 * tables[2] + tables[3]);
  Image const first = decode_image(jpeg, 1, "tables.jpg");
  for (int i = 0; i < 20; ++i) {
    for (std::size_t size : {1000, 5000, 20000, 80000}) std::vector<std::uint8_t>(size, std::uint8_t(85 + i));
    CHECK(decode_image(jpeg, 1, "tables.jpg").pixels == first.pixels);
  }
}

TEST_CASE("damaged bytes never crash") {
  TemporaryFolder folder;
  write_png(folder / "whole.png", sample(9, 9, 3));
  Bytes const png = read_file(folder / "whole.png");
  std::string const text = jpeg_of(sample(24, 24, 1));
  Bytes const jpeg(text.begin(), text.end());
  for (Bytes const& whole : {png, jpeg})
    for (std::size_t i = 0; i < whole.size(); ++i) {
      Bytes damaged = whole;
      damaged[i] ^= static_cast<std::uint8_t>(1 + i % 255);
      try {
        Image const image = decode_image(damaged, 3, "damaged");
        CHECK(image.pixels.size() == static_cast<std::size_t>(image.height) * image.width * 3);
      } catch (Error const&) {
      }
    }
}

TEST_CASE("other input is refused in one sentence") {
  TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(read_image(folder / "none.png", 1), doctest::Contains("none.png: expected a file"),
                       Error);
  CHECK_THROWS_WITH_AS(read_image(folder.write("empty.png", ""), 1),
                       doctest::Contains("empty.png: expected a PNG or JPEG image, found an empty file"),
                       Error);
  CHECK_THROWS_WITH_AS(read_image(folder.write("a.txt", "A text."), 1),
                       doctest::Contains("a.txt: expected a PNG or JPEG image"), Error);
  CHECK_THROWS_AS(read_image(fixtures + "bits.png", 2), Error);
  CHECK_THROWS_AS(write_png(folder / "a.png", Image{}), Error);
  CHECK_THROWS_AS(write_png(folder / "a.png", Image(2, 2, 5)), Error);
  Image inconsistent(2, 2, 1);
  inconsistent.pixels.pop_back();
  CHECK_THROWS_AS(write_png(folder / "a.png", inconsistent), Error);
  CHECK_THROWS_AS(write_png(folder / "no/such/a.png", Image(2, 2, 1)), Error);
  CHECK_FALSE(std::filesystem::exists(folder / "a.png"));
}

TEST_CASE("a JPEG with a Huffman table of too many codes is refused before stb sees it") {
  std::string text = jpeg_of(sample(8, 8, 1));
  std::size_t const table = text.find("\xff\xc4");
  REQUIRE(table != text.npos);
  for (int i = 0; i < 16; ++i) text[table + 5 + i] = '\x7f';
  CHECK_THROWS_WITH_AS(
      decode_image({reinterpret_cast<std::uint8_t const*>(text.data()), text.size()}, 1, "a.jpg"),
      doctest::Contains("found a damaged one"), Error);
}

}  // namespace io_image_tests
