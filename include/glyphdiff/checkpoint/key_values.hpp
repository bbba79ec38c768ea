#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace glyphdiff {

/// Strings by name, in order: a configuration, or what a file says about itself.
using KeyValues = std::vector<std::pair<std::string, std::string>>;

/// The value of a key, or nullptr.
inline std::string const* find_value(KeyValues const& pairs, std::string_view key) {
  for (auto const& [name, value] : pairs)
    if (name == key) return &value;
  return nullptr;
}

/// What differs between a checkpoint's configuration and this program's, in the program's order and in words:
/// "channel_mult: checkpoint 1,2,2, this program 1,2,4; dropout: ...". Empty when they are the same.
inline std::string differences(KeyValues const& checkpoint, KeyValues const& program) {
  std::string result;
  auto const add = [&](std::string const& key, std::string const* theirs, std::string const* ours) {
    if (theirs != nullptr && ours != nullptr && *theirs == *ours) return;
    auto const shown = [](std::string const* value) {
      return value == nullptr ? "has none" : value->empty() ? "nothing" : value->c_str();
    };
    if (!result.empty()) result += "; ";
    result += key + ": checkpoint " + shown(theirs) + ", this program " + shown(ours);
  };
  for (auto const& [key, value] : program) add(key, find_value(checkpoint, key), &value);
  for (auto const& [key, value] : checkpoint)
    if (find_value(program, key) == nullptr) add(key, &value, nullptr);
  return result;
}

}  // namespace glyphdiff
