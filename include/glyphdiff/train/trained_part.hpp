#pragma once

#include <glyphdiff/train/trainable.hpp>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

/// Usual choices of what to train when there is little data, or little memory.
namespace glyphdiff {

enum class TrainedPart {
  all,
  norms,      ///< norms and all biases
  attention,  ///< the attention layers, their norms included
  last,       ///< the outermost level of the way up, and the output
  low_rank,   ///< low-rank corrections of attention, skip connections and other 1x1 convolutions
};

/// The part of this name: all, norms, attention, last or low-rank.
inline std::optional<TrainedPart> trained_part(std::string_view name) {
  static constexpr std::pair<std::string_view, TrainedPart> parts[] = {{"all", TrainedPart::all},
                                                                       {"norms", TrainedPart::norms},
                                                                       {"attention", TrainedPart::attention},
                                                                       {"last", TrainedPart::last},
                                                                       {"low-rank", TrainedPart::low_rank}};
  for (auto const& [known, part] : parts)
    if (known == name) return part;
  return std::nullopt;
}

namespace detail {

inline bool is_attention(std::string_view name) {
  // A block's own layers have other names; its norms are in_layers.0 and out_layers.0.
  for (std::string_view part : {".qkv.", ".proj_out.", ".norm."})
    if (name.find(part) != name.npos) return true;
  return false;
}

/// output_blocks.N of the outermost level, or the output.
inline bool is_last(UNetConfig const& config, std::string_view name) {
  if (name.starts_with("out.")) return true;
  constexpr std::string_view prefix = "output_blocks.";
  if (!name.starts_with(prefix)) return false;
  int number = 0;
  std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
  return number >= (config.levels() - 1) * (config.res_blocks + (config.level_input_skips ? 1 : 0));
}

}  // namespace detail

/// What `part` means for a network. `rank` and `seed` are those of low-rank corrections. Throws Error if the
/// network has nothing of the kind.
template <class Net>
Trainable<Net> make_trainable(typename Net::execution_space const& exec, Net& net, TrainedPart part,
                              int rank = 8, std::uint64_t seed = 0) {
  auto const select = [&](auto const& chosen) { return ParameterSelection(net.parameter_list(), chosen); };
  switch (part) {
    case TrainedPart::norms:
      return {exec, net, select([](ParameterInfo const& info) { return info.shape.size() == 1; })};
    case TrainedPart::attention:
      return {exec, net, select([](ParameterInfo const& info) { return detail::is_attention(info.name); })};
    case TrainedPart::last:
      return {exec, net,
              select([](ParameterInfo const& info) { return detail::is_last(Net::config, info.name); })};
    case TrainedPart::low_rank: {
      auto const chosen = [](ParameterInfo const& info) {
        return Trainable<Net>::is_matrix(info) &&
               (detail::is_attention(info.name) || info.name.find(".skip_connection.") != std::string::npos);
      };
      return {exec, net, select(chosen), rank, seed};
    }
    case TrainedPart::all:
      break;
  }
  return {exec, net};
}

}  // namespace glyphdiff
