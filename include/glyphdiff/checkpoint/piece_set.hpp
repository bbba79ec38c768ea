#pragma once

#include <glyphdiff/checkpoint/json.hpp>
#include <glyphdiff/checkpoint/safetensors.hpp>
#include <glyphdiff/checkpoint/tensor_file.hpp>
#include <glyphdiff/error.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Tensors in several safetensors files ("pieces") that an index, NAME.safetensors.index.json, lists: as
/// large models are published, and as several processes write one checkpoint. Of a tensor that is cut, a
/// piece holds a run of values in C order as NAME[first:last], and its shape as the metadata shape.NAME.
namespace glyphdiff {

namespace detail {

/// Metadata of a piece: which save it is of, and "1 of 3".
inline constexpr std::string_view save_key = "glyphdiff.save", piece_key = "glyphdiff.piece";

/// A run of a tensor, as a piece names it.
struct SliceName {
  std::string tensor;
  std::int64_t first, last;  ///< values first .. last - 1
};

inline std::string slice_name(std::string const& tensor, std::int64_t first, std::int64_t last) {
  return tensor + "[" + std::to_string(first) + ":" + std::to_string(last) + "]";
}

/// Nothing for the name of a whole tensor.
inline std::optional<SliceName> parse_slice_name(std::string_view name) {
  auto const open = name.rfind('['), colon = name.rfind(':');
  if (open == name.npos || colon == name.npos || colon < open || !name.ends_with(']')) return std::nullopt;
  SliceName slice{std::string(name.substr(0, open)), -1, -1};
  auto const number = [](std::string_view text, std::int64_t& value) {
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  };
  bool const numbers = number(name.substr(open + 1, colon - open - 1), slice.first) &&
                       number(name.substr(colon + 1, name.size() - colon - 2), slice.last);
  return numbers && slice.first >= 0 && slice.first < slice.last ? std::optional(slice) : std::nullopt;
}

/// "4,3,3,3" as a shape.
inline std::optional<std::vector<std::int64_t>> parse_shape(std::string_view text) {
  std::vector<std::int64_t> shape;
  while (!text.empty()) {
    std::string_view const word = text.substr(0, text.find(','));
    std::int64_t extent = -1;
    auto const [end, error] = std::from_chars(word.data(), word.data() + word.size(), extent);
    if (error != std::errc() || end != word.data() + word.size() || extent < 0) return std::nullopt;
    shape.push_back(extent);
    text.remove_prefix((std::min)(word.size() + 1, text.size()));
  }
  return shape;
}

/// What an index says: which piece, by number, holds a name.
struct PieceIndex {
  std::string save;                               ///< of a set of ours: what its pieces must belong to
  std::vector<std::string> pieces;                ///< file names, in the folder of the index
  std::map<std::string, std::size_t> weight_map;  ///< piece of a tensor or slice
};

inline constexpr char const* piece_index_kind = "an index of safetensors files";

template <class Json>
PieceIndex parse_piece_index(std::string_view text, std::string const& path) {
  std::string const kind = piece_index_kind;
  Demand const require(path);
  Json const json = parse_strictly<Json>(text, path, kind);
  require(json.is_object() && json.contains("weight_map") && json["weight_map"].is_object(),
          kind + " with a weight_map", "other JSON");
  PieceIndex index;
  if (json.contains("metadata") && json["metadata"].is_object())
    if (auto const save = json["metadata"].find(std::string(save_key));
        save != json["metadata"].end() && save->is_string())
      save->get_to(index.save);
  std::map<std::string, std::size_t> numbers;
  for (auto const& [name, piece] : json["weight_map"].items()) {
    std::string const file_name = piece.is_string() ? piece.template get<std::string>() : "";
    require(!file_name.empty() && file_name.find('/') == file_name.npos && file_name[0] != '.',
            "the name of a file in the folder of the index as the place of " + printable(name),
            printable(piece.dump()));
    auto const [at, added] = numbers.emplace(file_name, index.pieces.size());
    if (added) index.pieces.push_back(file_name);
    index.weight_map.emplace(name, at->second);
  }
  return index;
}

/// The index as text; `bytes`: of all tensors.
template <class Json>
std::string piece_index_text(PieceIndex const& index, std::uint64_t bytes) {
  auto json = Json::object();
  auto& map = json["weight_map"] = Json::object();
  for (auto const& [name, piece] : index.weight_map) map[name] = index.pieces[piece];
  json["metadata"] = {{"total_size", bytes}, {save_key, index.save}};
  return json.dump(1) + "\n";
}

#define GLYPHDIFF_PIECE_SET_JSON(MAKE, Json) MAKE(parse_piece_index<Json>) MAKE(piece_index_text<Json>)
GLYPHDIFF_DECLARE_JSON(GLYPHDIFF_PIECE_SET_JSON)

inline PieceIndex read_piece_index(std::string const& path) {
  InputFile const file(path, piece_index_kind);
  Demand const require(path);
  require(file.size() <= 100'000'000, piece_index_kind, std::to_string(file.size()) + " bytes");
  std::string text(file.size(), '\0');
  file.read(0, file.size(), text.data());
  return parse_piece_index<nlohmann::json>(text, path);
}

}  // namespace detail

/// The tensors of all pieces as one file. Numbers are read from the pieces as they are asked for; a tensor
/// that is cut is checked run by run.
class PieceSet final : public TensorFile {
 public:
  /// Opens an index and its pieces. Throws Error, naming the file, for a piece that is missing, cut short or
  /// of another save, and for tensors that don't fit together.
  explicit PieceSet(std::string const& path) : PieceSet(path, detail::read_piece_index(path)) {}

