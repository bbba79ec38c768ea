#pragma once

#include <glyphdiff/checkpoint/binary_file.hpp>
#include <glyphdiff/checkpoint/dtype.hpp>
#include <glyphdiff/checkpoint/key_values.hpp>
#include <glyphdiff/checkpoint/tensor_file.hpp>
#include <glyphdiff/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The safetensors format (Hugging Face): eight bytes of header length, a JSON header, then the raw
/// little-endian data of all tensors without a gap. Reading it runs no code, and any language can.
namespace glyphdiff {

static_assert(std::endian::native == std::endian::little,
              "safetensors files are read and written as they lie in memory");

/// A tensor of a safetensors file, as its header states it.
struct SafetensorsEntry {
  std::string name;
  std::string dtype;                ///< "F32", "F64", "I64", or another of the format's types
  std::vector<std::int64_t> shape;  ///< empty for a scalar
  std::uint64_t offset = 0;         ///< bytes from the start of the data
  std::uint64_t bytes = 0;
};

/// What a safetensors file says about itself.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< in the order of their data
  KeyValues metadata;                     ///< in alphabetical order
};

using SafetensorsSource = TensorSource;

namespace detail {

template <class T>
inline constexpr char const* safetensors_dtype = nullptr;
template <>
inline constexpr char const* safetensors_dtype<float> = "F32";
template <>
inline constexpr char const* safetensors_dtype<double> = "F64";
template <>
inline constexpr char const* safetensors_dtype<std::int64_t> = "I64";

/// Bytes of a tensor, or false when they don't fit 64 bits.
inline bool tensor_bytes(std::string_view dtype, std::vector<std::int64_t> const& shape,
                         std::uint64_t& bytes) {
  bytes = dtype_bytes(dtype);
  bool fits = true;
  for (std::int64_t const extent : shape) {
    if (extent == 0) return bytes = 0, true;
    fits = fits && extent > 0 && !__builtin_mul_overflow(bytes, std::uint64_t(extent), &bytes);
  }
  return fits;
}

}  // namespace detail

/// A tensor to be written from host memory, which must stay as it is until then. T: float, double or
/// std::int64_t.
template <class T>
SafetensorsSource safetensors_source(std::string name, std::vector<std::int64_t> shape, T const* data) {
  return {std::move(name), detail::safetensors_dtype<T>, std::move(shape),
          [from = reinterpret_cast<char const*>(data)](std::uint64_t offset, std::uint64_t bytes, void* to) {
            std::memcpy(to, from + offset, bytes);
          }};
}

/// Writes a safetensors file, replacing `path` only when all of it is on disk; throws Error otherwise. Types
/// of eight bytes come first, so that all data is aligned.
inline void write_safetensors(std::string const& path, std::vector<SafetensorsSource> tensors,
                              KeyValues const& metadata) {
  std::stable_sort(tensors.begin(), tensors.end(), [](auto const& a, auto const& b) {
    return detail::dtype_bytes(a.dtype) > detail::dtype_bytes(b.dtype);
  });
  auto header = nlohmann::json::object();
  if (!metadata.empty()) {
    auto& strings = header["__metadata__"] = nlohmann::json::object();
    for (auto const& [key, value] : metadata)
      if (!strings.emplace(key, value).second)
        throw Error(path + " would hold the metadata " + key + " twice.");
  }
  std::vector<std::uint64_t> sizes;
  std::uint64_t total = 0;
  std::string text;
  for (auto const& tensor : tensors) {
    std::uint64_t bytes = 0;
    auto& entry = header[tensor.name];
    if (!entry.is_null() || tensor.name == "__metadata__")
      throw Error(path + " would hold the tensor " + tensor.name + " twice.");
    if (detail::dtype_bytes(tensor.dtype) == 0 || !detail::tensor_bytes(tensor.dtype, tensor.shape, bytes) ||
        __builtin_add_overflow(total, bytes, &total))
      throw Error("The tensor " + tensor.name + " has no type or shape that a safetensors file can hold.");
    sizes.push_back(bytes);
    entry = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {total - bytes, total}}};
  }
  try {
    text = header.dump();
  } catch (nlohmann::json::exception const&) {
    throw Error(path + " cannot be written: a name or a metadata value is not UTF-8.");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');

  replace_file(path, [&](int fd) {
    std::uint64_t const length = text.size();
    detail::write_all(fd, &length, sizeof length, path);
    detail::write_all(fd, text.data(), length, path);
    std::vector<char> chunk(std::min<std::uint64_t>(total, 4 << 20));
    for (std::size_t k = 0; k < tensors.size(); ++k)
      for (std::uint64_t offset = 0; offset < sizes[k]; offset += chunk.size()) {
        std::uint64_t const bytes = std::min<std::uint64_t>(chunk.size(), sizes[k] - offset);
        tensors[k].read(offset, bytes, chunk.data());
        detail::write_all(fd, chunk.data(), bytes, path);
      }
  });
}

