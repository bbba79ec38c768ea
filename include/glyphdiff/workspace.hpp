#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/tensor.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// Where every activation, gradient and scratch buffer of one pass over a network lies, found by going
/// through the pass once without computing anything. Buffers whose lifetimes don't overlap share memory.
class MemoryPlan {
 public:
  /// Bytes that one pass needs.
  std::int64_t bytes() const { return floats_ * std::int64_t(sizeof(float)); }
  /// The most bytes that are in use at one moment: no placement can need less.
  std::int64_t lower_bound_bytes() const { return live_peak_ * std::int64_t(sizeof(float)); }

 private:
  template <class Exec>
  friend class Workspace;

  struct Buffer {
    std::int64_t floats;  // a multiple of the alignment
    int first, last;      // moments between which it is in use
    std::int64_t offset;
  };

  static constexpr std::int64_t alignment = 16;  // floats: one cache line, one AVX-512 vector

  /// Largest first, each at the lowest place that is free during its whole life.
  void place() {
    std::vector<int> order(buffers_.size()), placed;
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = int(i);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return buffers_[a].floats > buffers_[b].floats; });
    floats_ = 0;
    for (int index : order) {
      Buffer& buffer = buffers_[index];
      std::int64_t offset = 0;
      for (int other_index : placed) {  // by offset
        Buffer const& other = buffers_[other_index];
        if (other.last < buffer.first || buffer.last < other.first) continue;
        if (offset + buffer.floats <= other.offset) break;
        offset = (std::max)(offset, other.offset + other.floats);
      }
      buffer.offset = offset;
      floats_ = (std::max)(floats_, offset + buffer.floats);
      placed.insert(std::upper_bound(placed.begin(), placed.end(), index,
                                     [&](int a, int b) { return buffers_[a].offset < buffers_[b].offset; }),
                    index);
    }
  }

  std::vector<Buffer> buffers_;
  std::int64_t floats_ = 0, live_peak_ = 0;
};

/// Hands out the buffers of a pass. While planning, positions are only recorded; afterwards the same sequence
/// of acquire() calls gets the planned positions, and nothing is allocated.
template <class Exec>
class Workspace {
 public:
  Workspace() = default;
  /// The memory goes along; a copy would share it.
  Workspace(Workspace&& other) noexcept { *this = std::move(other); }
  Workspace& operator=(Workspace&& other) noexcept {
    memory_ = std::exchange(other.memory_, Arena<Exec>());
    plan_ = other.plan_;
    next_ = other.next_;
    return *this;
  }

  bool planning() const { return planning_; }

  /// A buffer of this many floats, uninitialised.
  float* acquire(std::int64_t floats) {
    std::int64_t const rounded = (std::max<std::int64_t>(floats, 1) + MemoryPlan::alignment - 1) /
                                 MemoryPlan::alignment * MemoryPlan::alignment;
    if (planning_) {
      int const moment = ++moment_, index = int(plan_->buffers_.size());
      plan_->buffers_.push_back({rounded, moment, -1, 0});
      live_ += rounded;
      plan_->live_peak_ = (std::max)(plan_->live_peak_, live_);
      return token(index);
    }
    if (next_ >= plan_->buffers_.size() || plan_->buffers_[next_].floats != rounded)
      throw Error("internal error: a pass over the network departed from its memory plan");
    return memory_.data() + plan_->buffers_[next_++].offset;
  }

  /// The buffer's memory may be used for others from here on. Null is ignored.
  void release(float* buffer) {
    if (!planning_ || buffer == nullptr) return;
    MemoryPlan::Buffer& planned =
        plan_->buffers_[(reinterpret_cast<std::uintptr_t>(buffer) / sizeof(float)) - 1];
    if (planned.last >= 0) throw Error("internal error: a buffer of the network was released twice");
    planned.last = ++moment_;
    live_ -= planned.floats;
  }

  template <int C>
  Tensor<C> tensor(Extent extent) {
    Tensor<C> result{nullptr, extent};
    result.data = acquire(result.size());
    return result;
  }
  template <int C>
  void release(Tensor<C>& tensor) {
    release(tensor.data);
    tensor.data = nullptr;
  }

  /// Plans the pass that `pass()` makes with this workspace.
  template <class Pass>
  MemoryPlan plan(Pass&& pass) {
    MemoryPlan result;
    MemoryPlan* const followed = plan_;
    plan_ = &result;
    planning_ = true;
    moment_ = 0;
    live_ = 0;
    {
      struct Planning {
        Workspace& workspace;
        MemoryPlan* const followed;
        ~Planning() {
          workspace.planning_ = false;
          workspace.plan_ = followed;
        }
      } const until_done{*this, followed};
      pass();
    }
    for (auto& buffer : result.buffers_)
      if (buffer.last < 0) buffer.last = moment_ + 1;
    result.place();
    return result;
  }

  /// Starts a pass that follows `plan`, which must outlive it. Allocates only if no earlier plan was as
  /// large.
  void follow(MemoryPlan const& plan) {
    plan_ = const_cast<MemoryPlan*>(&plan);
    next_ = 0;
    if (std::int64_t(memory_.extent(0)) < plan.floats_) {
      memory_ = Arena<Exec>();  // gives its memory back first
      memory_ =
          Arena<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::workspace"), plan.floats_);
    }
  }

  std::int64_t bytes() const { return std::int64_t(memory_.extent(0) * sizeof(float)); }

 private:
  /// While planning, a buffer is known by its number, dressed as an address that nobody follows.
  static float* token(int index) {
    return reinterpret_cast<float*>((std::uintptr_t(index) + 1) * sizeof(float));
  }

  Arena<Exec> memory_;
  MemoryPlan* plan_ = nullptr;
  std::size_t next_ = 0;
  bool planning_ = false;
  int moment_ = 0;
  std::int64_t live_ = 0;
};

/// The plan that `plans` holds for `key`; `make()` makes it the first time. If that throws, none is held.
template <class Key, class Make>
MemoryPlan const& plan_once(std::map<Key, MemoryPlan>& plans, Key const& key, Make&& make) {
  auto const known = plans.find(key);
  return known != plans.end() ? known->second : plans.emplace(key, make()).first->second;
}

}  // namespace glyphdiff
