#pragma once

#include <glyphdiff/data/characters.hpp>
#include <glyphdiff/data/drawing.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/io/svg_image.hpp>

#include <filesystem>
#include <string>

namespace glyphdiff {

/// Reads a PNG or JPEG, or an SVG, which is drawn 1,024 pixels large, as (H, W, 4), RGBA. Throws Error for
/// anything else.
inline Image read_rgba(std::filesystem::path const& path) {
  if (lower_extension(path) == ".svg") return draw_svg(read_file(path), 1024, path.string());
  return read_image(path, 4);
}

/// Reads the like as a drawing.
inline Drawing read_drawing(std::filesystem::path const& path) { return make_drawing(read_rgba(path)); }

/// The character that a drawing shows by its name: what stands before the first underscore, as itself or by
/// its code (A_12.png, u0041_12.png, uni0041.svg). Throws Error if the name says none.
inline char32_t character_of_file(std::filesystem::path const& path) {
  std::string const stem = path.stem().string(), word = stem.substr(0, stem.find('_'));
  auto const character = character_of_word(word);
  if (!character)
    throw Error(path.string(), "a name that begins with its character, such as A_12.png or u0041_12.png",
                "\"" + word + "\"");
  return *character;
}

}  // namespace glyphdiff
