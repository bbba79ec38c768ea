#pragma once

#include <glyphdiff/checkpoint/piece_set.hpp>
#include <glyphdiff/checkpoint/tensor_match.hpp>
#include <glyphdiff/checkpoint/training_state.hpp>
#include <glyphdiff/error.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The weights in a file, to sample from.
namespace glyphdiff {

/// Reads one set of weights, for sampling: prefix "model." or average_prefix(rate) of a checkpoint, or "" for
/// a plain state dict. Half and double precision are converted; names that all begin with "module." match
/// too. A configuration that is not empty must be the file's. Throws Error as load_checkpoint does.
inline void load_weights(TensorFile const& file, std::string const& prefix,
                         std::vector<ParameterBlock> const& table, FloatStore const& to,
                         KeyValues const& configuration = {}) {
  if (find_value(file.metadata(), "glyphdiff.checkpoint") != nullptr) detail::require_known_version(file);
  if (!configuration.empty())
    detail::require_same_configuration(file, detail::stored_pairs(file, detail::config_prefix),
                                       configuration);
  std::string const beginning = detail::parallel_prefix(file) + prefix;
  std::vector<TensorSet> const sets{{prefix, to, &table}};
  auto const placements =
      detail::place(file, sets, [&](std::string const& name) { return name.starts_with(beginning); });
  detail::check_placed(placements);
  detail::read_placed(placements);
}

/// The same from a safetensors file or the index of a set of them; open_tensor_file opens others.
inline void load_weights(std::string const& path, std::string const& prefix,
                         std::vector<ParameterBlock> const& table, FloatStore const& to,
                         KeyValues const& configuration = {}) {
  load_weights(*open_safetensors(path), prefix, table, to, configuration);
}

/// The prefixes of all sets of weights in a file, in file order, as load_weights takes them: "" for a state
/// dict, "model.", "ema_0.9999.", ... for a checkpoint.
inline std::vector<std::string> weight_sets(TensorFile const& file) {
  constexpr std::string_view first = "time_embed.0.weight";
  std::size_t const skipped = detail::parallel_prefix(file).size();
  std::vector<std::string> prefixes;
  for (TensorEntry const& entry : file.entries())
    if (entry.name.ends_with(first) && !entry.name.starts_with("adam_") &&
        !entry.name.starts_with(detail::optimizer_prefix))
      prefixes.push_back(entry.name.substr(skipped, entry.name.size() - first.size() - skipped));
  return prefixes;
}

/// The prefix of the set that is asked for by name ("model", "ema_0.9999"); if by none, the first average, or
/// the only set. Throws Error if there is none of the name, or none at all.
inline std::string choose_weights(TensorFile const& file, std::string const& name) {
  auto const sets = weight_sets(file);
  if (sets.empty()) throw Error(file.path(), "the weights of a UNet", "no time_embed.0.weight");
  std::string known;
  for (std::string const& prefix : sets) {
    if (name.empty() ? prefix.starts_with("ema_") : prefix == name + ".") return prefix;
    if (!known.empty()) known += ", ";
    known += prefix.empty() ? "one without a name" : prefix.substr(0, prefix.size() - 1);
  }
  if (!name.empty()) throw Error(file.path(), "weights named " + name, known);
  return sets.front();
}

/// Channels of the images of the network in a set of weights, if it has no space-to-depth stem.
inline std::int64_t image_channels(TensorFile const& file, std::string const& prefix) {
  for (TensorEntry const& entry : file.entries())
    if (entry.name == detail::parallel_prefix(file) + prefix + "input_blocks.0.0.weight" &&
        entry.shape.size() == 4)
      return entry.shape[1];
  throw Error(file.path(), "input_blocks.0.0.weight of four dimensions", "none");
}

/// The configuration, moving averages' prefixes and step of a checkpoint, for programs that choose by them.
struct CheckpointSummary {
  KeyValues configuration;
  std::vector<std::string> prefixes;  ///< "model.", "ema_0.9999.", ...
  std::int64_t step = 0;
};

inline CheckpointSummary summarize_checkpoint(std::string const& path) {
  auto const opened = open_safetensors(path);
  TensorFile const& file = *opened;
  detail::require_known_version(file);
  CheckpointSummary summary{detail::stored_pairs(file, detail::config_prefix),
                            {"model."},
                            detail::metadata_integer<std::int64_t>(file, "glyphdiff.step")};
  if (std::string const* const rates = find_value(file.metadata(), "glyphdiff.ema_rates")) {
    std::string_view rest = *rates;
    while (!rest.empty()) {
      std::string_view const rate = rest.substr(0, rest.find(','));
      summary.prefixes.push_back("ema_" + std::string(rate) + ".");
      rest.remove_prefix((std::min)(rate.size() + 1, rest.size()));
    }
  }
  return summary;
}

}  // namespace glyphdiff
