// libFuzzer target: any bytes as a picture of a letter, PNG or JPEG. Build with clang++
// -fsanitize=fuzzer,address,undefined.
#include <glyphdiff/data/drawing.hpp>
#include <glyphdiff/data/ink_box.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  try {
    auto const drawing = glyphdiff::make_drawing(glyphdiff::decode_image({data, size}, 4, "fuzz"));
    auto const ink = glyphdiff::ink_box(drawing.picture);
    if (ink && !(ink->width() > -1 && ink->right <= drawing.picture.width + 1)) std::abort();
  } catch (glyphdiff::Error const&) {
  }
  return 0;
}
