#pragma once

#include <glyphdiff/number_text.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>

/// How long a run will take on this machine, said before it begins.
namespace glyphdiff {

/// Seconds that `work()` takes: the median of as many calls as fit in `budget` seconds, after a first one
/// that finds its memory. Work that takes longer than the budget is called once and timed so. `now` returns
/// seconds.
template <class Work, class Now>
double seconds_of(Work const& work, double budget, Now const& now) {
  double const begin = now();
  work();
  double const first = now() - begin;
  if (first >= budget) return first;
  static constexpr int most = 15;
  double times[most];
  int count = 0;
  do {
    double const before = now();
    work();
    times[count++] = now() - before;
  } while (count < most && now() - begin < budget);
  std::nth_element(times, times + count / 2, times + count);
  return times[count / 2];
}

template <class Work>
double seconds_of(Work const& work, double budget = 1) {
  return seconds_of(work, budget, [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  });
}

/// The updates that fit into `seconds`, of which `besides` go to other things: 1 or more.
inline std::int64_t updates_within(double seconds, double each, double besides) {
  double const updates = (seconds - besides) / each;
  return std::int64_t(std::clamp(std::floor(updates), 1.0, 1e9));
}

/// "40 seconds", "12 minutes", "3.5 hours", "2.0 days".
inline std::string duration_text(double seconds) {
  if (seconds < 90) return fixed_text((std::max)(1.0, seconds), 0) + " seconds";
  if (seconds < 5400) return fixed_text(seconds / 60, 0) + " minutes";
  if (seconds < 48 * 3600) return fixed_text(seconds / 3600, 1) + " hours";
  return fixed_text(seconds / 86400, 1) + " days";
}

/// "42 MB", "1.3 GB".
inline std::string bytes_text(double bytes) {
  return bytes < 1e9 ? fixed_text((std::max)(1.0, bytes / 1e6), 0) + " MB"
                     : fixed_text(bytes / 1e9, 1) + " GB";
}

}  // namespace glyphdiff
