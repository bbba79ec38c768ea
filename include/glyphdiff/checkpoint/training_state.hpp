#pragma once

#include <glyphdiff/bfloat16.hpp>
#include <glyphdiff/bits.hpp>
#include <glyphdiff/checkpoint/infer_config.hpp>
#include <glyphdiff/checkpoint/key_values.hpp>
#include <glyphdiff/checkpoint/safetensors.hpp>
#include <glyphdiff/checkpoint/tensor_file.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>
#include <glyphdiff/tensor.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Checkpoints of a training run: one safetensors file, from which a run continues bit for bit and in which
/// Python finds PyTorch's names:
///
///     model.<parameter>         F32, PyTorch's shape
///     ema_<rate>.<parameter>    one set per moving average, e.g. ema_0.9999.out.2.weight
///     adam_m.<parameter>, adam_v.<parameter>    F32, or BF16 where the run keeps its moments so
///     state.<name>              F64 vectors: samplers' histories, totals
///     metadata                  glyphdiff.checkpoint (format version), glyphdiff.step, glyphdiff.seed,
///                               glyphdiff.ema_rates, and the configuration as config.<key>
namespace glyphdiff {

/// Newest version of the layout above that this program reads, and the one it writes.
inline constexpr int checkpoint_version = 1;

/// One parameter's place in the flat arenas.
struct ParameterBlock {
  std::string name;                 ///< PyTorch's, without a prefix
  std::vector<std::int64_t> shape;  ///< PyTorch's
  std::int64_t offset = 0;          ///< values from the start of the arena
  std::int64_t count = 0;           ///< values; the product of the shape
};

/// A flat run of floats that a checkpoint reads and writes piece by piece: host memory, or an arena of any
/// space, which is then copied through a small buffer and never as a whole. Numbers written to an arena of
/// bfloat16 are rounded to the nearest. The memory must outlive the object; a View keeps itself.
class FloatStore {
 public:
  /// Copies `count` floats from position `first`.
  std::function<void(std::int64_t first, std::int64_t count, float* to)> read;
  std::function<void(std::int64_t first, std::int64_t count, float const* from)> write;
  char const* dtype = "F32";  ///< of its tensors in a checkpoint: F32 or BF16

  FloatStore() = default;

  FloatStore(float* host)
      : read([host](std::int64_t first, std::int64_t count, float* to) {
          std::copy_n(host + first, count, to);
        }),
        write([host](std::int64_t first, std::int64_t count, float const* from) {
          std::copy_n(from, count, host + first);
        }) {}

  /// An Arena<Exec>. Copies wait for work on the device that was launched before.
  template <class Space>
  FloatStore(Kokkos::View<float*, Kokkos::LayoutRight, Space> const& arena)
      : read([arena](std::int64_t first, std::int64_t count, float* to) {
          copy_now<Space>(HostValues(to, count), Piece<float, Space>(arena.data() + first, count));
        }),
        write([arena](std::int64_t first, std::int64_t count, float const* from) {
          copy_now<Space>(Piece<float, Space>(arena.data() + first, count), HostValues(from, count));
        }) {}

  /// A Bfloat16Arena<Exec>.
  template <class Space>
  FloatStore(Kokkos::View<std::uint16_t*, Kokkos::LayoutRight, Space> const& arena)
      : read([arena](std::int64_t first, std::int64_t count, float* to) {
          std::vector<std::uint16_t> values(static_cast<std::size_t>(count));
          copy_now<Space>(HostValues(values.data(), count),
                          Piece<std::uint16_t, Space>(arena.data() + first, count));
          std::transform(values.begin(), values.end(), to, bfloat16_to_float);
        }),
        write([arena](std::int64_t first, std::int64_t count, float const* from) {
          std::vector<std::uint16_t> values(static_cast<std::size_t>(count));
          std::transform(from, from + count, values.begin(), float_to_bfloat16);
          copy_now<Space>(Piece<std::uint16_t, Space>(arena.data() + first, count),
                          HostValues(values.data(), count));
        }),
        dtype("BF16") {}

 private:
  template <class T, class Space>
  using Piece = Kokkos::View<T*, Kokkos::LayoutRight, Space, Kokkos::MemoryUnmanaged>;

