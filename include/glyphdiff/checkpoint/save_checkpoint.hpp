#pragma once

#include <glyphdiff/checkpoint/config_description.hpp>
#include <glyphdiff/checkpoint/piece_set.hpp>
#include <glyphdiff/checkpoint/safetensors.hpp>
#include <glyphdiff/checkpoint/tensor_match.hpp>
#include <glyphdiff/checkpoint/training_state.hpp>
#include <glyphdiff/error.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

/// Training states on their way to the disk: as one file, or as pieces that several processes write.
namespace glyphdiff {

/// Which values of an arena of `values` a process has; `prefix` says whose arena it is
/// ("optimizer.first_moment.").
using ArenaRanges = std::function<ArenaRange(std::string const& prefix, std::int64_t values)>;

/// Part `number` (from 0) of `count` equal ones.
inline ArenaRanges equal_shares(int number, int count) {
  return [number, count](std::string const&, std::int64_t values) {
    std::int64_t const each = values / count, longer = values % count;
    auto const begin = [&](std::int64_t k) { return k * each + (std::min)(k, longer); };
    return ArenaRange{begin(number), begin(number + 1)};
  };
}

namespace detail {

inline KeyValues checkpoint_metadata(TrainingState const& state) {
  KeyValues metadata{{"glyphdiff.checkpoint", std::to_string(checkpoint_version)},
                     {"glyphdiff.step", std::to_string(state.step)},
                     {"glyphdiff.seed", std::to_string(state.seed)},
                     {"glyphdiff.ema_rates", rates_text(state)},
                     {"optimizer", state.optimizer.name}};
  auto const add = [&](std::string_view prefix, KeyValues const& pairs) {
    for (auto const& [key, value] : pairs) metadata.emplace_back(std::string(prefix) + key, value);
  };
  for (auto const& [name, value] : state.optimizer.scalars)
    metadata.emplace_back(std::string(optimizer_prefix) + name, to_text(value));
  add(config_prefix, state.configuration);
  add(identity_prefix, state.identity);
  add(note_prefix, state.notes);
  return metadata;
}

/// The part of a parameter's values that a set's range has, as a tensor of a piece, or nothing.
inline void add_source(TensorSet const& set, ParameterBlock const& block, std::vector<TensorSource>& tensors,
                       KeyValues& metadata) {
  std::int64_t const first = (std::max)(block.offset, set.range.first),
                     last = (std::min)(block.offset + block.count, set.range.last);
  bool const empty = block.count == 0 && set.range.first <= block.offset && block.offset < set.range.last;
  if (first >= last && !empty) return;
  auto const read = [&set, first](std::uint64_t offset, std::uint64_t bytes, void* to) {
    read_stored(set.store, first, offset, bytes, to);
  };
  std::string const name = set.prefix + block.name;
  if (empty || last - first == block.count)
    return tensors.push_back({name, set.store.dtype, block.shape, read});
  tensors.push_back(
      {slice_name(name, first - block.offset, last - block.offset), set.store.dtype, {last - first}, read});
  std::string const shape = shape_text(block.shape);
  metadata.emplace_back("shape." + name, shape.substr(1, shape.size() - 2));
}

/// Writes the parts of a state that lie in the sets' ranges, and its values if `with_values`.
inline void write_state(std::string const& path, TrainingState const& state,
                        std::vector<TensorSet> const& sets, KeyValues metadata, bool with_values) {
  std::vector<TensorSource> tensors;
  for (TensorSet const& set : sets)
    for (ParameterBlock const& block : *set.table) add_source(set, block, tensors, metadata);
  if (with_values)
    for (auto const& [name, values] : state.values)
      tensors.push_back(
          safetensors_source(std::string(state_prefix) + name, {std::int64_t(values.size())}, values.data()));
  write_safetensors(path, std::move(tensors), metadata);
}

/// FOLDER/NAME.safetensors.index.json without its ending. Throws Error for another name.
inline std::string set_name(std::string const& index_path) {
  std::string const ending = ".safetensors.index.json";
  if (!index_path.ends_with(ending) || std::filesystem::path(index_path).filename() == ending)
    throw Error(index_path, "a name like run" + ending + " for an index", "another");
  return index_path.substr(0, index_path.size() - ending.size());
}

inline std::string piece_path(std::string const& index_path, std::string const& save, int number, int count) {
  char numbers[40];
  std::snprintf(numbers, sizeof numbers, "-%05d-of-%05d.safetensors", number + 1, count);
  return set_name(index_path) + "-" + save + numbers;
}

/// The save that a file is a piece of, "s120-0123456789abcdef", if it is one of this set.
inline std::string save_of_piece(std::string const& file_name, std::string const& set_file_name) {
  if (!file_name.starts_with(set_file_name + "-s")) return "";
  std::string const rest = file_name.substr(set_file_name.size() + 1);
  std::string const save = rest.substr(0, rest.find('-', rest.find('-') + 1));
  int number = 0, count = 0, length = 0;
  unsigned long long step = 0, token = 0;
  bool const fits = std::sscanf(rest.c_str(), "s%llu-%16llx-%5d-of-%5d.safetensors%n", &step, &token, &number,
                                &count, &length) == 4 &&
                    std::size_t(length) == rest.size();
  return fits ? save : "";
}

/// Removes the pieces of all other saves of a set.
inline void remove_other_pieces(std::string const& index_path, std::string const& save) {
  std::filesystem::path const base = set_name(index_path);
  std::error_code error;
  std::vector<std::filesystem::path> old;
  std::filesystem::directory_iterator entry(base.has_parent_path() ? base.parent_path() : ".", error), end;
  for (; !error && entry != end; entry.increment(error)) {
    std::string const other = save_of_piece(entry->path().filename().string(), base.filename().string());
    if (!other.empty() && other != save) old.push_back(entry->path());
  }
  for (auto const& path : old) std::filesystem::remove(path, error);
}

}  // namespace detail

/// Writes a checkpoint. `path` is replaced only when all of the new file is on disk; on any failure Error is
/// thrown and the previous file stays.
inline void save_checkpoint(std::string const& path, TrainingState const& state) {
  detail::write_state(path, state, detail::tensor_sets(state, checkpoint_version),
                      detail::checkpoint_metadata(state), true);
}

/// A name for a save after `step` updates that no other save has. One process makes it and tells the others.
inline std::string new_save(std::int64_t step) {
  std::random_device device;
  std::uint64_t const numbers[] = {
      device(), device(), std::uint64_t(std::chrono::system_clock::now().time_since_epoch().count())};
  Xxh64 hash;
  hash.add(numbers, sizeof numbers);
  return "s" + std::to_string(step) + "-" + checksum_text(hash.value());
}

/// Writes piece `number` (from 0) of the `count` pieces of a save: the values in `ranges` of every arena of
/// the state, whose stores need have no others (see shifted()). Without `ranges`, an equal share of each. The
/// set is NAME of index_path, "FOLDER/NAME.safetensors.index.json", which publish_checkpoint writes. Throws
/// Error.
inline void save_checkpoint_piece(std::string const& index_path, std::string const& save, int number,
                                  int count, TrainingState const& state, ArenaRanges ranges = {}) {
  if (number < 0 || number >= count)
    throw Error(index_path, "a piece from 0 to " + std::to_string(count - 1), std::to_string(number));
  if (!ranges) ranges = equal_shares(number, count);
  auto sets = detail::tensor_sets(state, checkpoint_version);
  for (TensorSet& set : sets) set.range = ranges(set.prefix, detail::arena_size(*set.table));
  KeyValues metadata = detail::checkpoint_metadata(state);
  metadata.emplace_back(detail::save_key, save);
  metadata.emplace_back(detail::piece_key, std::to_string(number + 1) + " of " + std::to_string(count));
  detail::write_state(detail::piece_path(index_path, save, number, count), state, sets, std::move(metadata),
                      number == 0);
}

/// After all pieces are written: makes their index, in place of the one of an earlier save, whose pieces are
/// removed then. Throws Error, and the earlier save stays, unless the pieces are all there, of this save, and
/// together hold every tensor of the state once.
inline void publish_checkpoint(std::string const& index_path, std::string const& save, int count,
                               TrainingState const& state) {
  detail::PieceIndex index{save, {}, {}};
  std::uint64_t total = 0;
  for (int number = 0; number < count; ++number) {
    std::string const path = detail::piece_path(index_path, save, number, count);
    index.pieces.push_back(path.substr(path.rfind('/') + 1));
    SafetensorsFile const piece(path);
    for (SafetensorsEntry const& entry : piece.entries()) {
      if (!index.weight_map.emplace(entry.name, number).second)
        throw Error(path, "tensors that no other piece has", detail::printable(entry.name));
      total += entry.bytes;
    }
  }
  PieceSet const set(index_path, index);
  auto const sets = detail::tensor_sets(state, checkpoint_version);
  detail::place(set, sets, [](std::string const& name) { return !name.starts_with(detail::state_prefix); });

  std::string const text = detail::piece_index_text<nlohmann::json>(index, total);
  replace_file(index_path, [&](int fd) { detail::write_all(fd, text.data(), text.size(), index_path); });
  detail::remove_other_pieces(index_path, save);
}

}  // namespace glyphdiff
