#pragma once

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

  void write(std::string const& path) const {
    std::vector<glyphdiff::TensorSource> sources;
    for (Tensor const& tensor : tensors)
      sources.push_back({tensor.name, tensor.dtype, tensor.shape,
                         [&tensor](std::uint64_t offset, std::uint64_t count, void* to) {
                           std::memcpy(to, tensor.bytes.data() + offset, count);
                         }});
    glyphdiff::write_safetensors(path, sources, metadata);
  }
};

}  // namespace files
