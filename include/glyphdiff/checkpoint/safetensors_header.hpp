#pragma once

#include <glyphdiff/checkpoint/binary_file.hpp>
#include <glyphdiff/checkpoint/checksum.hpp>
#include <glyphdiff/checkpoint/dtype.hpp>
#include <glyphdiff/checkpoint/json.hpp>
#include <glyphdiff/checkpoint/key_values.hpp>
#include <glyphdiff/error.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The header of a safetensors file: what is in it, and where.
namespace glyphdiff {

/// A tensor of a safetensors file, as its header states it.
struct SafetensorsEntry {
  std::string name;
  std::string dtype;                ///< "F32", "F64", "I64", or another of the format's types
  std::vector<std::int64_t> shape;  ///< empty for a scalar
  std::uint64_t offset = 0;         ///< bytes from the start of the data
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> checksum{};  ///< XXH64 of the data, if the file states it
};

/// What a safetensors file says about itself.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< in the order of their data
  KeyValues metadata;                     ///< in alphabetical order, without the checksums
};

namespace detail {

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

/// JSON as the format allows it: no name twice in an object, nothing deeper than a list in an object in the
/// header.
template <class Json>
Json parse_strictly(std::string_view text, std::string const& path, std::string const& kind) {
  Demand const require(path);
  // nlohmann's keeps the last of two equal names, so they are watched for while it parses: per depth,
  // those of the object being read.
  std::vector<std::set<std::string>> names(4);
  auto const watch = [&](int depth, typename Json::parse_event_t event, Json const& value) {
    using Event = typename Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start)
      require(depth < 3, kind, "JSON nested too deeply");
    if (event == Event::object_start) names[std::size_t(depth) + 1].clear();
    if (event == Event::key) {
      auto const& name = value.template get_ref<std::string const&>();
      require(names[std::size_t(depth)].insert(name).second, "every name once in the header",
              printable(name) + " twice");
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), watch);
  } catch (typename Json::exception const&) {
    throw Error(path, kind, "bytes that are not JSON");
  }
}

/// Whether object[key] is a list of integers from 0 to 2^63 - 1.
template <class Json>
bool has_sizes(Json const& object, char const* key) {
  auto const list = object.find(key);
  return list != object.end() && list->is_array() &&
         std::all_of(list->begin(), list->end(), [](auto const& x) {
           return x.is_number_unsigned() && x.template get<std::uint64_t>() <=
                                                std::uint64_t((std::numeric_limits<std::int64_t>::max)());
         });
}

template <class Json>
SafetensorsEntry parse_entry(std::string const& name, Json const& value, std::string const& path) {
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
  auto const end = value["data_offsets"][1].template get<std::uint64_t>();
  require(dtype_bytes(entry.dtype) > 0, "a known type of " + shown, printable(entry.dtype));
  require(tensor_bytes(entry.dtype, entry.shape, entry.bytes), "a size of " + shown + " that fits 64 bits",
          "a larger one");
  require(end >= entry.offset && end - entry.offset == entry.bytes,
          std::to_string(entry.bytes) + " bytes of " + shown + " by its shape",
          "offsets " + std::to_string(entry.offset) + " to " + std::to_string(end));
  return entry;
}

/// The metadata of a tensor's checksum is this and its name; that of the header's own is the other.
inline constexpr std::string_view checksum_prefix = "xxh64.", header_checksum = "glyphdiff.xxh64";

/// XXH64 of a header in which the digits of its own checksum, from byte `digits` on, are zeros.
inline std::uint64_t checksum_of_header(std::string_view json, std::size_t digits) {
  Xxh64 hash;
  hash.add(json.data(), digits);
  hash.add("0000000000000000", 16);
  hash.add(json.data() + digits + 16, json.size() - digits - 16);
  return hash.value();
}

/// Where the digits of the header's own checksum begin, or npos. Quotes inside of strings are escaped, so
/// nothing else looks like it.
inline std::size_t header_checksum_digits(std::string_view json) {
  std::string const begin = "\"" + std::string(header_checksum) + "\":\"";
  std::size_t const at = json.find(begin);
  return at == json.npos || json.size() - at < begin.size() + 17 ? json.npos : at + begin.size();
}

/// Moves the checksums out of the metadata, the tensors' to their entries, and compares the header's.
inline void take_checksums(std::string_view json, SafetensorsHeader& header, std::string const& path) {
  Demand const require(path);
  std::map<std::string_view, SafetensorsEntry*> by_name;
  for (auto& entry : header.entries) by_name.emplace(entry.name, &entry);
  KeyValues others;
  for (auto& [key, text] : header.metadata) {
    auto const found =
        key.starts_with(checksum_prefix) ? by_name.find(std::string_view(key).substr(6)) : by_name.end();
    if (found != by_name.end()) {
      found->second->checksum = parse_checksum(text);
      require(found->second->checksum.has_value(), "16 hexadecimal digits as " + printable(key),
              printable(text));
    } else if (key == header_checksum) {
      std::size_t const digits = header_checksum_digits(json);
      bool const same = digits != json.npos && text == checksum_text(checksum_of_header(json, digits));
      require(same, "the header as it was written, by its checksum", "a changed one");
    } else {
      others.emplace_back(std::move(key), std::move(text));
    }
  }
  header.metadata = std::move(others);
}

template <class Json>
SafetensorsHeader parse_header(std::string_view json, std::uint64_t data_bytes, std::string const& path) {
  Demand const require(path);
  Json const header = parse_strictly<Json>(json, path, "a safetensors header");
  require(header.is_object(), "a safetensors header", "JSON that is not an object");

  SafetensorsHeader result;
  for (auto const& [name, value] : header.items()) {
    if (name != "__metadata__") {
      result.entries.push_back(parse_entry<Json>(name, value, path));
      continue;
    }
    require(value.is_object(), "metadata of strings", "other JSON");
    for (auto const& [key, text] : value.items()) {
      require(text.is_string(), "metadata of strings", printable(key) + " of another type");
      result.metadata.emplace_back(key, text.template get<std::string>());
    }
  }

  std::sort(result.entries.begin(), result.entries.end(), [](auto const& a, auto const& b) {
    return std::pair(a.offset, a.bytes) < std::pair(b.offset, b.bytes);
  });
  std::uint64_t end = 0;
  for (auto const& entry : result.entries) {
    require(entry.offset == end,
            "the tensor " + printable(entry.name) + " at byte " + std::to_string(end) + " of the data",
            "byte " + std::to_string(entry.offset));
    end += entry.bytes;  // an offset of the file, so below 2^63
  }
  require(end == data_bytes, std::to_string(end) + " bytes of tensor data",
          std::to_string(data_bytes) + (data_bytes < end ? "; the file is cut short" : ""));
  take_checksums(json, result, path);
  return result;
}

#define GLYPHDIFF_SAFETENSORS_HEADER_JSON(MAKE, Json) MAKE(parse_header<Json>)
GLYPHDIFF_DECLARE_JSON(GLYPHDIFF_SAFETENSORS_HEADER_JSON)

}  // namespace detail

/// Reads and checks the JSON header of a safetensors file whose data has `data_bytes` bytes. Throws Error,
/// naming `path`, for anything the format does not allow: names given twice, unknown types, sizes that
/// overflow, data with gaps, overlaps, or of another length, and for one that is not what its checksum says.
inline SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes,
                                                  std::string const& path) {
  return detail::parse_header<nlohmann::json>(json, data_bytes, path);
}

}  // namespace glyphdiff
