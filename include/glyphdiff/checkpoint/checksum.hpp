#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

/// Checksums of tensors in files.
namespace glyphdiff {

/// XXH64 with seed 0 of bytes that arrive in pieces (the algorithm of xxhash.com, documented in
/// doc/xxhash_spec.md of its repository; Python's package xxhash gives the same numbers). Portable code runs
/// it at the speed of memory; CRC-32C is as fast only where the processor has an instruction for it, and
/// zlib's crc32 takes several times as long. Sixty lines of a fixed algorithm are less to keep than a
/// library.
class Xxh64 {
 public:
  void add(void const* data, std::size_t bytes) {
    auto from = static_cast<char const*>(data);
    total_ += bytes;
    if (held_ > 0) {
      std::size_t const more = (std::min)(bytes, sizeof rest_ - held_);
      std::memcpy(rest_ + held_, from, more);
      held_ += more;
      from += more;
      bytes -= more;
      if (held_ < sizeof rest_) return;
      take(rest_, 1);
      held_ = 0;
    }
    take(from, bytes / sizeof rest_);
    held_ = bytes % sizeof rest_;
    std::memcpy(rest_, from + (bytes - held_), held_);
  }

  /// Of everything added so far.
  std::uint64_t value() const {
    std::uint64_t hash = p5;
    if (total_ >= sizeof rest_) {
      hash = std::rotl(lanes_[0], 1) + std::rotl(lanes_[1], 7) + std::rotl(lanes_[2], 12) +
             std::rotl(lanes_[3], 18);
      for (std::uint64_t const lane : lanes_) hash = (hash ^ mixed(0, lane)) * p1 + p4;
    }
    hash += total_;
    std::size_t at = 0;
    for (; at + 8 <= held_; at += 8)
      hash = std::rotl(hash ^ mixed(0, word<std::uint64_t>(rest_ + at)), 27) * p1 + p4;
    for (; at + 4 <= held_; at += 4)
      hash = std::rotl(hash ^ word<std::uint32_t>(rest_ + at) * p1, 23) * p2 + p3;
    for (; at < held_; ++at) hash = std::rotl(hash ^ static_cast<unsigned char>(rest_[at]) * p5, 11) * p1;
    hash = (hash ^ hash >> 33) * p2;
    hash = (hash ^ hash >> 29) * p3;
    return hash ^ hash >> 32;
  }

 private:
  static constexpr std::uint64_t p1 = 0x9E3779B185EBCA87u, p2 = 0xC2B2AE3D27D4EB4Fu, p3 = 0x165667B19E3779F9u,
                                 p4 = 0x85EBCA77C2B2AE63u, p5 = 0x27D4EB2F165667C5u;

  template <class T>
  static std::uint64_t word(char const* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  static std::uint64_t mixed(std::uint64_t lane, std::uint64_t input) {
    return std::rotl(lane + input * p2, 31) * p1;
  }
  /// Stripes of 32 bytes, one word for each lane.
  void take(char const* from, std::size_t stripes) {
    std::uint64_t a = lanes_[0], b = lanes_[1], c = lanes_[2], d = lanes_[3];
    for (std::size_t k = 0; k < stripes; ++k, from += sizeof rest_) {
      a = mixed(a, word<std::uint64_t>(from));
      b = mixed(b, word<std::uint64_t>(from + 8));
      c = mixed(c, word<std::uint64_t>(from + 16));
      d = mixed(d, word<std::uint64_t>(from + 24));
    }
    lanes_[0] = a, lanes_[1] = b, lanes_[2] = c, lanes_[3] = d;
  }

  std::uint64_t lanes_[4] = {p1 + p2, p2, 0, 0 - p1};
  std::uint64_t total_ = 0;
  char rest_[32] = {};
  std::size_t held_ = 0;
};

inline std::uint64_t xxh64(std::string_view bytes) {
  Xxh64 hash;
  hash.add(bytes.data(), bytes.size());
  return hash.value();
}

/// 16 hexadecimal digits, as Python's xxhash prints them.
inline std::string checksum_text(std::uint64_t value) {
  std::string text(16, '0');
  for (int k = 15; k >= 0; --k, value >>= 4) text[std::size_t(k)] = "0123456789abcdef"[value & 15];
  return text;
}

/// The number that checksum_text wrote.
inline std::optional<std::uint64_t> parse_checksum(std::string_view text) {
  std::uint64_t value = 0;
  for (char const c : text) {
    std::size_t const digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value << 4 | digit;
  }
  return text.size() == 16 ? std::optional(value) : std::nullopt;
}

}  // namespace glyphdiff
