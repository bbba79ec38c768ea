#pragma once

#include <glyphdiff/error.hpp>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace glyphdiff {

/// The characters of a UTF-8 text, in order. Error if it is something else.
inline std::vector<char32_t> characters_of(std::string const& text) {
  std::vector<char32_t> result;
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    std::size_t const length = byte(i) < 0x80 ? 1 : byte(i) < 0xe0 ? 2 : byte(i) < 0xf0 ? 3 : 4;
    static constexpr char32_t least[] = {0, 0x80, 0x800, 0x10000};
    bool good = i + length <= text.size() && (length == 1 || (byte(i) >= 0xc2 && byte(i) <= 0xf4));
    char32_t code = length == 1 ? byte(i) : byte(i) & (0x7fu >> length);
    for (std::size_t k = 1; good && k < length; ++k) {
      good = (byte(i + k) & 0xc0u) == 0x80;
      code = code << 6 | (byte(i + k) & 0x3fu);
    }
    if (!good || code < least[length - 1] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
      throw Error("\"" + text + "\"", "text in UTF-8", "another byte at position " + std::to_string(i));
    result.push_back(code);
    i += length;
  }
  return result;
}

inline bool is_utf8(std::string const& text) {
  try {
    characters_of(text);
    return true;
  } catch (Error const&) {
    return false;
  }
}

/// The UTF-8 of a character.
inline std::string to_utf8(char32_t code) {
  if (code < 0x80) return {char(code)};
  auto const tail = [&](int shift) { return char(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x800) return {char(0xc0 | code >> 6), tail(0)};
  if (code < 0x10000) return {char(0xe0 | code >> 12), tail(6), tail(0)};
  return {char(0xf0 | code >> 18), tail(12), tail(6), tail(0)};
}

/// How files are called by their character, on disks that don't tell a from A as well: "u0041".
inline std::string code_name(char32_t code) {
  char name[12];
  std::snprintf(name, sizeof name, "u%04x", unsigned(code));
  return name;
}

/// The character that a word is, or whose code it is, as files are called (A, u0041, uni0041), if it is one.
inline std::optional<char32_t> character_of_word(std::string const& word) {
  try {
    auto const characters = characters_of(word);
    if (characters.size() == 1) return characters[0];
  } catch (Error const&) {
    return {};
  }
  if (!word.starts_with('u')) return {};
  std::string const code = word.substr(word.starts_with("uni") ? 3 : 1);
  std::uint32_t value = 0;
  auto const [end, error] = std::from_chars(code.data(), code.data() + code.size(), value, 16);
  bool const whole = code.size() >= 4 && error == std::errc() && end == code.data() + code.size();
  if (!whole || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {};
  return value;
}

}  // namespace glyphdiff
