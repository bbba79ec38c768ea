#pragma once

#include <glyphdiff/checkpoint/float_store.hpp>
#include <glyphdiff/checkpoint/key_values.hpp>
#include <glyphdiff/checkpoint/tensor_file.hpp>
#include <glyphdiff/checkpoint/tensor_match.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

/// What a training run needs to go on, and how checkpoints name it (docs/checkpoints.md):
///
///     model.<parameter>                     F32, PyTorch's shape
///     ema_<rate>.<parameter>                one set per moving average, e.g. ema_0.9999.out.2.weight
///     optimizer.<array>.<parameter>         F32 or BF16, e.g. optimizer.first_moment.out.2.weight
///     state.<name>                          F64 vectors: samplers' histories, totals
///     metadata                              glyphdiff.checkpoint (format version), .step, .seed, .ema_rates;
///                                           optimizer and optimizer.<scalar>; what must be the same for the
///                                           run to go on as config.<key> and run.<key>; remarks as
///                                           note.<key>
namespace glyphdiff {

/// Newest version of the layout above that this program reads, and the one it writes. Version 1 (0.1.0) had
/// adam_m. and adam_v. for AdamW's moments, no checksums, and of the identity only config.<key>.
inline constexpr int checkpoint_version = 2;

/// What an optimiser keeps between updates, whatever it is.
struct OptimizerState {
  /// A number for each value of a table: the parameters' own (if it is empty), or a smaller one, as factored
  /// moments need.
  struct Array {
    std::string name;  ///< "first_moment"
    FloatStore values;
    std::vector<ParameterBlock> table{};
  };

  std::string name{};  ///< "AdamW"
  std::vector<Array> arrays{};
  std::vector<std::pair<std::string, double>> scalars{};  ///< beside the number of updates

  /// The values of the array of this name; Error if there is none.
  FloatStore const& array(std::string_view wanted) const {
    for (Array const& one : arrays)
      if (one.name == wanted) return one.values;
    throw Error("state of the optimizer " + name, std::string(wanted), "none");
  }
};

/// AdamW's: two arrays.
inline OptimizerState adamw_state(FloatStore first_moment, FloatStore second_moment) {
  return {
      "AdamW", {{"first_moment", std::move(first_moment)}, {"second_moment", std::move(second_moment)}}, {}};
}

/// Everything a run needs to go on. For saving all of it is given; for loading `table` to `defaults` are, the
/// stores are filled, and the rest is replaced.
struct TrainingState {
  struct Average {
    double rate;  ///< 0 if it has a width
    FloatStore values;
    double width = 0;  ///< of a power-function average, or 0
  };

  std::vector<ParameterBlock> table;
  FloatStore parameters;
  std::vector<Average> averages;
  OptimizerState optimizer;
  KeyValues configuration;  ///< whatever must be the same for the run to go on
  KeyValues identity;       ///< more of it, which version 1 did not record: not compared with its files
  KeyValues defaults;       ///< what a file says that was written before a key of either existed

  KeyValues notes;  ///< for people; not compared
  std::int64_t step = 0;
  std::uint64_t seed = 0;
  std::vector<std::pair<std::string, std::vector<double>>> values;  ///< samplers' histories, totals
};

/// "ema_0.9999.", or "ema_power_0.05." for a power-function average of this width: the prefix of an average's
/// tensors.
inline std::string average_prefix(double rate, double width = 0) {
  return (width > 0 ? "ema_power_" : "ema_") + shortest_text(width > 0 ? width : rate) + ".";
}

namespace detail {

inline constexpr std::string_view config_prefix = "config.", identity_prefix = "run.", note_prefix = "note.",
                                  state_prefix = "state.", optimizer_prefix = "optimizer.";

/// The tensors of a state that belong to arenas, in the order of a file of this version. They point into it.
inline std::vector<TensorSet> tensor_sets(TrainingState const& state, std::int64_t version) {
  std::vector<TensorSet> result{{"model.", state.parameters, &state.table}};
  for (auto const& average : state.averages)
    result.push_back({average_prefix(average.rate, average.width), average.values, &state.table});
  for (auto const& array : state.optimizer.arrays) {
    std::string prefix = std::string(optimizer_prefix) + array.name + ".";
    if (version == 1) prefix = array.name == "first_moment" ? "adam_m." : "adam_v.";
    result.push_back({prefix, array.values, array.table.empty() ? &state.table : &array.table});
  }
  return result;
}

/// Values of the arena that a table lies in.
inline std::int64_t arena_size(std::vector<ParameterBlock> const& table) {
  std::int64_t size = 0;
  for (ParameterBlock const& block : table) size = (std::max)(size, block.offset + block.count);
  return size;
}

inline std::string rates_text(TrainingState const& state) {
  std::string text;
  for (auto const& average : state.averages) {
    std::string const prefix = average_prefix(average.rate, average.width);
    if (!text.empty()) text += ',';
    text += prefix.substr(4, prefix.size() - 5);
  }
  return text;
}

/// An integer of a checkpoint's metadata.
template <class T>
T metadata_integer(TensorFile const& file, char const* key) {
  std::string const* const text = find_value(file.metadata(), key);
  if (text == nullptr)
    throw Error(file.path(), "a checkpoint of glyphdiff", std::string("no ") + key + " in its metadata");
  T value{};
  auto const [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size())
    throw Error(file.path(), std::string("an integer as ") + key, "\"" + printable(*text) + "\"");
  return value;
}

inline void require_known_version(TensorFile const& file) {
  auto const version = metadata_integer<std::int64_t>(file, "glyphdiff.checkpoint");
  if (version < 1 || version > checkpoint_version)
    throw Error(file.path(), "checkpoint format " + std::to_string(checkpoint_version) + " or older",
                "format " + std::to_string(version) + (version < 1 ? "" : ", written by a newer glyphdiff"));
}

/// The metadata whose keys begin so, without that beginning.
inline KeyValues stored_pairs(TensorFile const& file, std::string_view prefix) {
  KeyValues result;
  for (auto const& [key, value] : file.metadata())
    if (key.starts_with(prefix)) result.emplace_back(key.substr(prefix.size()), value);
  return result;
}

inline void require_same_configuration(TensorFile const& file, KeyValues const& stored,
                                       KeyValues const& ours) {
  std::string const different = differences(stored, ours);
  if (!different.empty())
    throw Error(file.path() + " is a checkpoint of another configuration: " + printable(different, 2000) +
                ".");
}

}  // namespace detail

}  // namespace glyphdiff