  PieceSet(std::string path, detail::PieceIndex const& index) : path_(std::move(path)) {
    std::string const folder = path_.substr(0, path_.rfind('/') + 1);
    std::size_t named = 0;
    for (std::string const& name : index.pieces) {
      pieces_.push_back(std::make_unique<SafetensorsTensors>(folder + name));
      SafetensorsTensors const& piece = *pieces_.back();
      std::string const* const save = find_value(piece.metadata(), detail::save_key);
      if (!index.save.empty() && (save == nullptr || *save != index.save))
        throw Error(piece.path(),
                    "a piece of the save " + detail::printable(index.save) + ", as the index says",
                    save == nullptr ? "none" : "one of " + detail::printable(*save));
      for (std::size_t k = 0; k < piece.entries().size(); ++k) {
        auto const found = index.weight_map.find(piece.entries()[k].name);
        if (found == index.weight_map.end() || found->second != pieces_.size() - 1)
          throw Error(piece.path(), "tensors that the index places there",
                      detail::printable(piece.entries()[k].name));
        ++named;
        add(pieces_.size() - 1, k, !index.save.empty());
      }
    }
    if (named < index.weight_map.size()) name_the_missing(index);
    for (std::size_t k = 0; k < entries_.size(); ++k) require_whole(k);
    if (pieces_.empty()) throw Error(path_, "the names of files", "none");
    for (auto const& [key, value] : pieces_[0]->metadata())
      if (!key.starts_with("shape.") && key != detail::piece_key) metadata_.emplace_back(key, value);
  }

  std::string const& path() const override { return path_; }
  std::vector<TensorEntry> const& entries() const override { return entries_; }
  KeyValues const& metadata() const override { return metadata_; }

  void read(std::size_t index, std::int64_t first, std::int64_t count, float* to) const override {
    detail::require_piece(path_, entries_.at(index), first, count);
    for_each_run(index, first, count, [&](Run const& run, std::int64_t from, std::int64_t now) {
      pieces_[run.piece]->read(run.tensor, from - run.first, now, to + (from - first));
    });
  }

  void require_intact(std::size_t index, std::int64_t first, std::int64_t count) const override {
    detail::require_piece(path_, entries_.at(index), first, count);
    for_each_run(index, first, count, [&](Run const& run, std::int64_t from, std::int64_t now) {
      pieces_[run.piece]->require_intact(run.tensor, from - run.first, now);
    });
  }

