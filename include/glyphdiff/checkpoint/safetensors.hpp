#pragma once

#include <glyphdiff/checkpoint/binary_file.hpp>
#include <glyphdiff/checkpoint/dtype.hpp>
#include <glyphdiff/checkpoint/key_values.hpp>
#include <glyphdiff/checkpoint/safetensors_header.hpp>
#include <glyphdiff/checkpoint/tensor_file.hpp>
#include <glyphdiff/error.hpp>

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

/// The safetensors format (Hugging Face): eight bytes of header length, a JSON header, then the raw
/// little-endian data of all tensors without a gap. Reading it runs no code, and any language can.
namespace glyphdiff {

static_assert(std::endian::native == std::endian::little,
              "safetensors files are read and written as they lie in memory");

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

namespace detail {

/// Bytes of each tensor. Throws Error where a file can't hold them.
inline std::vector<std::uint64_t> tensor_sizes(std::vector<SafetensorsSource> const& tensors) {
  std::vector<std::uint64_t> sizes;
  std::uint64_t total = 0, bytes = 0;
  for (auto const& tensor : tensors) {
    if (dtype_bytes(tensor.dtype) == 0 || !tensor_bytes(tensor.dtype, tensor.shape, bytes) ||
        __builtin_add_overflow(total, bytes, &total))
      throw Error("The tensor " + tensor.name + " has no type or shape that a safetensors file can hold.");
    sizes.push_back(bytes);
  }
  return sizes;
}

/// The header of a file of these tensors, in this order, as text of whole words: with XXH64 of the data of
/// each and of itself.
template <class Json>
std::string header_text(std::string const& path, std::vector<SafetensorsSource> const& tensors,
                        KeyValues const& metadata, std::vector<std::uint64_t> const& checksums) {
  std::vector<std::uint64_t> const sizes = tensor_sizes(tensors);
  auto header = Json::object();
  auto& strings = header["__metadata__"] = Json::object();
  auto const add = [&](std::string const& key, std::string const& value) {
    if (!strings.emplace(key, value).second)
      throw Error(path + " would hold the metadata " + key + " twice.");
  };
  for (auto const& [key, value] : metadata) add(key, value);
  add(std::string(header_checksum), checksum_text(0));
  std::uint64_t end = 0;
  for (std::size_t k = 0; k < tensors.size(); ++k) {
    auto const& tensor = tensors[k];
    auto& entry = header[tensor.name];
    if (!entry.is_null() || tensor.name == "__metadata__")
      throw Error(path + " would hold the tensor " + tensor.name + " twice.");
    std::uint64_t const begin = end;
    end += sizes[k];
    entry = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    add(std::string(checksum_prefix) + tensor.name, checksum_text(checksums[k]));
  }
  std::string text;
  try {
    text = header.dump();
  } catch (typename Json::exception const&) {
    throw Error(path + " cannot be written: a name or a metadata value is not UTF-8.");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::size_t const digits = header_checksum_digits(text);
  return text.replace(digits, 16, checksum_text(checksum_of_header(text, digits)));
}

#define GLYPHDIFF_SAFETENSORS_JSON(MAKE, Json) MAKE(header_text<Json>)
GLYPHDIFF_DECLARE_JSON(GLYPHDIFF_SAFETENSORS_JSON)

}  // namespace detail

/// Writes a safetensors file, replacing `path` only when all of it is on disk; throws Error otherwise. Types
/// of eight bytes come first, so that all data is aligned. The metadata gets a checksum of every tensor
/// ("xxh64.<name>") and one of the header ("glyphdiff.xxh64").
inline void write_safetensors(std::string const& path, std::vector<SafetensorsSource> tensors,
                              KeyValues const& metadata) {
  std::stable_sort(tensors.begin(), tensors.end(), [](auto const& a, auto const& b) {
    return detail::dtype_bytes(a.dtype) > detail::dtype_bytes(b.dtype);
  });
  auto const header = [&](std::vector<std::uint64_t> const& checksums) {
    return detail::header_text<nlohmann::json>(path, tensors, metadata, checksums);
  };
  std::vector<std::uint64_t> const sizes = detail::tensor_sizes(tensors);
  std::vector<std::uint64_t> checksums(tensors.size());
  std::string const draft = header(checksums);

  replace_file(path, [&](int fd) {
    std::uint64_t const length = draft.size();
    detail::write_all(fd, &length, sizeof length, path);
    detail::write_all(fd, draft.data(), length, path);
    std::vector<char> chunk(1 << 20);  // stays in the cache until it is summed and written
    for (std::size_t k = 0; k < tensors.size(); ++k) {
      Xxh64 hash;
      for (std::uint64_t offset = 0; offset < sizes[k]; offset += chunk.size()) {
        std::uint64_t const bytes = std::min<std::uint64_t>(chunk.size(), sizes[k] - offset);
        tensors[k].read(offset, bytes, chunk.data());
        hash.add(chunk.data(), bytes);
        detail::write_all(fd, chunk.data(), bytes, path);
      }
      checksums[k] = hash.value();
    }
    // The data is known now, and the header as long as its draft.
    std::string const text = header(checksums);
    if (::lseek(fd, sizeof length, SEEK_SET) < 0) detail::fail_with_errno(path + " cannot be written");
    detail::write_all(fd, text.data(), text.size(), path);
  });
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

  /// Reads a whole tensor, calling look(offset, bytes, data) for each piece. Throws Error, naming the tensor,
  /// unless the data is what was written, by its checksum; data without one is read alone.
  template <class Look>
  void require_intact(SafetensorsEntry const& entry, Look const& look) const {
    Xxh64 hash;
    std::vector<char> chunk(std::min<std::uint64_t>(entry.bytes, 1 << 20));
    for (std::uint64_t offset = 0; offset < entry.bytes; offset += chunk.size()) {
      std::uint64_t const bytes = std::min<std::uint64_t>(chunk.size(), entry.bytes - offset);
      read(entry, offset, bytes, chunk.data());
      if (entry.checksum) hash.add(chunk.data(), bytes);
      look(offset, bytes, chunk.data());
    }
    if (entry.checksum && *entry.checksum != hash.value())
      throw Error(path(),
                  "the tensor " + detail::printable(entry.name) + " as it was written, with the checksum " +
                      checksum_text(*entry.checksum),
                  "damaged data, with " + checksum_text(hash.value()));
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

  /// A tensor is compared with its checksum where its first value is asked for.
  void require_intact(std::size_t index, std::int64_t first, std::int64_t count) const override {
    TensorEntry const& entry = entries_.at(index);
    if (first > 0 || !file_.entries()[index].checksum) return TensorFile::require_intact(index, first, count);
    detail::require_piece(path(), entry, first, count);
    std::int64_t const width = std::int64_t(detail::dtype_bytes(entry.dtype));
    std::vector<float> values;
    bool finite = true;
    file_.require_intact(file_.entries()[index], [&](std::uint64_t offset, std::uint64_t bytes,
                                                     void const* data) {
      std::int64_t const now = (std::min)(std::int64_t(bytes), count * width - std::int64_t(offset)) / width;
      if (now <= 0) return;
      values.resize(std::size_t(now));
      detail::to_floats(entry.dtype, data, now, values.data());
      finite = finite && detail::all_finite(values.data(), now);
    });
    if (!finite) detail::throw_not_finite(path(), entry.name);  // as it was written
  }

  int verify(std::size_t index) const override {
    SafetensorsEntry const& entry = file_.entries().at(index);
    if (!entry.checksum) return 0;
    file_.require_intact(entry, [](std::uint64_t, std::uint64_t, void const*) {});
    return 1;
  }

  std::vector<double> read_doubles(std::size_t index) const override {
    SafetensorsEntry const& entry = file_.entries().at(index);
    std::vector<double> values(entry.bytes / sizeof(double));
    if (entry.dtype != "F64") return TensorFile::read_doubles(index);
    file_.require_intact(entry, [&](std::uint64_t offset, std::uint64_t bytes, void const* data) {
      std::memcpy(reinterpret_cast<char*>(values.data()) + offset, data, bytes);
    });
    return values;
  }

 private:
  SafetensorsFile file_;
  std::vector<TensorEntry> entries_;
};

}  // namespace glyphdiff
