#pragma once

#include <glyphdiff/checkpoint/binary_file.hpp>
#include <glyphdiff/checkpoint/piece_set.hpp>
#include <glyphdiff/checkpoint/safetensors.hpp>
#include <glyphdiff/checkpoint/tensor_file.hpp>
#include <glyphdiff/checkpoint/torch_file.hpp>
#include <glyphdiff/error.hpp>

#include <memory>
#include <string>

namespace glyphdiff {

/// Opens a file of tensors: safetensors, the index of a set of them (by its name, .index.json), or either
/// kind of torch.save, these whatever their names. Throws Error for a file that is none of them or is
/// damaged.
inline std::unique_ptr<TensorFile> open_tensor_file(std::string const& path) {
  if (path.ends_with(".index.json")) return open_safetensors(path);
  std::string const expected = "a file of torch.save or safetensors";
  InputFile const file(path, expected);
  if (detail::begins_with(file, detail::zip_start) || detail::begins_with(file, detail::torch_stream_start))
    return std::make_unique<TorchFile>(path);
  char header_start = 0;  // safetensors begins with eight bytes of length and JSON
  if (file.size() > 8) file.read(8, 1, &header_start);
  if (header_start != '{') throw Error(path, expected, "another beginning");
  return std::make_unique<SafetensorsTensors>(path);
}

}  // namespace glyphdiff
