#pragma once

#include <glyphdiff/byte.hpp>
#include <glyphdiff/checkpoint/binary_file.hpp>
#include <glyphdiff/checkpoint/zip_archive.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/tensor.hpp>

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

/// Samples as NumPy reads them, and as the reference's evaluation expects them.
namespace glyphdiff {
namespace detail {

/// The start of an .npy file (version 1.0) of an array in C order: `type` is NumPy's, such as "<i8". Its
/// length is a multiple of 64, so that what follows is aligned.
inline std::string npy_header(std::string const& type, std::vector<std::int64_t> const& shape) {
  std::string text = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (";
  for (std::int64_t extent : shape) text += std::to_string(extent) + ",";
  text += "), }";
  std::size_t const before = 10;  // magic, version, length
  text.append(63 - (before + text.size()) % 64, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += char(text.size() & 0xff);
  header += char(text.size() >> 8);
  return header + text;
}

inline std::string npy(std::string const& type, std::vector<std::int64_t> const& shape, void const* data,
                       std::size_t bytes) {
  return npy_header(type, shape).append(static_cast<char const*>(data), bytes);
}

}  // namespace detail

/// Writes images (N,H,W,C) in [-1, 1] as the array arr_0 of bytes (N,H,W,C), and behind them, if there are
/// any, N class labels as arr_1 of 64-bit integers, replacing `path` only when all of it is on disk. Throws
/// Error if it can't be written, and for another number of labels.
inline void write_npz(std::string const& path, HostImages const& images,
                      std::span<std::int64_t const> labels = {}) {
  static_assert(std::endian::native == std::endian::little, "write_npz writes numbers as they lie in memory");
  std::int64_t const count = images.extent(0);
  if (!labels.empty() && std::int64_t(labels.size()) != count)
    throw Error(path, std::to_string(count) + " labels", std::to_string(labels.size()));
  std::vector<std::uint8_t> bytes(images.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = to_byte(images.data()[i]);

  std::vector<std::int64_t> const shape{count, std::int64_t(images.extent(1)), std::int64_t(images.extent(2)),
                                        std::int64_t(images.extent(3))};
  std::vector<std::string> arrays{detail::npy("|u1", shape, bytes.data(), bytes.size())};
  if (!labels.empty()) arrays.push_back(detail::npy("<i8", {count}, labels.data(), labels.size_bytes()));
  std::vector<ZipSource> members;
  for (std::string const& array : arrays)
    members.push_back({"arr_" + std::to_string(members.size()) + ".npy", array.size(),
                       [&array](std::uint64_t offset, std::uint64_t size, void* to) {
                         std::memcpy(to, array.data() + offset, size);
                       }});
  replace_file(path, [&](int fd) { write_zip(fd, path, members); });
}

}  // namespace glyphdiff
