#pragma once

#include <glyphdiff/checkpoint/binary_file.hpp>
#include <glyphdiff/checkpoint/pickle.hpp>
#include <glyphdiff/checkpoint/pickle_value.hpp>
#include <glyphdiff/checkpoint/tensor_file.hpp>
#include <glyphdiff/checkpoint/zip_archive.hpp>
#include <glyphdiff/error.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The files of torch.save: a zip archive with a pickle and a member for each storage, or, before
/// PyTorch 1.6, a stream of pickles and storages.
namespace glyphdiff {

namespace detail {

/// How a file of either kind begins.
inline constexpr std::string_view zip_start = "PK\x03\x04", torch_stream_start =
                                                                "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a"
                                                                "\xa8\x50\x19.";

/// Far more than a network's names and shapes take: those of 650 tensors and their moments take 0.3 MB.
inline constexpr std::uint64_t most_pickle_bytes = 64 << 20;

/// The numbers of a file, which the pickle names by key.
class TorchStorages {
 public:
  virtual ~TorchStorages() = default;
  virtual void read(std::string const& key, std::uint64_t offset, std::uint64_t bytes, void* to) = 0;
};

/// STEM/data.pkl and STEM/data/KEY in a zip archive.
class TorchArchive final : public TorchStorages {
 public:
  explicit TorchArchive(std::string const& path) : zip_(path) {
    std::string const pickle = "/data.pkl";
    std::size_t found = zip_.members().size();
    for (std::size_t i = 0; i < zip_.members().size(); ++i) {
      std::string const& name = zip_.members()[i].name;
      if (!name.ends_with(pickle) || name.find('/') != name.size() - pickle.size()) continue;
      if (found != zip_.members().size()) throw Error(path, "one data.pkl in the archive", "several");
      found = i;
    }
    if (found == zip_.members().size())
      throw Error(path, "a file of torch.save", "a zip archive without data.pkl");
    std::string const stem = zip_.members()[found].name.substr(0, zip_.members()[found].name.find('/') + 1);
    for (std::size_t i = 0; i < zip_.members().size(); ++i)
      if (std::string const& name = zip_.members()[i].name; name.starts_with(stem))
        members_.emplace(name.substr(stem.size()), i);

    std::uint64_t const bytes = zip_.members()[found].bytes;
    if (bytes > most_pickle_bytes)
      throw Error(path, "at most " + std::to_string(most_pickle_bytes) + " bytes of data.pkl",
                  std::to_string(bytes));
    if (auto const order = members_.find("byteorder"); order != members_.end())
      if (std::string const text = contents(order->second, 16); text != "little")
        throw Error(path, "little-endian numbers", printable(text));
    value_ = read_pickle(contents(found, bytes), path);
    for (PickleValue const& value : value_.values)
      if (auto const* const storage = value.as<PickleStorage>()) require_whole(path, *storage);
  }

  Pickle take_value() { return std::move(value_); }

  void read(std::string const& key, std::uint64_t offset, std::uint64_t bytes, void* to) override {
    zip_.read(members_.at("data/" + key), offset, bytes, to);
  }

 private:
  std::string contents(std::size_t index, std::uint64_t most) {
    std::string text((std::min)(zip_.members()[index].bytes, most), '\0');
    zip_.read(index, 0, text.size(), text.data());
    return text;
  }

  void require_whole(std::string const& path, PickleStorage const& storage) const {
    auto const found = members_.find("data/" + storage.key);
    std::string const shown = "the storage " + printable(storage.key);
    if (found == members_.end()) throw Error(path, shown, "none");
    std::uint64_t bytes = 0;
    bool const fits =
        !__builtin_mul_overflow(std::uint64_t(storage.count), dtype_bytes(storage.dtype), &bytes);
    if (!fits || bytes != zip_.members()[found->second].bytes)
      throw Error(path, std::to_string(storage.count) + " numbers of " + storage.dtype + " in " + shown,
                  std::to_string(zip_.members()[found->second].bytes) + " bytes");
  }