namespace detail {

/// JSON as the format allows it: no name twice in an object, nothing deeper than a list in an object in the
/// header.
inline nlohmann::json parse_strictly(std::string_view text, std::string const& path) {
  Demand const require(path);
  // nlohmann::json keeps the last of two equal names, so they are watched for while it parses: per depth,
  // those of the object being read.
  std::vector<std::set<std::string>> names(4);
  auto const watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json const& value) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start)
      require(depth < 3, "a safetensors header", "JSON nested too deeply");
    if (event == Event::object_start) names[std::size_t(depth) + 1].clear();
    if (event == Event::key) {
      auto const& name = value.get_ref<std::string const&>();
      require(names[std::size_t(depth)].insert(name).second, "every name once in the header",
              printable(name) + " twice");
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text.begin(), text.end(), watch);
  } catch (nlohmann::json::exception const&) {
    throw Error(path, "a safetensors header", "bytes that are not JSON");
  }
}

/// Whether object[key] is a list of integers from 0 to 2^63 - 1.
inline bool has_sizes(nlohmann::json const& object, char const* key) {
  auto const list = object.find(key);
  return list != object.end() && list->is_array() &&
         std::all_of(list->begin(), list->end(), [](auto const& x) {
           return x.is_number_unsigned() && x.template get<std::uint64_t>() <=
                                                std::uint64_t((std::numeric_limits<std::int64_t>::max)());
         });
}

inline SafetensorsEntry parse_entry(std::string const& name, nlohmann::json const& value,
                                    std::string const& path) {
  Demand const require(path);
  std::string const shown = "the tensor " + printable(name);
  require(value.is_object() && value.contains("dtype") && value["dtype"].is_string() &&
              has_sizes(value, "shape") && has_sizes(value, "data_offsets") &&
              value["data_offsets"].size() == 2,
          "dtype, shape and data_offsets of " + shown, "something else");
  SafetensorsEntry entry;
  entry.name = name;
  value["dtype"].get_to(entry.dtype);
  value["shape"].get_to(entry.shape);
  value["data_offsets"][0].get_to(entry.offset);
  auto const end = value["data_offsets"][1].get<std::uint64_t>();
  require(dtype_bytes(entry.dtype) > 0, "a known type of " + shown, printable(entry.dtype));
  require(tensor_bytes(entry.dtype, entry.shape, entry.bytes), "a size of " + shown + " that fits 64 bits",
          "a larger one");
  require(end >= entry.offset && end - entry.offset == entry.bytes,
          std::to_string(entry.bytes) + " bytes of " + shown + " by its shape",
          "offsets " + std::to_string(entry.offset) + " to " + std::to_string(end));
  return entry;
}

}  // namespace detail

