#pragma once

#include <glyphdiff/bits.hpp>

#include <locale.h>
#include <stdlib.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

/// Numbers as text that is the same in every locale. What the library writes into files and reads from them
/// goes through these: streams, printf, std::to_string, strtod and their kin take the decimal point, and
/// streams the grouping of digits too, from a locale that the host program chooses.
namespace glyphdiff {

namespace detail {

inline std::string formatted(double value, std::chars_format format, int precision) {
  char text[400];  // the largest double has 309 digits before the point
  return {text, std::to_chars(text, text + sizeof text, value, format, precision).ptr};
}

}  // namespace detail

/// What printf's conversion g makes of it in the C locale, with so many digits, up to 50.
inline std::string number_text(double value, int digits = 6) {
  return detail::formatted(value, std::chars_format::general, digits);
}

/// What printf's conversion f makes of it in the C locale, with so many decimals, up to 50.
inline std::string fixed_text(double value, int decimals) {
  return detail::formatted(value, std::chars_format::fixed, decimals);
}

/// The shortest decimal that reads back as the same double.
inline std::string shortest_text(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// The double nearest to a finite decimal number such as -1.5e-3; nothing if the text is anything else, or
/// more than a number, or too large. (std::from_chars does not read doubles in libc++ before release 20.)
inline std::optional<double> parse_number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("+-.0123456789eE") != text.npos || text.front() == '+')
    return {};
  static ::locale_t const c_locale = ::newlocale(LC_ALL_MASK, "C", ::locale_t{});
  std::string const ended(text);
  char* end = nullptr;
  double const value = ::strtod_l(ended.c_str(), &end, c_locale);
  if (end != ended.c_str() + ended.size() || !is_finite(value)) return {};
  return value;
}

}  // namespace glyphdiff