  ZipReader zip_;
  std::map<std::string, std::size_t, std::less<>> members_;  // by their names behind STEM/
  Pickle value_;
};

/// The stream: magic number, protocol version, facts about the system, the value, the keys of its storages,
/// and the storages in that order, each behind the count of its numbers.
class TorchStream final : public TorchStorages {
 public:
  explicit TorchStream(std::string const& path) : file_(path, "a file of torch.save") {
    std::string head((std::min)(file_.size(), most_pickle_bytes), '\0');
    file_.read(0, head.size(), head.data());
    std::size_t at = torch_stream_start.size();
    auto const next = [&] {
      Pickle pickle = read_pickle(std::string_view(head).substr(at), path);
      at += pickle.bytes;
      return pickle;
    };
    Pickle const version = next(), system = next();
    auto const* const number = version.root->as<std::int64_t>();
    if (number == nullptr || *number != 1001)
      throw Error(path, "version 1001 of the stream", number == nullptr ? "none" : std::to_string(*number));
    PickleValue const* const order = system.root->find("little_endian");
    if (order == nullptr || order->as<bool>() == nullptr || !*order->as<bool>())
      throw Error(path, "little-endian numbers", "others");
    value_ = next();
    Pickle const keys = next();
    locate(keys, at);
  }

  Pickle take_value() { return std::move(value_); }

  void read(std::string const& key, std::uint64_t offset, std::uint64_t bytes, void* to) override {
    file_.read(positions_.at(key) + offset, bytes, to);
  }

 private:
  void locate(Pickle const& keys, std::uint64_t at) {
    std::string const& path = file_.path();
    std::map<std::string, PickleStorage const*> known;
    for (PickleValue const& value : value_.values)
      if (auto const* const storage = value.as<PickleStorage>()) {
        auto const [first, fresh] = known.emplace(storage->key, storage);
        if (first->second->count != storage->count || first->second->dtype != storage->dtype)
          throw Error(path, "one size of the storage " + printable(storage->key), "several");
      }
    auto const* const list = keys.root->as<PickleList>();
    if (list == nullptr) throw Error(path, "a list of storages", keys.root->kind());
    for (PickleValue const* const item : list->items) {
      auto const* const key = item->as<std::string>();
      auto const found = key == nullptr ? known.end() : known.find(*key);
      if (found == known.end() || positions_.contains(*key))
        throw Error(path, "every storage of the value once", "another key");
      PickleStorage const& storage = *found->second;
      std::int64_t count = 0;
      file_.read(at, sizeof count, &count);
      at += sizeof count;
      if (count != storage.count)
        throw Error(path, std::to_string(storage.count) + " numbers in the storage " + printable(*key),
                    std::to_string(count));
      std::uint64_t bytes = 0;
      if (__builtin_mul_overflow(std::uint64_t(count), dtype_bytes(storage.dtype), &bytes) ||
          bytes > file_.size() - at)
        throw Error(
            path,
            std::to_string(count) + " numbers of " + storage.dtype + " in the storage " + printable(*key),
            "the end of the file; it is cut short");
      positions_.emplace(*key, at);
      at += bytes;
    }
    if (positions_.size() != known.size())
      throw Error(path, std::to_string(known.size()) + " storages", std::to_string(positions_.size()));
    if (at != file_.size()) throw Error(path, std::to_string(at) + " bytes", std::to_string(file_.size()));
  }

  InputFile file_;
  Pickle value_;
  std::map<std::string, std::uint64_t> positions_;
};

/// Whether a file begins with these bytes.
inline bool begins_with(InputFile const& file, std::string_view start) {
  std::string head(std::min<std::uint64_t>(file.size(), start.size()), '\0');
  file.read(0, head.size(), head.data());
  return head == start;
}

}  // namespace detail

/// A file of torch.save, open for reading by one thread. The constructor reads the pickle and checks that
/// every tensor lies within the file; numbers are read when they are asked for, straight to where they go.
/// entries() are all tensors of the value, those of nested dicts and lists with names like "state.0.exp_avg".
class TorchFile final : public TensorFile {
 public:
  /// Throws Error for a file that cannot be opened, is cut short, is not one of torch.save, or holds what
  /// only Python could run.
  explicit TorchFile(std::string const& path) : path_(path) {
    InputFile const file(path, "a file of torch.save");
    if (detail::begins_with(file, detail::zip_start)) {
      open<detail::TorchArchive>("zip");
    } else if (detail::begins_with(file, detail::torch_stream_start)) {
      open<detail::TorchStream>("stream");
    } else {
      throw Error(path_, "a file of torch.save", "another beginning");
    }
    std::uint64_t budget = detail::most_pickle_bytes;
    list_tensors(value(), "", budget);
    std::set<std::string_view> names;
    for (TensorEntry const& entry : entries_)
      if (!names.insert(entry.name).second)
        throw Error(path_, "every tensor once", detail::printable(entry.name) + " twice");
  }

