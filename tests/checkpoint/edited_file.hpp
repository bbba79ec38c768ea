#pragma once

#include "files.hpp"

#include <glyphdiff/checkpoint/safetensors.hpp>

#include <cstring>
#include <string>
#include <vector>

namespace files {

/// A safetensors file in memory, to be changed and written with headers and checksums that fit: as a program
/// with a fault would have written it.
struct Edited {
  struct Tensor {
    std::string name, dtype;
    std::vector<std::int64_t> shape;
    std::vector<char> bytes;

    template <class T>
    void set(std::size_t position, T value) {
      std::memcpy(bytes.data() + position * sizeof value, &value, sizeof value);
    }
  };
  std::vector<Tensor> tensors;
  glyphdiff::KeyValues metadata;

  explicit Edited(std::string const& path) {
    glyphdiff::SafetensorsFile const file(path);
    metadata = file.metadata();
    for (auto const& entry : file.entries()) {
      tensors.push_back({entry.name, entry.dtype, entry.shape, std::vector<char>(entry.bytes)});
      file.read(entry, 0, entry.bytes, tensors.back().bytes.data());
    }
  }

  Tensor& operator[](std::string const& name) {
    for (Tensor& tensor : tensors)
      if (tensor.name == name) return tensor;
    throw glyphdiff::Error("no tensor " + name);
  }
  std::string& value(std::string const& key) {
    for (auto& [name, text] : metadata)
      if (name == key) return text;
    return metadata.emplace_back(key, "").second;
  }

  /// Without waiting for the disk, as write_safetensors would.
  void write(std::string const& path) const {
    namespace detail = glyphdiff::detail;
    std::vector<glyphdiff::TensorSource> sources;
    for (Tensor const& tensor : tensors) sources.push_back({tensor.name, tensor.dtype, tensor.shape, {}});
    std::vector<std::uint64_t> const sizes = detail::tensor_sizes(sources);
    std::vector<std::uint64_t> checksums;
    std::string data;
    for (std::size_t k = 0; k < tensors.size(); ++k) {
      std::string const bytes(tensors[k].bytes.data(), sizes[k]);
      data += bytes;
      checksums.push_back(glyphdiff::xxh64(bytes));
    }
    std::string const text = detail::header_text<nlohmann::json>(path, sources, metadata, checksums);
    std::uint64_t const length = text.size();
    files::write(path, std::string(reinterpret_cast<char const*>(&length), sizeof length) + text + data);
  }
};

}  // namespace files
