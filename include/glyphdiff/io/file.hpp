#pragma once

#include <glyphdiff/error.hpp>

#include <cctype>
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

/// ".png" for LETTERS.PNG.
inline std::string lower_extension(std::filesystem::path const& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

/// Writes a file under a temporary name beside it and renames it, so that `path` is never half-written: after
/// an Error (folder missing or closed to writing, disk full) it is what it was before.
inline void write_file(std::filesystem::path const& path, void const* data, std::size_t size) {
  std::filesystem::path temporary = path;
  temporary += ".part";
  std::ofstream file(temporary, std::ios::binary);
  file.write(static_cast<char const*>(data), static_cast<std::streamsize>(size));
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(temporary, path, error);
  if (!file || error) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw Error(path.string(), "to write " + std::to_string(size) + " bytes",
                "that its folder is missing or closed to writing, or the disk is full");
  }
}

}  // namespace glyphdiff
