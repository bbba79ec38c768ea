#pragma once

#include <Kokkos_Core.hpp>

#include <cstdint>

namespace glyphdiff::test {

/// Counts what Kokkos allocates while it exists; one at a time.
class Allocations {
 public:
  Allocations() {
    now() = {};
    Kokkos::Tools::Experimental::set_allocate_data_callback(
        [](Kokkos::Tools::SpaceHandle, char const*, void const*, std::uint64_t bytes) {
          ++now().count;
          now().live += std::int64_t(bytes);
          if (now().live > now().peak) now().peak = now().live;
        });
    Kokkos::Tools::Experimental::set_deallocate_data_callback(
        [](Kokkos::Tools::SpaceHandle, char const*, void const*, std::uint64_t bytes) {
          now().live -= std::int64_t(bytes);
        });
  }
  ~Allocations() {
    Kokkos::Tools::Experimental::set_allocate_data_callback(nullptr);
    Kokkos::Tools::Experimental::set_deallocate_data_callback(nullptr);
  }
  Allocations(Allocations const&) = delete;

  int count() const { return now().count; }
  std::int64_t live() const { return now().live; }  ///< bytes
  std::int64_t peak() const { return now().peak; }  ///< bytes

 private:
  struct Numbers {
    int count = 0;
    std::int64_t live = 0, peak = 0;
  };
  static Numbers& now() {
    static Numbers numbers;
    return numbers;
  }
};

}  // namespace glyphdiff::test
