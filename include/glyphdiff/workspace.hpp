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
/// through the pass once without computing anything. Buffers whose lifetimes don't overlap share memory. A
/// buffer is known by its number: the how manieth it was to be acquired.
class MemoryPlan {
 public:
  /// Bytes that one pass needs.
  std::int64_t bytes() const { return bytes_; }
  /// The most bytes that are in use at one moment: no placement can need less.
  std::int64_t lower_bound_bytes() const { return live_peak_; }

 private:
  friend class MemoryPlanner;
  template <class Exec>
  friend class Workspace;

  struct Buffer {
    std::int64_t bytes;  // a multiple of the alignment
    int first, last;     // moments between which it is in use
    std::int64_t offset;
  };

  static constexpr std::int64_t alignment = 256;  // bytes: what libraries for GPUs ask for

  /// Largest first, each at the lowest place that is free during its whole life.
  void place() {
    std::vector<int> order, placed;
    for (std::size_t i = 0; i < buffers_.size(); ++i)
      if (buffers_[i].bytes > 0) order.push_back(int(i));
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return buffers_[a].bytes > buffers_[b].bytes; });
    bytes_ = 0;
    for (int index : order) {
      Buffer& buffer = buffers_[index];
      std::int64_t offset = 0;
      for (int other_index : placed) {  // by offset
        Buffer const& other = buffers_[other_index];
        if (other.last < buffer.first || buffer.last < other.first) continue;
        if (offset + buffer.bytes <= other.offset) break;
        offset = (std::max)(offset, other.offset + other.bytes);
      }
      buffer.offset = offset;
      bytes_ = (std::max)(bytes_, offset + buffer.bytes);
      placed.insert(std::upper_bound(placed.begin(), placed.end(), index,
                                     [&](int a, int b) { return buffers_[a].offset < buffers_[b].offset; }),
                    index);
    }
  }

  std::vector<Buffer> buffers_;
  std::int64_t bytes_ = 0, live_peak_ = 0;
};

/// Numbers the buffers of a pass. While planning, it records how long each lives; afterwards the same
/// sequence of acquire() calls gets the same numbers. It knows no memory: that is the Workspace's.
class MemoryPlanner {
 public:
  bool planning() const { return planning_; }

  /// The number of a new buffer of this many bytes.
  int acquire(std::int64_t bytes) {
    std::int64_t const rounded =
        (bytes + MemoryPlan::alignment - 1) / MemoryPlan::alignment * MemoryPlan::alignment;
    if (planning_) {
      plan_->buffers_.push_back({rounded, ++moment_, -1, 0});
      live_ += rounded;
      plan_->live_peak_ = (std::max)(plan_->live_peak_, live_);
      return int(plan_->buffers_.size()) - 1;
    }
    if (next_ >= plan_->buffers_.size() || plan_->buffers_[next_].bytes != rounded)
      throw Error("internal error: a pass over the network departed from its memory plan");
    return int(next_++);
  }

  /// While planning: others may use the buffer's memory from here on.
  void release(int number) {
    MemoryPlan::Buffer& buffer = plan_->buffers_[number];
    buffer.last = ++moment_;
    live_ -= buffer.bytes;
  }

  /// While planning: Error if the buffer was released.
  void require_in_use(int number, char const* operation) const {
    if (plan_->buffers_[number].last >= 0)
      throw Error(std::string("internal error: ") + operation + " uses a buffer that was given back");
  }

  /// Plans what `pass()` does with this planner.
  template <class Pass>
  MemoryPlan plan(Pass&& pass) {
    MemoryPlan result;
    MemoryPlan const* const followed = plan_;
    plan_ = &result;
    planning_ = true;
    moment_ = 0;
    live_ = 0;
    {
      struct Planning {
        MemoryPlanner& planner;
        MemoryPlan* const followed;
        ~Planning() {
          planner.planning_ = false;
          planner.plan_ = followed;
        }
      } const until_done{*this, const_cast<MemoryPlan*>(followed)};
      pass();
    }
    for (auto& buffer : result.buffers_)
      if (buffer.last < 0) buffer.last = moment_ + 1;
    result.place();
    return result;
  }

 protected:
  MemoryPlan* plan_ = nullptr;  // changed while planning only
  std::size_t next_ = 0;

 private:
  bool planning_ = false;
  int moment_ = 0;
  std::int64_t live_ = 0;
};

/// The memory of a pass's buffers. Once it follows a plan nothing is allocated.
template <class Exec>
class Workspace : public MemoryPlanner {
 public:
  Workspace() = default;
  /// The memory goes along; a copy would share it.
  Workspace(Workspace&& other) noexcept { *this = std::move(other); }
  Workspace& operator=(Workspace&& other) noexcept {
    memory_ = std::exchange(other.memory_, Memory());
    plan_ = other.plan_;
    next_ = other.next_;
    return *this;
  }

  /// Where the buffer of this number lies, in the space's memory. Not while planning.
  char* address(int number) const { return memory_.data() + plan_->buffers_[number].offset; }

  /// Starts a pass that follows `plan`, which must outlive it. Allocates only if no earlier plan was as
  /// large.
  void follow(MemoryPlan const& plan) {
    plan_ = const_cast<MemoryPlan*>(&plan);
    next_ = 0;
    if (std::int64_t(memory_.extent(0)) < plan.bytes_) {
      memory_ = Memory();  // gives its memory back first
      memory_ = Memory(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::workspace"), plan.bytes_);
    }
  }

  std::int64_t bytes() const { return std::int64_t(memory_.extent(0)); }

 private:
  using Memory = Kokkos::View<char*, Kokkos::LayoutRight, typename Exec::memory_space>;

  Memory memory_;
};

/// The plan that `plans` holds for `key`; `make()` makes it the first time. If that throws, none is held.
template <class Key, class Make>
MemoryPlan const& plan_once(std::map<Key, MemoryPlan>& plans, Key const& key, Make&& make) {
  auto const known = plans.find(key);
  return known != plans.end() ? known->second : plans.emplace(key, make()).first->second;
}

}  // namespace glyphdiff