  std::string const& path() const override { return path_; }
  std::vector<TensorEntry> const& entries() const override { return entries_; }
  KeyValues const& metadata() const override { return metadata_; }

  /// All that the file holds.
  PickleValue const& value() const { return *value_.root; }

  void read(std::size_t index, std::int64_t first, std::int64_t count, float* to) const override {
    TensorEntry const& entry = entries_.at(index);
    PickleTensor const& tensor = *tensors_[index];
    if (tensor.contiguous()) {
      std::uint64_t const start = std::uint64_t(tensor.offset) * detail::dtype_bytes(entry.dtype);
      detail::read_as_floats(path_, entry, first, count, to,
                             [&](std::uint64_t offset, std::uint64_t bytes, void* piece) {
                               if (bytes > 0)
                                 storages_->read(tensor.storage.key, start + offset, bytes, piece);
                             });
    } else {
      detail::require_piece(path_, entry, first, count);
      gather(tensor, first, count, to);
    }
  }

 private:
  template <class Storages>
  void open(char const* format) {
    auto storages = std::make_unique<Storages>(path_);
    value_ = storages->take_value();
    storages_ = std::move(storages);
    metadata_ = {{"torch.format", format}};
  }

  /// Values that share parts can make a small file list more than it holds, hence a budget of bytes.
  void list_tensors(PickleValue const& value, std::string const& name, std::uint64_t& budget) {
    if (budget < name.size() + 1)
      throw Error(path_, "at most " + std::to_string(detail::most_pickle_bytes) + " bytes of tensors' names",
                  "more");
    budget -= name.size() + 1;
    auto const below = [&](std::string const& key) { return name.empty() ? key : name + "." + key; };
    if (auto const* const tensor = value.as<PickleTensor>()) {
      entries_.push_back({name, tensor->storage.dtype, tensor->shape});
      tensors_.push_back(tensor);
    } else if (auto const* const dict = value.as<PickleDict>()) {
      for (auto const& [key, item] : dict->pairs) {
        auto const* const text = key->as<std::string>();
        auto const* const number = key->as<std::int64_t>();
        if (text != nullptr || number != nullptr)
          list_tensors(*item, below(text != nullptr ? *text : std::to_string(*number)), budget);
      }
    } else if (PickleItems const* const items = value.items()) {
      for (std::size_t i = 0; i < items->size(); ++i)
        list_tensors(*(*items)[i], below(std::to_string(i)), budget);
    }
  }

  /// Reads numbers that lie apart. The storage is kept until another one is needed.
  void gather(PickleTensor const& tensor, std::int64_t first, std::int64_t count, float* to) const {
    std::uint64_t const size = detail::dtype_bytes(tensor.storage.dtype);
    if (kept_key_ != tensor.storage.key || kept_.empty()) {
      kept_key_.clear();
      kept_.resize(std::size_t(tensor.storage.count) * size);
      storages_->read(tensor.storage.key, 0, kept_.size(), kept_.data());
      kept_key_ = tensor.storage.key;
    }
    for (std::int64_t i = 0; i < count; ++i) {
      std::int64_t rest = first + i, at = tensor.offset;
      for (std::size_t axis = tensor.shape.size(); axis-- > 0; rest /= tensor.shape[axis])
        at += rest % tensor.shape[axis] * tensor.strides[axis];
      detail::to_floats(tensor.storage.dtype, kept_.data() + std::uint64_t(at) * size, 1, to + i);
    }
  }

  std::string path_;
  std::unique_ptr<detail::TorchStorages> storages_;
  Pickle value_;
  std::vector<TensorEntry> entries_;
  std::vector<PickleTensor const*> tensors_;
  KeyValues metadata_;
  mutable std::string kept_key_;
  mutable std::vector<char> kept_;
};

}  // namespace glyphdiff