  std::vector<double> read_doubles(std::size_t index) const override {
    Run const& run = runs_.at(index).front();
    if (runs_[index].size() > 1) return TensorFile::read_doubles(index);
    return pieces_[run.piece]->read_doubles(run.tensor);
  }

  int verify(std::size_t index) const override {
    int checksums = 0;
    for (Run const& run : runs_.at(index)) checksums += pieces_[run.piece]->verify(run.tensor);
    return checksums;
  }

 private:
  /// Values of a tensor that lie together in a piece.
  struct Run {
    std::size_t piece, tensor;  ///< number of the piece, and among its tensors
    std::int64_t first, count;
  };

  void add(std::size_t number, std::size_t tensor, bool may_be_cut) {
    SafetensorsTensors const& piece = *pieces_[number];
    TensorEntry entry = piece.entries()[tensor];
    Run run{number, tensor, 0, entry.count()};
    if (auto const slice = may_be_cut ? detail::parse_slice_name(entry.name) : std::nullopt) {
      std::string const* const text = find_value(piece.metadata(), "shape." + slice->tensor);
      auto const shape = text == nullptr ? std::nullopt : detail::parse_shape(*text);
      if (!shape || run.count != slice->last - slice->first)
        throw Error(piece.path(), "a run of a tensor, and the tensor's shape", detail::printable(entry.name));
      entry.name = slice->tensor;
      entry.shape = *shape;
      run.first = slice->first;
    }
    auto const [at, added] = by_name_.emplace(entry.name, entries_.size());
    if (added) {
      entries_.push_back(entry);
      runs_.emplace_back();
    } else if (entries_[at->second].dtype != entry.dtype || entries_[at->second].shape != entry.shape) {
      throw Error(piece.path(), "the type and shape that " + detail::printable(entry.name) + " has elsewhere",
                  "others");
    }
    runs_[at->second].push_back(run);
  }

  /// Throws Error unless the runs of a tensor make all of it.
  void require_whole(std::size_t index) {
    auto& runs = runs_[index];
    std::sort(runs.begin(), runs.end(), [](Run const& a, Run const& b) { return a.first < b.first; });
    std::string const expected = "every value of " + detail::printable(entries_[index].name) + " once";
    std::int64_t end = 0;
    for (Run const& run : runs) {
      if (run.first != end)
        throw Error(path_, expected, (run.first > end ? "none at " : "several at ") + std::to_string(end));
      end += run.count;
    }
    if (end != entries_[index].count())
      throw Error(path_, expected,
                  std::to_string(end) + " of " + std::to_string(entries_[index].count()) + " values");
  }

  [[noreturn]] void name_the_missing(detail::PieceIndex const& index) const {
    for (auto const& place : index.weight_map) {
      auto const& [name, number] = place;
      auto const& entries = pieces_[number]->entries();
      if (std::none_of(entries.begin(), entries.end(),
                       [&](auto const& entry) { return entry.name == place.first; }))
        throw Error(pieces_[number]->path(), detail::printable(name) + ", as the index says", "none");
    }
    throw Error(path_, "every tensor once", "one in two pieces");
  }

  /// work(run, first, count) for what the runs have of these values.
  template <class Work>
  void for_each_run(std::size_t index, std::int64_t first, std::int64_t count, Work const& work) const {
    for (Run const& run : runs_[index]) {
      std::int64_t const begin = (std::max)(first, run.first),
                         end = (std::min)(first + count, run.first + run.count);
      if (begin < end) work(run, begin, end - begin);
    }
  }

  std::string path_;
  std::vector<std::unique_ptr<SafetensorsTensors>> pieces_;
  std::vector<TensorEntry> entries_;
  std::vector<std::vector<Run>> runs_;  ///< of each entry, in order
  std::map<std::string, std::size_t> by_name_;
  KeyValues metadata_;
};

/// A safetensors file, or the set that an index (.index.json) lists. Throws Error.
inline std::unique_ptr<TensorFile> open_safetensors(std::string const& path) {
  if (path.ends_with(".index.json")) return std::make_unique<PieceSet>(path);
  return std::make_unique<SafetensorsTensors>(path);
}

}  // namespace glyphdiff
