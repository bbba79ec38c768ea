// A host program with its own stb, before and after ours.
#include <stb/stb_image.h>

#include <glyphdiff/io/stb.hpp>

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

#include <doctest/doctest.h>

#include <cstdlib>

namespace io_stb_tests {

TEST_CASE("a host program's stb and ours do not meet") {
  unsigned char const pixels[4] = {1, 2, 3, 4};
  int size = 0, width = 0, height = 0, channels = 0;
  unsigned char* const png = stbi_write_png_to_mem(pixels, 2, 2, 2, 1, &size);
  REQUIRE(png != nullptr);
  unsigned char* const back = glyphdiff::stb::stbi_load_from_memory(png, size, &width, &height, &channels, 0);
  REQUIRE(back != nullptr);
  CHECK(back[3] == 4);
  std::free(back);
  std::free(png);
  stbi_uc const* const host_type = pixels;  // declared by the first include
  CHECK(host_type[0] == 1);
}

}  // namespace io_stb_tests
