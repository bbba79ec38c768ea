#pragma once

#include <glyphdiff/checkpoint/key_values.hpp>
#include <glyphdiff/config.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

/// A UNetConfig as text and back, for the metadata of checkpoints. Text compares equal exactly when the
/// values do.
namespace glyphdiff {
namespace detail {

/// Calls visit(name, field) for every field that the numbers depend on, in order. A field that is added to
/// UNetConfig makes the first line fail to compile until it is named here.
template <class Config, class Visit>
void visit_fields(Config& config, Visit const& visit) {
  auto& [image_size, channels, learned_sigma, model_channels, channel_mult, res_blocks, attention_resolutions,
         num_heads, num_heads_upsample, num_head_channels, qkv_order, scale_shift_norm, resblock_updown,
         conv_resample, dropout, classes, condition_channels, norm_groups, space_to_depth,
         coordinate_channels, middle_attention, middle_res_blocks, level_input_skips, exact_convolutions,
         recomputed_levels] = config;
  static_cast<void>(recomputed_levels);  // changes no bit, so a run may go on with another choice
  visit("image_size", image_size);
  visit("channels", channels);
  visit("learned_sigma", learned_sigma);
  visit("model_channels", model_channels);
  visit("channel_mult", channel_mult);
  visit("res_blocks", res_blocks);
  visit("attention_resolutions", attention_resolutions);
  visit("num_heads", num_heads);
  visit("num_heads_upsample", num_heads_upsample);
  visit("num_head_channels", num_head_channels);
  visit("qkv_order", qkv_order);
  visit("scale_shift_norm", scale_shift_norm);
  visit("resblock_updown", resblock_updown);
  visit("conv_resample", conv_resample);
  visit("dropout", dropout);
  visit("classes", classes);
  visit("condition_channels", condition_channels);
  visit("norm_groups", norm_groups);
  visit("space_to_depth", space_to_depth);
  visit("coordinate_channels", coordinate_channels);
  visit("middle_attention", middle_attention);
  visit("middle_res_blocks", middle_res_blocks);
  visit("level_input_skips", level_input_skips);
  visit("exact_convolutions", exact_convolutions);
}

inline std::string to_text(bool value) { return value ? "true" : "false"; }
inline std::string to_text(int value) { return std::to_string(value); }
inline std::string to_text(QkvOrder value) { return value == QkvOrder::legacy ? "legacy" : "grouped"; }

inline std::string to_text(double value) { return shortest_text(value); }

template <class T, int Capacity>
std::string to_text(ShortList<T, Capacity> const& list) {
  std::string result;
  for (T const value : list) {
    if (!result.empty()) result += ',';
    result += to_text(value);
  }
  return result;
}

template <class T>
bool from_text(std::string_view text, T& value) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

inline bool from_text(std::string_view text, double& value) {
  auto const number = parse_number(text);
  value = number.value_or(0);
  return number.has_value();
}

inline bool from_text(std::string_view text, bool& value) {
  value = text == "true";
  return value || text == "false";
}

inline bool from_text(std::string_view text, QkvOrder& value) {
  value = text == "legacy" ? QkvOrder::legacy : QkvOrder::grouped;
  return text == "legacy" || text == "grouped";
}

template <class T, int Capacity>
bool from_text(std::string_view text, ShortList<T, Capacity>& list) {
  list = {};
  while (!text.empty()) {
    auto const comma = text.find(',');
    if (list.count == Capacity || !from_text(text.substr(0, comma), list.items[list.count++])) return false;
    if (comma == text.size() - 1) return false;
    text = comma == text.npos ? "" : text.substr(comma + 1);
  }
  return true;
}

}  // namespace detail

/// Every field that the numbers depend on by name, in the order of the struct: {"image_size", "64"},
/// {"channel_mult", "1,2,2"}, ...
inline KeyValues describe(UNetConfig const& config) {
  KeyValues result;
  detail::visit_fields(config, [&](char const* name, auto const& value) {
    result.emplace_back(name, detail::to_text(value));
  });
  return result;
}

/// The configuration that `describe` gave; a field that is not named has its default, other names are passed
/// over. Throws Error for a value that is none of its field's.
inline UNetConfig parse_unet_config(KeyValues const& description) {
  UNetConfig config;
  detail::visit_fields(config, [&](char const* name, auto& value) {
    std::string const* const text = find_value(description, name);
    if (text != nullptr && !detail::from_text(*text, value))
      throw Error("\"" + *text + "\" is no value for the configuration's " + name + ".");
  });
  return config;
}

}  // namespace glyphdiff
