#pragma once

#include <glyphdiff/kernels/shapes.hpp>
#include <glyphdiff/tensor.hpp>

#include <cstdint>
#include <map>
#include <type_traits>
#include <utility>
#include <vector>

/// Weights as a backend's products and convolutions read them, made from the parameters once for each of
/// their versions.
namespace glyphdiff::kernels {

/// The packed weights of a backend's context. A pass says what it will read while it is planned, and packs
/// what is older than the parameters before its first operation.
template <class Value, class Exec>
class PackedWeights {
 public:
  struct Entry {
    std::int64_t offset;  ///< of the parameter
    WeightPacking packing;
    std::int64_t place;  ///< in the packed memory
  };

  /// The number of these weights, which are packed from the next refresh on; -1 if they are read as they are.
  int find(std::int64_t offset, WeightPacking const& packing) {
    if (std::is_same_v<Value, float> && packing.order == WeightOrder::plain) return -1;
    auto const [found, fresh] = numbers_.try_emplace({offset, packing.order}, int(entries_.size()));
    if (fresh) {
      entries_.push_back({offset, packing, size_});
      size_ += (packing.count() + alignment - 1) / alignment * alignment;
    }
    return found->second;
  }
  Value* address(int number) const { return memory_.data() + entries_[std::size_t(number)].place; }
  std::int64_t bytes() const { return size_ * std::int64_t(sizeof(Value)); }

  /// Calls pack(entry, address) for what is not of this version of the parameters. A version of no counter is
  /// another one every time.
  template <class Pack>
  void refresh(ArenaVersion const& version, Pack const& pack) {
    if (std::int64_t(memory_.extent(0)) < size_) {
      memory_ = Memory();  // gives its memory back first
      memory_ = Memory(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::packed_weights"), size_);
      packed_ = 0;
    }
    if (!version_.same(version)) packed_ = 0;
    for (; packed_ < entries_.size(); ++packed_) pack(entries_[packed_], address(int(packed_)));
    version_ = version;
  }

 private:
  using Memory = Kokkos::View<Value*, Kokkos::LayoutRight, typename Exec::memory_space>;
  static constexpr std::int64_t alignment = 256 / std::int64_t(sizeof(Value));

  std::map<std::pair<std::int64_t, WeightOrder>, int> numbers_;
  std::vector<Entry> entries_;
  std::int64_t size_ = 0;
  std::size_t packed_ = 0;  // entries that are of version_
  Memory memory_;
  ArenaVersion version_;
};

/// That of a backend whose operations pack for themselves.
struct UnpackedWeights {
  int find(std::int64_t, WeightPacking const&) const { return -1; }
  float* address(int) const { return nullptr; }
  std::int64_t bytes() const { return 0; }
  template <class Pack>
  void refresh(ArenaVersion const&, Pack const&) const {}
};

}  // namespace glyphdiff::kernels
