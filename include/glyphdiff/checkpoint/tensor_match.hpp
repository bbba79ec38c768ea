#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/checkpoint/float_store.hpp>
#include <glyphdiff/checkpoint/infer_config.hpp>
#include <glyphdiff/checkpoint/tensor_file.hpp>
#include <glyphdiff/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Where the parameters of a table lie in a file of tensors.
namespace glyphdiff {

/// Values first .. last - 1 of an arena.
struct ArenaRange {
  std::int64_t first = 0, last = (std::numeric_limits<std::int64_t>::max)();
};

/// Tensors whose names are those of a table behind a prefix, and the arena they belong to.
struct TensorSet {
  std::string prefix;  ///< "model."
  FloatStore store;
  std::vector<ParameterBlock> const* table;
  ArenaRange range{};  ///< what is read of the arena
};

namespace detail {

/// Values of a tensor of a file, and where they belong in an arena.
struct TensorPlacement {
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
  std::vector<TensorPlacement> placements;
  std::vector<std::string> faults;  ///< "no out.2.bias", ...: empty if the file may be loaded
};

/// Looks for every parameter of every set in a file. A tensor that is missing, of integers, of another shape
/// or, where `unexpected` says so of its name, too many is a fault.
inline TensorMatch match_tensors(TensorFile const& file, std::vector<TensorSet> const& wanted,
                                 std::function<bool(std::string const& name)> const& unexpected) {
  std::string const parallel = parallel_prefix(file);
  std::map<std::string_view, std::size_t> remaining;
  for (std::size_t i = 0; i < file.entries().size(); ++i) remaining.emplace(file.entries()[i].name, i);

  TensorMatch match;
  for (TensorSet const& set : wanted)
    for (ParameterBlock const& block : *set.table) {
      std::string const name = parallel + set.prefix + block.name;
      auto const found = remaining.find(name);
      if (found == remaining.end()) {
        match.faults.push_back("no " + name);
        continue;
      }
      TensorEntry const& entry = file.entries()[found->second];
      if (!is_floating(entry.dtype) || entry.shape != block.shape)
        match.faults.push_back(name + " is " + entry.dtype + " " + shape_text(entry.shape) + " and not F32 " +
                               shape_text(block.shape));
      std::int64_t const first = (std::max)(block.offset, set.range.first),
                         last = (std::min)(block.offset + block.count, set.range.last);
      if (first < last)
        match.placements.push_back(
            {&file, found->second, first - block.offset, &set.store, first, last - first});
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

/// Where every parameter of every set lies in the file; the sets must outlive it. Throws Error with a list of
/// faults.
inline std::vector<TensorPlacement> place(TensorFile const& file, std::vector<TensorSet> const& wanted,
                                          std::function<bool(std::string const& name)> const& unexpected) {
  TensorMatch match = match_tensors(file, wanted, unexpected);
  if (!match.faults.empty())
    throw Error(file.path() + " does not hold the tensors of this program's model: " +
                fault_text(match.faults) + "." + network_text(file));
  return std::move(match.placements);
}

/// work(first value, values) for pieces of a placement.
template <class Work>
void for_each_piece(TensorPlacement const& p, Work const& work) {
  constexpr std::int64_t most = 1 << 20;
  for (std::int64_t done = 0; done < p.count; done += most) work(done, (std::min)(most, p.count - done));
}

/// Reads everything and throws Error, naming file and tensor, for numbers that are not finite, or would not
/// be where they go, and data that is not what was written.
inline void check_placed(std::vector<TensorPlacement> const& placements) {
  std::vector<float> chunk;
  for (TensorPlacement const& p : placements) {
    p.file->require_intact(p.tensor, p.first, p.count);
    TensorEntry const& entry = p.file->entries()[p.tensor];
    if (std::string_view(p.store->dtype) != "BF16" || entry.dtype == "BF16") continue;
    for_each_piece(p, [&](std::int64_t done, std::int64_t count) {
      chunk.resize(std::size_t(count));
      p.file->read(p.tensor, p.first + done, count, chunk.data());
      for (float const value : chunk)
        if (!is_finite(bfloat16_to_float(float_to_bfloat16(value))))
          throw Error(p.file->path(), "numbers that bfloat16 has",
                      "a larger one in " + printable(entry.name));
    });
  }
}

/// Fills the stores, which check_placed has not touched.
inline void read_placed(std::vector<TensorPlacement> const& placements) {
  std::vector<float> chunk;
  for (TensorPlacement const& p : placements)
    for_each_piece(p, [&](std::int64_t done, std::int64_t count) {
      chunk.resize(std::size_t(count));
      p.file->read(p.tensor, p.first + done, count, chunk.data());
      p.store->write(p.offset + done, count, chunk.data());
    });
}

}  // namespace detail

}  // namespace glyphdiff
