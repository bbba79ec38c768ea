// libFuzzer target: any bytes as a font file. Build with clang++ -fsanitize=fuzzer,address,undefined.
#include <glyphdiff/data/font_glyphs.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  glyphdiff::LetterFrame const frame{.size = 32, .baseline = 25, .cap_height = 20};
  try {
    for (auto const& face : glyphdiff::open_font({data, data + size}, "fuzz")) {
      for (char32_t const character : {U'A', U'g', U'\u7684'}) {
        try {
          auto const letter = face.draw(character, frame);
          if (letter.picture.pixels.size() != 32 * 32 || !(letter.entry.scale > 0)) std::abort();
        } catch (glyphdiff::Error const&) {
        }
      }
      face.name();
    }
  } catch (glyphdiff::Error const&) {
  }
  return 0;
}
