#pragma once

#include <cstddef>

namespace glyphdiff::test {

/// Counts what operator new takes of the host while it exists, 4 KB or more at a time; one at a time.
/// steady_memory.cpp replaces the operator.
class LargeHostAllocations {
 public:
  static constexpr std::size_t large = 4096;  ///< bytes

  LargeHostAllocations() {
    count_ = 0;
    watching_ = true;
  }
  ~LargeHostAllocations() { watching_ = false; }
  LargeHostAllocations(LargeHostAllocations const&) = delete;

  int count() const { return count_; }

  static void note(std::size_t bytes) {
    if (watching_ && bytes >= large) ++count_;
  }

 private:
  static inline bool watching_ = false;
  static inline int count_ = 0;
};

}  // namespace glyphdiff::test
