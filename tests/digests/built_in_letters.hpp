#pragma once

#include <glyphdiff/data/letter_atlas.hpp>
#include <glyphdiff/io/image.hpp>

#include <cstdint>
#include <filesystem>
#include <map>

/// examples/data.
inline std::filesystem::path example_data() {
  return std::filesystem::path(GLYPHDIFF_SOURCE) / "examples/data";
}

/// The letters A that come along, (N,size,size,1); read once.
inline glyphdiff::LetterAtlas const& built_in_letters(int size) {
  static std::map<int, glyphdiff::LetterAtlas> loaded;
  if (!loaded.contains(size))
    loaded[size] = glyphdiff::load_letter_atlas(example_data() / "letters_a.png",
                                                example_data() / "letters_a.tsv", size);
  return loaded[size];
}

/// Training letter `number` of 64 pixels.
inline glyphdiff::Image built_in_letter(std::size_t number) {
  float const* const values = built_in_letters(64).train.images.data() + number * 64 * 64;
  glyphdiff::Image picture(64, 64, 1);
  for (std::size_t k = 0; k < picture.pixels.size(); ++k)
    picture.pixels[k] = std::uint8_t((values[k] + 1) * 127.5f + 0.5f);
  return picture;
}
