#pragma once

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

/// FNV-1a of 64 bits (Fowler, Noll and Vo) over the bytes of numbers and texts: -0 differs from 0,
/// and a NaN from another one.
class Digest {
 public:
  Digest& bytes(void const* data, std::size_t count) {
    auto const* const first = static_cast<unsigned char const*>(data);
    for (std::size_t i = 0; i < count; ++i) hash_ = (hash_ ^ first[i]) * 1099511628211u;
    return *this;
  }

  template <class Number>
  requires std::is_arithmetic_v<Number> Digest& operator<<(Number value) {
    return bytes(&value, sizeof value);
  }

  Digest& operator<<(std::string const& text) {
    *this << std::uint64_t(text.size());
    return bytes(text.data(), text.size());
  }

  template <class Value>
  Digest& operator<<(std::vector<Value> const& values) {
    *this << std::uint64_t(values.size());
    for (auto const& value : values) *this << value;
    return *this;
  }

  /// Of the host's memory; their extents are not part of it.
  template <class Value, class... Properties>
  Digest& operator<<(Kokkos::View<Value, Properties...> const& view) {
    return bytes(view.data(), view.size() * sizeof *view.data());
  }

  unsigned long long value() const { return hash_; }

 private:
  std::uint64_t hash_ = 14695981039346656037u;
};

/// Of several things one after the other.
template <class... Values>
Digest digest_of(Values const&... values) {
  Digest digest;
  (digest << ... << values);
  return digest;
}

/// One line: what it is a digest of, and the digest.
inline void print_digest(std::string const& name, Digest const& digest) {
  std::printf("%-52s %016llx\n", name.c_str(), digest.value());
}