/// Reads and checks the JSON header of a safetensors file whose data has `data_bytes` bytes. Throws Error,
/// naming `path`, for anything the format does not allow: names given twice, unknown types, sizes that
/// overflow, data with gaps, overlaps, or of another length.
inline SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes,
                                                  std::string const& path) {
  detail::Demand const require(path);
  nlohmann::json const header = detail::parse_strictly(json, path);
  require(header.is_object(), "a safetensors header", "JSON that is not an object");

  SafetensorsHeader result;
  for (auto const& [name, value] : header.items()) {
    if (name != "__metadata__") {
      result.entries.push_back(detail::parse_entry(name, value, path));
      continue;
    }
    require(value.is_object(), "metadata of strings", "other JSON");
    for (auto const& [key, text] : value.items()) {
      require(text.is_string(), "metadata of strings", detail::printable(key) + " of another type");
      result.metadata.emplace_back(key, text.template get<std::string>());
    }
  }

  std::sort(result.entries.begin(), result.entries.end(), [](auto const& a, auto const& b) {
    return std::pair(a.offset, a.bytes) < std::pair(b.offset, b.bytes);
  });
  std::uint64_t end = 0;
  for (auto const& entry : result.entries) {
    require(
        entry.offset == end,
        "the tensor " + detail::printable(entry.name) + " at byte " + std::to_string(end) + " of the data",
        "byte " + std::to_string(entry.offset));
    end += entry.bytes;  // an offset of the file, so below 2^63
  }
  require(end == data_bytes, std::to_string(end) + " bytes of tensor data",
          std::to_string(data_bytes) + (data_bytes < end ? "; the file is cut short" : ""));
  return result;
}

/// A safetensors file open for reading. The constructor checks the whole header against the length of the
/// file; `read` then fetches tensors into memory of the caller.
class SafetensorsFile {
 public:
  /// Throws Error for a file that cannot be opened, is cut short or is not a safetensors file.
  explicit SafetensorsFile(std::string const& path) : file_(path, "a safetensors file") {
    std::uint64_t const size = file_.size();
    std::uint64_t length = 0;
    if (size < sizeof length)
      throw Error(path, "a safetensors file of at least 8 bytes", std::to_string(size) + " bytes");
    file_.read(0, sizeof length, &length);
    // The limit of the reference implementation; a file of another format gives a random length here.
    if (length > 100'000'000)
      throw Error(path, "a safetensors header", "a header length of " + std::to_string(length));
    if (length > size - sizeof length)
      throw Error(path, "at least " + std::to_string(sizeof length + length) + " bytes by its header length",
                  std::to_string(size) + " bytes; the file is cut short");
    std::string json(length, '\0');
    file_.read(sizeof length, length, json.data());
    data_start_ = sizeof length + length;
    header_ = parse_safetensors_header(json, size - data_start_, path);
  }

  std::string const& path() const { return file_.path(); }
  std::vector<SafetensorsEntry> const& entries() const { return header_.entries; }
  KeyValues const& metadata() const { return header_.metadata; }

  /// Reads a piece of a tensor, in bytes from its start, into `to`.
  void read(SafetensorsEntry const& entry, std::uint64_t offset, std::uint64_t bytes, void* to) const {
    if (offset > entry.bytes || bytes > entry.bytes - offset)
      throw Error(
          path(),
          "bytes up to " + std::to_string(entry.bytes) + " of the tensor " + detail::printable(entry.name),
          "a request beyond");
    file_.read(data_start_ + entry.offset + offset, bytes, to);
  }

  /// Reads a whole tensor, whose dtype must be T's.
  template <class T>
  void read(SafetensorsEntry const& entry, T* to) const {
    if (entry.dtype != detail::safetensors_dtype<T>)
      throw Error(
          path(),
          std::string(detail::safetensors_dtype<T>) + " in the tensor " + detail::printable(entry.name),
          entry.dtype);
    read(entry, 0, entry.bytes, to);
  }

 private:
  InputFile file_;
  std::uint64_t data_start_ = 0;
  SafetensorsHeader header_;
};

/// A safetensors file as any file of tensors.
class SafetensorsTensors final : public TensorFile {
 public:
  explicit SafetensorsTensors(std::string const& path) : file_(path) {
    for (auto const& entry : file_.entries()) entries_.push_back({entry.name, entry.dtype, entry.shape});
  }

  std::string const& path() const override { return file_.path(); }
  std::vector<TensorEntry> const& entries() const override { return entries_; }
  KeyValues const& metadata() const override { return file_.metadata(); }
  SafetensorsFile const& safetensors() const { return file_; }

  void read(std::size_t index, std::int64_t first, std::int64_t count, float* to) const override {
    detail::read_as_floats(path(), entries_.at(index), first, count, to,
                           [&](std::uint64_t offset, std::uint64_t bytes, void* piece) {
                             file_.read(file_.entries()[index], offset, bytes, piece);
                           });
  }

 private:
  SafetensorsFile file_;
  std::vector<TensorEntry> entries_;
};

}  // namespace glyphdiff
