#pragma once

#include <glyphdiff/tensor.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace glyphdiff {
namespace detail {

/// Told when a copy between the host and a space begins, and when it has been begun, if not null. For tests.
inline void (*transfer_hook)(bool begins) = nullptr;

/// Every copy between the host's memory and the space's within a step is one of these.
template <class On, class To, class From>
void transfer(On const& on, To const& to, From const& from) {
  if (transfer_hook != nullptr) transfer_hook(true);
  copy_values(on, to, from);
  if (transfer_hook != nullptr) transfer_hook(false);
}

/// The host's memory that a device copies from and to by itself, while the host goes on: pinned. (From other
/// memory copies pass through some of the driver's own, and the host waits.)
template <class Memory>
struct PinnedFor {
  using type = Kokkos::HostSpace;
};
#if defined(KOKKOS_HAS_SHARED_HOST_PINNED_SPACE)  // from Kokkos 4 on
template <class Memory>
requires(!std::is_same_v<Memory, Kokkos::HostSpace>) struct PinnedFor<Memory> {
  using type = Kokkos::SharedHostPinnedSpace;
};
#elif defined(KOKKOS_ENABLE_CUDA)
template <class Memory>
requires(!std::is_same_v<Memory, Kokkos::HostSpace>) struct PinnedFor<Memory> {
  using type = Kokkos::CudaHostPinnedSpace;
};
#elif defined(KOKKOS_ENABLE_HIP)
template <class Memory>
requires(!std::is_same_v<Memory, Kokkos::HostSpace>) struct PinnedFor<Memory> {
  using type = Kokkos::Experimental::HIPHostPinnedSpace;
};
#endif

}  // namespace detail

/// Where the host keeps what goes to the memory of Exec and what comes from there: pinned memory if that is a
/// device's, its ordinary memory if Exec uses that itself.
template <class Exec>
using TransferHostSpace = typename detail::PinnedFor<typename Exec::memory_space>::type;

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
  /// How far the layout reaches.
  std::size_t bytes() const { return used_; }

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
  void make_room() { make_room(used_); }
  /// Room for so many bytes.
  void make_room(std::size_t bytes) {
    if (device_.extent(0) < bytes)
      device_ = Bytes(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::transfer::device"), bytes);
  }
  /// Begins to copy the block to the space's memory. `on`: an execution space instance or a Runner.
  template <class On>
  void upload(On const& on) {
    make_room();
    upload(on, 0, used_);
  }
  /// Begins to copy what the layout has from byte `begin` to `end` to where the space's memory begins, in
  /// which there must be room.
  template <class On>
  void upload(On const& on, std::size_t begin, std::size_t end) {
    detail::transfer(on, Piece(device_.data(), end - begin), HostPiece(host_.data() + begin, end - begin));
  }
  /// Begins to copy the block to the host.
  template <class On>
  void download(On const& on) {
    detail::transfer(on, HostPiece(host_.data(), used_), Piece(device_.data(), used_));
  }

 private:
  using Bytes = Kokkos::View<char*, Kokkos::LayoutRight, typename Exec::memory_space>;
  using Piece =
      Kokkos::View<char*, Kokkos::LayoutRight, typename Exec::memory_space, Kokkos::MemoryUnmanaged>;
  using HostBytes = Kokkos::View<char*, Kokkos::LayoutRight, TransferHostSpace<Exec>>;
  using HostPiece =
      Kokkos::View<char*, Kokkos::LayoutRight, TransferHostSpace<Exec>, Kokkos::MemoryUnmanaged>;

  HostBytes host_;
  Bytes device_;
  std::size_t used_ = 0;
};

/// Takes arrays of the host's own to the space's memory. Where that is a device's they pass through pinned
/// memory, so that the host goes on meanwhile.
template <class Exec, bool pinned = !std::is_same_v<typename Exec::memory_space, Kokkos::HostSpace>>
class HostUploads {
 public:
  /// Makes room for so many values in all. What was begun before must have been done.
  void begin(std::size_t values) {
    used_ = 0;
    if (pinned && memory_.extent(0) < values)
      memory_ =
          Memory(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::transfer::pinned"), values);
  }
  /// Begins to copy as many values as `to` has from the host. They must stay there until that is done. `on`:
  /// an execution space instance or a Runner.
  template <class On, class To>
  void upload(On const& on, To const& to, float const* from) {
    std::size_t const count = to.size();
    if constexpr (pinned) {
      Piece const staged(memory_.data() + used_, count);
      used_ += count;
      std::copy(from, from + count, staged.data());
      detail::transfer(on, to, staged);
    } else {
      detail::transfer(on, to, HostValues(from, count));
    }
  }

 private:
  using Memory = Kokkos::View<float*, Kokkos::LayoutRight, TransferHostSpace<Exec>>;
  using Piece = Kokkos::View<float*, Kokkos::LayoutRight, TransferHostSpace<Exec>, Kokkos::MemoryUnmanaged>;

  Memory memory_;
  std::size_t used_ = 0;
};

/// What the operations of many steps read, written before the first of them. The values of one step at a time
/// are in the space's memory, those of all steps in the same place: steps that add the same values one after
/// the other launch the same, argument by argument. The host's values stay as they are, so no step waits for
/// the copies of those before it.
template <class Exec>
class StepBlock {
 public:
  /// Where values lie, the same in the host's values of any step and in the space's memory.
  template <class T>
  using Part = typename TransferBlock<Exec>::template Part<T>;

  /// Forgets all steps.
  void clear() {
    block_.clear();
    begins_.clear();
    largest_ = 0;
  }
  /// Begins the values of another step.
  void next() { begins_.push_back(block_.bytes()); }
  /// Room for so many values of the latest step, uninitialised.
  template <class T>
  Part<T> add(std::size_t count) {
    Part<T> const part = block_.template add<T>(count);
    largest_ = (std::max)(largest_, block_.bytes() - begins_.back());
    return {part.begin - begins_.back(), count};
  }
  /// One value of the latest step.
  template <class T>
  Part<T> add_value(T const& value) {
    Part<T> const part = add<T>(1);
    host(part)[0] = value;
    return part;
  }

  /// The values of the latest step on the host, until the next add().
  template <class T>
  std::span<T> host(Part<T> part) const {
    return block_.host(Part<T>{begins_.back() + part.begin, part.count});
  }
  /// Begins to copy the values of a step, counted from 0, to the space's memory. No step may be added from
  /// here on. `on`: an execution space instance or a Runner.
  template <class On>
  void upload(On const& on, std::size_t step) {
    block_.make_room(largest_);
    block_.upload(on, begins_[step], step + 1 < begins_.size() ? begins_[step + 1] : block_.bytes());
  }
  /// The address of the uploaded step's.
  template <class T>
  T* device(Part<T> part) const {
    return block_.device(part);
  }

 private:
  TransferBlock<Exec> block_;
  std::vector<std::size_t> begins_;  // of each step, in bytes
  std::size_t largest_ = 0;
};

}  // namespace glyphdiff