  /// After all work of a device, and before any other.
  template <class Space, class To, class From>
  static void copy_now(To const& to, From const& from) {
    Kokkos::fence();
    typename Space::execution_space const exec;
    copy_values(exec, to, from);
    exec.fence();
  }
};

/// Everything a run needs to go on. For saving all of it is given; for loading `parameters` to
/// `configuration` are, the stores are filled, and the rest is replaced.
struct TrainingState {
  struct Average {
    double rate;  ///< 0 if it has a width
    FloatStore values;
    double width = 0;  ///< of a power-function average, or 0
  };

  std::vector<ParameterBlock> table;
  FloatStore parameters;
  std::vector<Average> averages;
  FloatStore first_moment, second_moment;
  KeyValues configuration;  ///< whatever must be the same for the run to go on
  KeyValues defaults;       ///< what a file says that was written before a key existed

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

inline constexpr std::string_view config_prefix = "config.", state_prefix = "state.";

/// The parts of a state that hold a value for each parameter, by prefix.
inline std::vector<std::pair<std::string, FloatStore>> parts(TrainingState const& state) {
  std::vector<std::pair<std::string, FloatStore>> result{{"model.", state.parameters}};
  for (auto const& average : state.averages)
    result.emplace_back(average_prefix(average.rate, average.width), average.values);
  result.emplace_back("adam_m.", state.first_moment);
  result.emplace_back("adam_v.", state.second_moment);
  return result;
}

/// Bytes from `offset` on of a tensor that begins at value `start` of a store, as its type has them.
inline void read_stored(FloatStore const& store, std::int64_t start, std::uint64_t offset,
                        std::uint64_t bytes, void* to) {
  std::uint64_t const width = dtype_bytes(store.dtype);
  std::int64_t const first = start + std::int64_t(offset / width), count = std::int64_t(bytes / width);
  if (width == sizeof(float)) return store.read(first, count, static_cast<float*>(to));
  std::vector<float> values(static_cast<std::size_t>(count));
  store.read(first, count, values.data());
  std::transform(values.begin(), values.end(), static_cast<std::uint16_t*>(to), float_to_bfloat16);
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

inline KeyValues stored_configuration(TensorFile const& file) {
  KeyValues result;
  for (auto const& [key, value] : file.metadata())
    if (key.starts_with(config_prefix)) result.emplace_back(key.substr(config_prefix.size()), value);
  return result;
}

inline void require_same_configuration(TensorFile const& file, KeyValues const& stored,
                                       KeyValues const& ours) {
  std::string const different = differences(stored, ours);
  if (!different.empty())
    throw Error(file.path() + " is a checkpoint of another configuration: " + printable(different, 2000) +
                ".");
}

/// Values of a tensor of a file, and where they belong in an arena.
struct Placement {
  TensorFile const* file;
  std::size_t tensor;  ///< its number among the file's entries
  std::int64_t first;  ///< value of the tensor
  FloatStore const* store;
  std::int64_t offset, count;  ///< values of the arena
};

inline std::string shape_text(std::vector<std::int64_t> const& shape) {
  std::string text = "(";
  for (std::int64_t const extent : shape) {
    if (text.size() > 1) text += ',';
    text += std::to_string(extent);
  }
  return text + ")";
}

/// "module." if all names of a file begin with it, as those of a model that was trained in parallel do.
inline std::string parallel_prefix(TensorFile const& file) {
  std::string const prefix = "module.";
  auto const& entries = file.entries();
  bool const all = std::all_of(entries.begin(), entries.end(),
                               [&](TensorEntry const& entry) { return entry.name.starts_with(prefix); });
  return all && !entries.empty() ? prefix : "";
}

/// Where parameters lie in a file, and what keeps the file from being loaded.
struct TensorMatch {
  std::vector<Placement> placements;
  std::vector<std::string> faults;  ///< "no out.2.bias", ...: empty if the file may be loaded
};

/// Looks for every parameter of every part in a file. A tensor that is missing, of integers, of another shape
/// or, where `unexpected` says so of its name, too many is a fault.
inline TensorMatch match_tensors(TensorFile const& file,
                                 std::vector<std::pair<std::string, FloatStore>> const& wanted,
                                 std::vector<ParameterBlock> const& table,
                                 std::function<bool(std::string const& name)> const& unexpected) {
  std::string const parallel = parallel_prefix(file);
  std::map<std::string_view, std::size_t> remaining;
  for (std::size_t i = 0; i < file.entries().size(); ++i) remaining.emplace(file.entries()[i].name, i);

  TensorMatch match;
  for (auto const& [prefix, store] : wanted)
    for (ParameterBlock const& block : table) {
      std::string const name = parallel + prefix + block.name;
      auto const found = remaining.find(name);
      if (found == remaining.end()) {
        match.faults.push_back("no " + name);
        continue;
      }
      TensorEntry const& entry = file.entries()[found->second];
      if (!is_floating(entry.dtype) || entry.shape != block.shape)
        match.faults.push_back(name + " is " + entry.dtype + " " + shape_text(entry.shape) + " and not F32 " +
                               shape_text(block.shape));
      match.placements.push_back({&file, found->second, 0, &store, block.offset, block.count});
      remaining.erase(found);
    }
  for (auto const& [name, index] : remaining)
    if (unexpected(std::string(name))) match.faults.push_back(printable(name) + " is not part of it");
  return match;
}

/// The faults in one line, or the first `most` of them.
inline std::string fault_text(std::vector<std::string> const& faults, std::size_t most = 10) {
  std::string list;
  for (std::size_t k = 0; k < faults.size() && k < most; ++k) {
    if (k > 0) list += "; ";
    list += printable(faults[k], 200);
  }
  if (faults.size() > most) list += "; and " + std::to_string(faults.size() - most) + " more";
  return list;
}

/// " It holds a UNet of {...}." of a file's network, or nothing if it has none.
inline std::string network_text(TensorFile const& file) {
  auto const prefix = network_prefix(file.entries());
  auto const config = prefix ? infer_config(file.entries(), *prefix) : std::nullopt;
  return config ? " It holds a UNet of " + config_code(*config) + ", as far as names and shapes tell." : "";
}

/// Where every parameter of every part lies in the file. Throws Error with a list of faults.
inline std::vector<Placement> place(TensorFile const& file,
                                    std::vector<std::pair<std::string, FloatStore>> const& wanted,
                                    std::vector<ParameterBlock> const& table,
                                    std::function<bool(std::string const& name)> const& unexpected) {
  TensorMatch match = match_tensors(file, wanted, table, unexpected);
  if (!match.faults.empty())
    throw Error(file.path() + " does not hold the tensors of this program's model: " +
                fault_text(match.faults) + "." + network_text(file));
  return std::move(match.placements);
}

inline void read_placed(std::vector<Placement> const& placements) {
  std::vector<float> chunk;
  for (Placement const& p : placements)
    for (std::int64_t done = 0; done < p.count; done += std::int64_t(chunk.size())) {
      chunk.resize(std::size_t(std::min<std::int64_t>(1 << 20, p.count - done)));
      p.file->read(p.tensor, p.first + done, std::int64_t(chunk.size()), chunk.data());
      if (!std::all_of(chunk.begin(), chunk.end(), [](float value) { return is_finite(value); }))
        throw Error(p.file->path(), "finite numbers",
                    "one that is not in " + printable(p.file->entries()[p.tensor].name));
      p.store->write(p.offset + done, std::int64_t(chunk.size()), chunk.data());
    }
}

}  // namespace detail

/// Writes a checkpoint. `path` is replaced only when all of the new file is on disk; on any failure Error is
/// thrown and the previous file stays.
inline void save_checkpoint(std::string const& path, TrainingState const& state) {
  KeyValues metadata{{"glyphdiff.checkpoint", std::to_string(checkpoint_version)},
                     {"glyphdiff.step", std::to_string(state.step)},
                     {"glyphdiff.seed", std::to_string(state.seed)},
                     {"glyphdiff.ema_rates", detail::rates_text(state)}};
  for (auto const& [key, value] : state.configuration)
    metadata.emplace_back(std::string(detail::config_prefix) + key, value);

  std::vector<SafetensorsSource> tensors;
  auto const parts = detail::parts(state);
  for (auto const& [prefix, store] : parts)
    for (ParameterBlock const& block : state.table)
      tensors.push_back(
          {prefix + block.name, store.dtype, block.shape,
           [&store = store, start = block.offset](std::uint64_t offset, std::uint64_t bytes, void* to) {
             detail::read_stored(store, start, offset, bytes, to);
           }});
  for (auto const& [name, values] : state.values)
    tensors.push_back(safetensors_source(std::string(detail::state_prefix) + name,
                                         {std::int64_t(values.size())}, values.data()));
  write_safetensors(path, std::move(tensors), metadata);
}

/// Reads a checkpoint into the stores of `state`, after everything about it has been checked. Throws Error,
/// one sentence, for a file that is cut short or damaged, has a newer format, another configuration (with a
/// list of what differs), other tensors or numbers that are not finite; the stores are untouched then, unless
/// the numbers or the disk turn out bad in the middle.
inline void load_checkpoint(std::string const& path, TrainingState& state) {
  SafetensorsTensors const file(path);
  detail::require_known_version(file);

  KeyValues stored = detail::stored_configuration(file), ours = state.configuration;
  std::string const* const rates = find_value(file.metadata(), "glyphdiff.ema_rates");
  for (auto const& [key, value] : state.defaults)
    if (find_value(stored, key) == nullptr) stored.emplace_back(key, value);
  stored.emplace_back("ema_rates", rates == nullptr ? "" : *rates);
  ours.emplace_back("ema_rates", detail::rates_text(state));
  detail::require_same_configuration(file, stored, ours);

  auto const step = detail::metadata_integer<std::int64_t>(file, "glyphdiff.step");
  if (step < 0) throw Error(path, "a step of at least 0", std::to_string(step));
  auto const seed = detail::metadata_integer<std::uint64_t>(file, "glyphdiff.seed");
  auto const parts = detail::parts(state);
  auto const placements = detail::place(file, parts, state.table, [](std::string const& name) {
    return !name.starts_with(detail::state_prefix);
  });
  std::vector<std::pair<std::string, std::vector<double>>> values;
  for (SafetensorsEntry const& entry : file.safetensors().entries()) {
    if (!entry.name.starts_with(detail::state_prefix)) continue;
    auto& [name, numbers] = values.emplace_back(entry.name.substr(detail::state_prefix.size()),
                                                std::vector<double>(entry.bytes / sizeof(double)));
    file.safetensors().read(entry, numbers.data());
  }

  detail::read_placed(placements);
  state.step = step;
  state.seed = seed;
  state.values = std::move(values);
}

/// Reads one set of weights, for sampling: prefix "model." or average_prefix(rate) of a checkpoint, or "" for
/// a plain state dict. Half and double precision are converted; names that all begin with "module." match
/// too. A configuration that is not empty must be the file's. Throws Error as load_checkpoint does.
inline void load_weights(TensorFile const& file, std::string const& prefix,
                         std::vector<ParameterBlock> const& table, FloatStore const& to,
                         KeyValues const& configuration = {}) {
  if (find_value(file.metadata(), "glyphdiff.checkpoint") != nullptr) detail::require_known_version(file);
  if (!configuration.empty())
    detail::require_same_configuration(file, detail::stored_configuration(file), configuration);
  std::string const beginning = detail::parallel_prefix(file) + prefix;
  std::vector<std::pair<std::string, FloatStore>> const parts{{prefix, to}};
  detail::read_placed(detail::place(file, parts, table,
                                    [&](std::string const& name) { return name.starts_with(beginning); }));
}

/// The same from a safetensors file; open_tensor_file opens others.
inline void load_weights(std::string const& path, std::string const& prefix,
                         std::vector<ParameterBlock> const& table, FloatStore const& to,
                         KeyValues const& configuration = {}) {
  load_weights(SafetensorsTensors(path), prefix, table, to, configuration);
}

/// The prefixes of all sets of weights in a file, in file order, as load_weights takes them: "" for a state
/// dict, "model.", "ema_0.9999.", ... for a checkpoint.
inline std::vector<std::string> weight_sets(TensorFile const& file) {
  constexpr std::string_view first = "time_embed.0.weight";
  std::size_t const skipped = detail::parallel_prefix(file).size();
  std::vector<std::string> prefixes;
  for (TensorEntry const& entry : file.entries())
    if (entry.name.ends_with(first) && !entry.name.starts_with("adam_"))
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
  SafetensorsTensors const file(path);
  detail::require_known_version(file);
  CheckpointSummary summary{detail::stored_configuration(file),
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
