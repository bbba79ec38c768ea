// What --json says: one JSON object a line on standard output. nlohmann/json is compiled once, in
// json_line.cpp, but in a program that is compiled alone, without the build.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// A value of such an object; the last is an object of numbers.
using JsonValue =
    std::variant<std::int64_t, double, std::string, std::vector<std::pair<std::string, double>>>;

/// Prints the object, its names in alphabetical order, and flushes. A number that is not finite is null, and
/// of text that is no UTF-8 it prints what can be shown.
void print_json_line(std::vector<std::pair<std::string, JsonValue>> const& values);

#if !defined(GLYPHDIFF_COMMAND_LINE_LIBRARY)
#if !defined(GLYPHDIFF_COMMAND_LINE_INLINE)
#define GLYPHDIFF_COMMAND_LINE_INLINE inline
#endif
#include "json_line.cpp"
#endif
