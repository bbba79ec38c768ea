// What json_line.hpp declares. It is compiled once for all programs, or included by a program that is
// compiled alone.
#include "json_line.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>

#if !defined(GLYPHDIFF_COMMAND_LINE_INLINE)
#define GLYPHDIFF_COMMAND_LINE_INLINE
#endif

namespace detail {

inline nlohmann::json to_json(std::vector<std::pair<std::string, double>> const& numbers) {
  auto object = nlohmann::json::object();
  for (auto const& [name, number] : numbers) object[name] = number;
  return object;
}
template <class Value>
nlohmann::json to_json(Value const& value) {
  return value;
}

}  // namespace detail

GLYPHDIFF_COMMAND_LINE_INLINE void print_json_line(
    std::vector<std::pair<std::string, JsonValue>> const& values) {
  auto line = nlohmann::json::object();
  for (auto const& [name, value] : values)
    line[name] = std::visit([](auto const& v) { return detail::to_json(v); }, value);
  std::printf("%s\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}
