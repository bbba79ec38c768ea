#pragma once

#include <glyphdiff/io/image.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

/// Pieces of web pages that are one file: pictures are part of it.
namespace glyphdiff {

/// The pieces one after another. A page's worth of `+` takes seconds to compile.
inline std::string concat(std::initializer_list<std::string_view> pieces) {
  std::string text;
  for (std::string_view const piece : pieces) text += piece;
  return text;
}

/// Text for HTML, SVG and their attributes.
inline std::string html_text(std::string_view text) {
  std::string escaped;
  for (char const c : text)
    escaped += c == '<'   ? "&lt;"
               : c == '>' ? "&gt;"
               : c == '&' ? "&amp;"
               : c == '"' ? "&quot;"
                          : std::string(1, c);
  return escaped;
}

/// RFC 4648, with padding.
inline std::string base64(std::span<std::uint8_t const> bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::size_t const count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? bytes[i + k] : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= count ? digits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

/// An <img> that holds the picture; `alternative` is for who can't see it.
inline std::string html_picture(Image const& picture, std::string_view alternative = {}) {
  return concat({"<img alt=\"", html_text(alternative), "\" src=\"data:image/png;base64,",
                 base64(encode_png(picture, "a page's picture")), "\">"});
}

}  // namespace glyphdiff
