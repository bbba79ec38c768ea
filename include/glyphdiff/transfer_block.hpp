#pragma once

#include <glyphdiff/tensor.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace glyphdiff {

/// Values of several types that go from the host to the space's memory, or back, in one copy: a block on
/// either side, laid out by add(). Both keep their memory, so that nothing is allocated but for a block
/// larger than any before. Neither copy waits: fence before the host writes what is being copied to the
/// device, and before it reads what is being copied from there.
template <class Exec>
class TransferBlock {
 public:
  /// Where values lie in both blocks.
  template <class T>
  struct Part {
    std::size_t begin = 0, count = 0;  ///< in bytes; in values

    Part from(std::size_t values) const { return {begin + values * sizeof(T), count - values}; }
  };

  TransferBlock() = default;
  /// The memory goes along; a copy would share it.
  TransferBlock(TransferBlock&& other) noexcept { *this = std::move(other); }
  TransferBlock& operator=(TransferBlock&& other) noexcept {
    host_ = std::exchange(other.host_, HostBytes());
    device_ = std::exchange(other.device_, Bytes());
    used_ = std::exchange(other.used_, 0);
    return *this;
  }

  /// Begins a new layout.
  void clear() { used_ = 0; }

  /// Room for so many values, uninitialised.
  template <class T>
  Part<T> add(std::size_t count) {
    constexpr std::size_t alignment = 64;
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= alignment);
    Part<T> const part{used_, count};
    used_ += (count * sizeof(T) + alignment - 1) / alignment * alignment;
    if (host_.extent(0) < used_) {
      HostBytes const larger(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::transfer::host"),
                             2 * used_);
      std::copy(host_.data(), host_.data() + part.begin, larger.data());
      host_ = larger;
    }
    return part;
  }

  /// The values on the host, until the next add().
  template <class T>
  std::span<T> host(Part<T> part) const {
    return {reinterpret_cast<T*>(host_.data() + part.begin), part.count};
  }
  /// Their address in the space's memory, after upload() or make_room().
  template <class T>
  T* device(Part<T> part) const {
    return reinterpret_cast<T*>(device_.data() + part.begin);
  }

  /// Room for the layout in the space's memory.
  void make_room() {
    if (device_.extent(0) < used_)
      device_ = Bytes(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::transfer::device"), used_);
  }
  /// Begins to copy the block to the space's memory. `on`: an execution space instance or a Runner.
  template <class On>
  void upload(On const& on) {
    make_room();
    copy_values(on, Piece(device_.data(), used_), HostValues(host_.data(), used_));
  }
  /// Begins to copy the block to the host.
  template <class On>
  void download(On const& on) {
    copy_values(on, HostValues(host_.data(), used_), Piece(device_.data(), used_));
  }

 private:
  using Bytes = Kokkos::View<char*, Kokkos::LayoutRight, typename Exec::memory_space>;
  using Piece =
      Kokkos::View<char*, Kokkos::LayoutRight, typename Exec::memory_space, Kokkos::MemoryUnmanaged>;
  using HostBytes = Kokkos::View<char*, Kokkos::LayoutRight, Kokkos::HostSpace>;

  HostBytes host_;
  Bytes device_;
  std::size_t used_ = 0;
};

}  // namespace glyphdiff
