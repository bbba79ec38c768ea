#pragma once

#include <glyphdiff/checkpoint/binary_file.hpp>
#include <glyphdiff/checkpoint/dtype.hpp>
#include <glyphdiff/checkpoint/pickle_writer.hpp>
#include <glyphdiff/checkpoint/tensor_file.hpp>
#include <glyphdiff/checkpoint/zip_archive.hpp>
#include <glyphdiff/error.hpp>

#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Files that torch.load opens, with weights_only too.
namespace glyphdiff {

/// Writes an archive of a pickle and of the storages it names "0", "1", ..., whose numbers are F32, replacing
/// `path` only when all of it is on disk; throws Error otherwise.
inline void write_torch_archive(std::string const& path, std::string const& pickle,
                                std::vector<TensorSource> const& storages) {
  auto const text = [](std::string name, std::string_view contents) {
    return ZipSource{std::move(name), contents.size(),
                     [contents](std::uint64_t offset, std::uint64_t bytes, void* to) {
                       std::memcpy(to, contents.data() + offset, bytes);
                     }};
  };
  // The name that torch.save gives to what it can't name after a file.
  std::string const stem = "archive/";
  std::vector<ZipSource> members{text(stem + "data.pkl", pickle), text(stem + "byteorder", "little")};
  for (std::size_t i = 0; i < storages.size(); ++i) {
    TensorEntry const entry{storages[i].name, storages[i].dtype, storages[i].shape};
    if (entry.dtype != "F32") throw Error(path, "F32 in the tensor " + entry.name, entry.dtype);
    members.push_back(
        {stem + "data/" + std::to_string(i), std::uint64_t(entry.count()) * sizeof(float), storages[i].read});
  }
  members.push_back(text(stem + "version", "3\n"));
  replace_file(path, [&](int fd) { write_zip(fd, path, members); });
}

/// Writes an OrderedDict of F32 tensors, a model file, replacing `path` only when all of it is on disk;
/// throws Error otherwise.
inline void write_torch_file(std::string const& path, std::vector<TensorSource> const& tensors) {
  PickleWriter writer;
  std::set<std::string_view> names;
  writer.begin_ordered_dict();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!names.insert(tensors[i].name).second)
      throw Error(path + " would hold the tensor " + tensors[i].name + " twice.");
    writer.text(tensors[i].name).tensor(std::to_string(i), tensors[i].shape);
  }
  write_torch_archive(path, writer.end_ordered_dict().finish(), tensors);
}

}  // namespace glyphdiff
