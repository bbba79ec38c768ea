#pragma once

#include <glyphdiff/config.hpp>
#include <glyphdiff/error.hpp>

#include <string>
#include <string_view>
#include <vector>

/// What an alphabet model (presets::Alphabet64) calls its classes, and how letters lie in its pictures.
namespace glyphdiff {

/// The characters that it draws; class number k is character k.
inline constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&?!$";

/// How every letter lies in a picture: an H is 40 of the 64 rows high and stands on the edge between rows 47
/// and 48; the ink is in the middle. Ascenders and descenders have room.
struct AlphabetFrame {
  static constexpr int size = 64, cap_height = 40, baseline = 48;
};

/// The class of a character; no_class if the alphabet has none for it.
inline int alphabet_class(std::string_view character) {
  std::size_t const at = character.size() == 1 ? alphabet.find(character) : std::string_view::npos;
  return at == std::string_view::npos ? no_class : int(at);
}

/// The classes of a text's characters, in order; spaces are left out. Error for a character that has none.
inline std::vector<int> alphabet_classes(std::string_view text) {
  std::vector<int> classes;
  for (char const& character : text) {
    if (character == ' ') continue;
    classes.push_back(alphabet_class({&character, 1}));
    if (classes.back() == no_class)
      throw Error("\"" + std::string(text) + "\"", "characters of " + std::string(alphabet), "another one");
  }
  if (classes.empty()) throw Error("the text", "at least one character", "none");
  return classes;
}

}  // namespace glyphdiff
