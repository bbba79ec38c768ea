#pragma once

#include <glyphdiff/bfloat16.hpp>
#include <glyphdiff/checkpoint/dtype.hpp>
#include <glyphdiff/fence.hpp>
#include <glyphdiff/tensor.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// Memory as checkpoints see it: flat runs of floats, and where parameters lie in them.
namespace glyphdiff {

/// One parameter's place in the flat arenas.
struct ParameterBlock {
  std::string name;                 ///< PyTorch's, without a prefix
  std::vector<std::int64_t> shape;  ///< PyTorch's
  std::int64_t offset = 0;          ///< values from the start of the arena
  std::int64_t count = 0;           ///< values; the product of the shape
};

/// A flat run of floats that a checkpoint reads and writes piece by piece: host memory, or an arena of any
/// space, which is then copied through a small buffer and never as a whole. Numbers written to an arena of
/// bfloat16 are rounded to the nearest. The memory must outlive the object; a View keeps itself.
class FloatStore {
 public:
  /// Copies `count` floats from position `first`.
  std::function<void(std::int64_t first, std::int64_t count, float* to)> read;
  std::function<void(std::int64_t first, std::int64_t count, float const* from)> write;
  char const* dtype = "F32";  ///< of its tensors in a checkpoint: F32 or BF16

  FloatStore() = default;

  FloatStore(float* host)
      : read([host](std::int64_t first, std::int64_t count, float* to) {
          std::copy_n(host + first, count, to);
        }),
        write([host](std::int64_t first, std::int64_t count, float const* from) {
          std::copy_n(from, count, host + first);
        }) {}

  /// An Arena<Exec>. Copies wait for work on the device that was launched before.
  template <class Space>
  FloatStore(Kokkos::View<float*, Kokkos::LayoutRight, Space> const& arena)
      : read([arena](std::int64_t first, std::int64_t count, float* to) {
          copy_now<Space>(HostValues(to, count), Piece<float, Space>(arena.data() + first, count));
        }),
        write([arena](std::int64_t first, std::int64_t count, float const* from) {
          copy_now<Space>(Piece<float, Space>(arena.data() + first, count), HostValues(from, count));
        }) {}

  /// A Bfloat16Arena<Exec>.
  template <class Space>
  FloatStore(Kokkos::View<std::uint16_t*, Kokkos::LayoutRight, Space> const& arena)
      : read([arena](std::int64_t first, std::int64_t count, float* to) {
          std::vector<std::uint16_t> values(static_cast<std::size_t>(count));
          copy_now<Space>(HostValues(values.data(), count),
                          Piece<std::uint16_t, Space>(arena.data() + first, count));
          std::transform(values.begin(), values.end(), to, bfloat16_to_float);
        }),
        write([arena](std::int64_t first, std::int64_t count, float const* from) {
          std::vector<std::uint16_t> values(static_cast<std::size_t>(count));
          std::transform(from, from + count, values.begin(), float_to_bfloat16);
          copy_now<Space>(Piece<std::uint16_t, Space>(arena.data() + first, count),
                          HostValues(values.data(), count));
        }),
        dtype("BF16") {}

 private:
  template <class T, class Space>
  using Piece = Kokkos::View<T*, Kokkos::LayoutRight, Space, Kokkos::MemoryUnmanaged>;

  /// After all work of a device, and before any other.
  template <class Space, class To, class From>
  static void copy_now(To const& to, From const& from) {
    fence_all("parameters before they are copied");
    typename Space::execution_space const exec;
    copy_values(exec, to, from);
    fence(exec, "parameters before they are used");
  }
};

/// A store whose position `first` is position 0 of `store`: the part of an arena that one of several
/// processes keeps.
inline FloatStore shifted(FloatStore const& store, std::int64_t first) {
  FloatStore result = store;
  result.read = [read = store.read, first](std::int64_t at, std::int64_t count, float* to) {
    read(at - first, count, to);
  };
  result.write = [write = store.write, first](std::int64_t at, std::int64_t count, float const* from) {
    write(at - first, count, from);
  };
  return result;
}

namespace detail {

/// Bytes from `offset` on of a tensor that begins at value `start` of a store, as its type has them.
inline void read_stored(FloatStore const& store, std::int64_t start, std::uint64_t offset,
                        std::uint64_t bytes, void* to) {
  std::uint64_t const width = dtype_bytes(store.dtype);
  std::int64_t const first = start + std::int64_t(offset / width), count = std::int64_t(bytes / width);
  if (width == sizeof(float)) return store.read(first, count, static_cast<float*>(to));
  std::vector<float> values(static_cast<std::size_t>(count));
  store.read(first, count, values.data());
  std::transform(values.begin(), values.end(), static_cast<std::uint16_t*>(to), float_to_bfloat16);
}

}  // namespace detail

}  // namespace glyphdiff
