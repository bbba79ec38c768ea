#pragma once

#include <glyphdiff/checkpoint/config_description.hpp>
#include <glyphdiff/checkpoint/key_values.hpp>
#include <glyphdiff/checkpoint/tensor_file.hpp>
#include <glyphdiff/config.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// The UNetConfig behind the names and shapes of a state dict, as far as they tell.
namespace glyphdiff {
namespace detail {

/// The names and shapes of one network in a file.
class NetworkTensors {
 public:
  using Shape = std::vector<std::int64_t>;

  NetworkTensors(std::vector<TensorEntry> const& entries, std::string_view prefix) {
    for (TensorEntry const& entry : entries)
      if (entry.name.starts_with(prefix)) shapes_.emplace(entry.name.substr(prefix.size()), entry.shape);
  }

  bool has(std::string const& name) const { return shapes_.contains(name); }

  /// An extent of a tensor as an int; 0 if there is none.
  int extent(std::string const& name, std::size_t axis) const {
    auto const found = shapes_.find(name);
    if (found == shapes_.end() || axis >= found->second.size()) return 0;
    std::int64_t const extent = found->second[axis];
    return extent > 1'000'000 ? 0 : int(extent);
  }

  /// The numbers of the blocks that have tensors: of "input_blocks.7.0.op.weight" 7.
  std::set<int> blocks(std::string const& folder) const {
    std::set<int> numbers;
    for (auto const& [name, shape] : shapes_) {
      int number = 0;
      if (name.starts_with(folder + ".") &&
          std::from_chars(name.data() + folder.size() + 1, name.data() + name.size(), number).ec ==
              std::errc() &&
          number >= 0 && number < 10'000)
        numbers.insert(number);
    }
    return numbers;
  }

 private:
  std::map<std::string, Shape> shapes_;
};

/// Channels, condition, space-to-depth, coordinates and learned sigma from what the first and last
/// convolution read and write. Several answers may fit: no condition comes first, then one picture more, then
/// others; grey and coloured images, and no folding.
inline bool infer_stem(int in, int out, UNetConfig& config) {
  static constexpr int as_channels = -1;
  for (int const condition : {0, as_channels, 1, 2, 3, 4, 5, 6, 7, 8})
    for (int const channels : {1, 3, 4, 2})
      for (int const factor : {1, 2, 4, 8})
        for (bool const coordinates : {false, true})
          for (bool const sigma : {true, false}) {
            config.channels = channels;
            config.condition_channels = condition == as_channels ? channels : condition;
            config.space_to_depth = factor;
            config.coordinate_channels = coordinates;
            config.learned_sigma = sigma;
            if (config.stem_in() == in && config.stem_out() == out) return true;
          }
  return false;
}

/// The factor that gives a level this width in spite of rounding.
inline double width_factor(int width, int model_channels) {
  double factor = double(width) / model_channels;
  if (int(factor * model_channels) < width)
    factor = std::nextafter(factor, (std::numeric_limits<double>::max)());
  return factor;
}

}  // namespace detail

/// Where a network's names begin in a file: "" for a plain state dict, "model." in a checkpoint. Nothing if
/// there is no UNet in it.
inline std::optional<std::string> network_prefix(std::vector<TensorEntry> const& entries) {
  std::string_view const first = "time_embed.0.weight";
  for (TensorEntry const& entry : entries)
    if (entry.name.ends_with(first)) return entry.name.substr(0, entry.name.size() - first.size());
  return std::nullopt;
}

/// The configuration of the UNet whose tensors begin with `prefix`, or nothing if there is none. What names
/// and shapes don't tell has its default, and a likely value for the image's size (8 pixels at the lowest
/// level) and norm_groups; `inferable` says what they do tell.
inline std::optional<UNetConfig> infer_config(std::vector<TensorEntry> const& entries,
                                              std::string_view prefix) {
  detail::NetworkTensors const tensors(entries, prefix);
  auto const input = [](int n) { return "input_blocks." + std::to_string(n) + ".0."; };
  auto const output = [](int n) { return "output_blocks." + std::to_string(n) + "."; };
  auto const inputs = tensors.blocks("input_blocks"), outputs = tensors.blocks("output_blocks");
  UNetConfig config;
  config.model_channels = tensors.extent("time_embed.0.weight", 1);
  if (config.model_channels < 1 || inputs.empty() || outputs.empty()) return std::nullopt;
  config.classes = tensors.extent("label_emb.weight", 0);
  if (!detail::infer_stem(tensors.extent("input_blocks.0.0.weight", 1), tensors.extent("out.2.weight", 0),
                          config))
    return std::nullopt;

  // An up layer stands behind the last block of every level but the outermost. Without parameters it has no
  // name, nor has the down layer, whose number is then missing.
  int ups = 0;
  for (int const n : outputs)
    for (char const* const place : {"1", "2"})
      ups += tensors.has(output(n) + place + ".in_layers.0.weight") ||
             tensors.has(output(n) + place + ".conv.weight");
  int const last_input = *inputs.rbegin(), last_output = *outputs.rbegin();
  int const levels = 1 + (ups > 0 ? ups : last_input + 1 - int(inputs.size()));
  int const res_blocks = (last_input - (levels - 1)) / levels;
  if (levels > 8 || res_blocks < 1 || levels * (res_blocks + 1) - 1 != last_input) return std::nullopt;
  config.res_blocks = res_blocks;
  config.level_input_skips = last_output + 1 == levels * (res_blocks + 1);
  if (!config.level_input_skips && last_output + 1 != levels * res_blocks) return std::nullopt;

  config.channel_mult = {};
  config.norm_groups = 32;
  std::vector<bool> attends;
  for (int level = 0; level < levels; ++level) {
    int const first = level * (res_blocks + 1) + 1,
              width = tensors.extent(input(first) + "out_layers.3.weight", 0);
    if (width < 1) return std::nullopt;
    config.channel_mult.items[config.channel_mult.count++] =
        detail::width_factor(width, config.model_channels);
    attends.push_back(tensors.has("input_blocks." + std::to_string(first) + ".1.qkv.weight"));
    while (width % config.norm_groups != 0) config.norm_groups /= 2;
  }
  config.scale_shift_norm = tensors.extent(input(1) + "emb_layers.1.weight", 0) == 2 * config.width(0);
  config.resblock_updown = levels > 1 && tensors.has(input(res_blocks + 1) + "in_layers.0.weight");
  config.conv_resample =
      levels == 1 || config.resblock_updown || tensors.has(input(res_blocks + 1) + "op.weight");
  config.middle_attention = tensors.has("middle_block.1.qkv.weight");
  config.middle_res_blocks = tensors.has(config.middle_attention ? "middle_block.2.in_layers.0.weight"
                                                                 : "middle_block.1.in_layers.0.weight")
                                 ? 2
                                 : 1;
  config.image_size = (8 << (levels - 1)) * config.space_to_depth;
  for (int level = 0; level < levels; ++level)
    if (attends[std::size_t(level)])
      config.attention_resolutions.items[config.attention_resolutions.count++] = config.resolution(level);
  return config;
}

/// What names and shapes tell of a configuration: equal for two configurations exactly if those are.
inline KeyValues inferable(UNetConfig const& config) {
  std::string widths, attention;
  for (int level = 0; level < config.levels(); ++level) {
    if (level > 0) widths += ',';
    widths += std::to_string(config.width(level));
    if (config.attention_at(level)) attention += (attention.empty() ? "" : ",") + std::to_string(level);
  }
  bool const resamples = config.levels() > 1;
  return {{"inputs of the stem", std::to_string(config.stem_in())},
          {"outputs of the stem", std::to_string(config.stem_out())},
          {"model_channels", std::to_string(config.model_channels)},
          {"widths of the levels", widths},
          {"levels with attention", attention},
          {"res_blocks", std::to_string(config.res_blocks)},
          {"scale_shift_norm", detail::to_text(config.scale_shift_norm)},
          {"resblock_updown", detail::to_text(resamples && config.resblock_updown)},
          {"conv_resample", detail::to_text(!resamples || config.resblock_updown || config.conv_resample)},
          {"classes", std::to_string(config.classes)},
          {"middle_attention", detail::to_text(config.middle_attention)},
          {"middle_res_blocks", std::to_string(config.middle_res_blocks)},
          {"level_input_skips", detail::to_text(config.level_input_skips)}};
}

/// A configuration as C++: "{.image_size = 64, .channel_mult = {1, 2, 4}}", without what has its default.
inline std::string config_code(UNetConfig const& config) {
  KeyValues const defaults = describe(UNetConfig{});
  std::string code;
  detail::visit_fields(config, [&]<class T>(char const* name, T const& value) {
    std::string text = detail::to_text(value);
    if (text == *find_value(defaults, name)) return;
    if constexpr (std::is_same_v<T, QkvOrder>) text = "QkvOrder::" + text;
    if constexpr (requires { value.items; }) {
      std::string list;
      for (char const c : text) list += c == ',' ? std::string(", ") : std::string(1, c);
      text = "{" + list + "}";
    }
    code += std::string(code.empty() ? "" : ", ") + "." + name + " = " + text;
  });
  return "{" + code + "}";
}

}  // namespace glyphdiff
