#pragma once

#include <glyphdiff/error.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace glyphdiff {

/// Images or activations as a host program sees them: (N,H,W,C), channels innermost, in the space's memory.
template <class Exec>
using Images = Kokkos::View<float****, Kokkos::LayoutRight, typename Exec::memory_space>;

/// One row of numbers for each image, (N,K), in the space's memory: what a classifier says of K classes.
template <class Exec>
using Logits = Kokkos::View<float**, Kokkos::LayoutRight, typename Exec::memory_space>;

/// Images on the host, the mirror of Images<Exec>.
using HostImages = Kokkos::View<float****, Kokkos::LayoutRight, Kokkos::HostSpace>;

/// A flat run of floats in the space's memory: parameters, gradients, moments.
template <class Exec>
using Arena = Kokkos::View<float*, Kokkos::LayoutRight, typename Exec::memory_space>;

/// The same, to be read only.
template <class Exec>
using ConstArena = Kokkos::View<float const*, Kokkos::LayoutRight, typename Exec::memory_space>;

/// The same of bfloat16, two bytes each (bfloat16.hpp).
template <class Exec>
using Bfloat16Arena = Kokkos::View<std::uint16_t*, Kokkos::LayoutRight, typename Exec::memory_space>;

/// Which state of an arena one has seen: every writer raises the counter, and whoever keeps something made
/// from the values compares. Without a counter it is not known, and so never the same.
class ArenaVersion {
 public:
  ArenaVersion() = default;
  explicit ArenaVersion(std::shared_ptr<std::int64_t const> counter)
      : counter_(std::move(counter)), number_(counter_ ? *counter_ : 0) {}

  bool same(ArenaVersion const& other) const {
    return counter_ != nullptr && counter_ == other.counter_ && number_ == other.number_;
  }

 private:
  std::shared_ptr<std::int64_t const> counter_;
  std::int64_t number_ = 0;
};

/// An arena to be read, with the counter of its versions if it has one.
template <class Exec>
struct ConstParameters {
  ConstArena<Exec> values;
  std::shared_ptr<std::int64_t const> counter{};

  ConstParameters(ConstArena<Exec> arena, std::shared_ptr<std::int64_t const> versions = nullptr)
      : values(std::move(arena)), counter(std::move(versions)) {}
  ConstParameters(Arena<Exec> const& arena) : values(arena) {}
  ArenaVersion version() const { return ArenaVersion(counter); }
};

/// Values in the host's memory, as copy_values takes them beside Views.
template <class T>
class HostValues {
 public:
  using memory_space = Kokkos::HostSpace;
  using value_type = T;
  using non_const_value_type = std::remove_const_t<T>;

  HostValues(T* values, std::size_t count) : values_(values), count_(count) {}
  T* data() const { return values_; }
  std::size_t size() const { return count_; }

 private:
  T* values_;
  std::size_t count_;
};

/// Copies contiguous values from one View to another of as many, each in any memory. `exec`: an execution
/// space instance or a Runner. On a device the copy is only begun: fence before the host reads the values, or
/// changes or frees what they come from. Kokkos compiles its own copy anew for every pair of types, which
/// takes a while; this one is always of bytes.
template <class Exec, class To, class From>
void copy_values(Exec const& exec, To const& to, From const& from) {
  static_assert(std::is_same_v<typename To::non_const_value_type, typename From::non_const_value_type>);
  static_assert(std::is_trivially_copyable_v<typename To::value_type>);
  if (to.size() != from.size())
    throw Error("copy", std::to_string(to.size()) + " values", std::to_string(from.size()));
  if (to.size() == 0 || static_cast<void const*>(to.data()) == from.data()) return;
  using Kokkos::LayoutRight, Kokkos::MemoryUnmanaged;
  std::size_t const bytes = to.size() * sizeof(typename To::value_type);
  Kokkos::View<char*, LayoutRight, typename To::memory_space, MemoryUnmanaged> const destination(
      reinterpret_cast<char*>(to.data()), bytes);
  Kokkos::View<char const*, LayoutRight, typename From::memory_space, MemoryUnmanaged> const source(
      reinterpret_cast<char const*>(from.data()), bytes);
  if constexpr (requires { exec.space(); })
    Kokkos::deep_copy(exec.space(), destination, source);
  else
    Kokkos::deep_copy(exec, destination, source);
}

/// Run-time extent of a batch of images, as kernels take it.
struct Extent {
  int n, h, w;
  KOKKOS_FUNCTION std::int64_t pixels() const { return std::int64_t(n) * h * w; }
};

}  // namespace glyphdiff
