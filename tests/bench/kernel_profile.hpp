#pragma once

#include <Kokkos_Core.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// Time per kernel label, gathered by the callbacks that Kokkos offers to tools. There is one profile at a
/// time, because the callbacks are plain functions.
class KernelProfile {
 public:
  KernelProfile() {
    current_ = this;
    namespace tools = Kokkos::Tools::Experimental;
    tools::set_begin_parallel_for_callback(begin);
    tools::set_begin_parallel_reduce_callback(begin);
    tools::set_begin_parallel_scan_callback(begin);
    tools::set_end_parallel_for_callback(end);
    tools::set_end_parallel_reduce_callback(end);
    tools::set_end_parallel_scan_callback(end);
  }
  ~KernelProfile() {
    namespace tools = Kokkos::Tools::Experimental;
    tools::set_begin_parallel_for_callback(nullptr);
    tools::set_begin_parallel_reduce_callback(nullptr);
    tools::set_begin_parallel_scan_callback(nullptr);
    tools::set_end_parallel_for_callback(nullptr);
    tools::set_end_parallel_reduce_callback(nullptr);
    tools::set_end_parallel_scan_callback(nullptr);
    current_ = nullptr;
  }
  KernelProfile(KernelProfile const&) = delete;
  KernelProfile& operator=(KernelProfile const&) = delete;

  /// The table, slowest kernel first; all times per step. `seconds` is the time of all steps together.
  void print(std::FILE* to, int steps, double seconds) const {
    std::vector<std::pair<std::string, Entry>> rows(entries_.begin(), entries_.end());
    std::sort(rows.begin(), rows.end(),
              [](auto const& a, auto const& b) { return a.second.seconds > b.second.seconds; });
    double rest = seconds;
    std::fprintf(to, "%12s %8s %10s  %s\n", "ms/step", "share", "launches", "kernel");
    for (auto const& [label, entry] : rows) {
      rest -= entry.seconds;
      row(to, entry.seconds / steps, entry.seconds / seconds, double(entry.launches) / steps, label.c_str());
    }
    row(to, rest / steps, rest / seconds, 0, "(outside kernels)");
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    double seconds = 0;
    std::int64_t launches = 0;
  };

  static void row(std::FILE* to, double seconds, double share, double launches, char const* label) {
    std::fprintf(to, "%12.3f %7.1f%% %10.0f  %s\n", 1e3 * seconds, 100 * share, launches, label);
  }

  static void begin(char const* label, std::uint32_t, std::uint64_t* kernel) {
    *kernel = 0;
    if (current_ == nullptr) return;
    Kokkos::fence();
    current_->running_ = &current_->entries_[label];
    current_->start_ = Clock::now();
  }

  static void end(std::uint64_t) {
    if (current_ == nullptr || current_->running_ == nullptr) return;
    Kokkos::fence();
    current_->running_->seconds += std::chrono::duration<double>(Clock::now() - current_->start_).count();
    ++current_->running_->launches;
    current_->running_ = nullptr;
  }

  static inline KernelProfile* current_ = nullptr;

  std::map<std::string, Entry> entries_;
  Entry* running_ = nullptr;
  Clock::time_point start_;
};

}  // namespace bench
