#pragma once

#include <glyphdiff/ascii.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/replace_file.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace glyphdiff {

/// All bytes of a file. Throws Error if it cannot be read.
inline std::vector<std::uint8_t> read_file(std::filesystem::path const& path) {
  std::error_code error;
  auto const kind = std::filesystem::status(path, error).type();
  if (kind == std::filesystem::file_type::not_found) throw Error(path.string(), "a file", "nothing");
  if (kind == std::filesystem::file_type::directory) throw Error(path.string(), "a file", "a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path.string(), "a file that may be read", "one that cannot be opened");
  std::vector<std::uint8_t> bytes;
  auto const size = std::filesystem::file_size(path, error);
  if (error) throw Error(path.string(), "an ordinary file", "something else");
  bytes.resize(size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (static_cast<std::uintmax_t>(file.gcount()) != size)
    throw Error(path.string(), std::to_string(size) + " bytes", std::to_string(file.gcount()));
  return bytes;
}

/// The paths of what is in a folder, in no order. Throws Error if it cannot be read.
inline std::vector<std::filesystem::path> list_folder(std::filesystem::path const& folder) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    paths.push_back(entry->path());
  if (error) throw Error(folder.string(), "a folder that can be read", error.message());
  return paths;
}

/// ".png" for LETTERS.PNG.
inline std::string lower_extension(std::filesystem::path const& path) {
  return ascii_lower(path.extension().string());
}

/// Writes a file as `replace_file` does: after an Error (folder missing or closed to writing, disk full)
/// `path` is what it was before.
inline void write_file(std::filesystem::path const& path, void const* data, std::size_t size,
                       Flush flush = Flush::now) {
  replace_file(
      path, [&](int fd) { detail::write_all(fd, data, size, path.string()); }, flush);
}

}  // namespace glyphdiff
