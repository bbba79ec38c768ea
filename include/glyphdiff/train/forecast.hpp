#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
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
  char text[48];
  if (seconds < 90)
    std::snprintf(text, sizeof text, "%.0f seconds", std::max(1.0, seconds));
  else if (seconds < 5400)
    std::snprintf(text, sizeof text, "%.0f minutes", seconds / 60);
  else if (seconds < 48 * 3600)
    std::snprintf(text, sizeof text, "%.1f hours", seconds / 3600);
  else
    std::snprintf(text, sizeof text, "%.1f days", seconds / 86400);
  return text;
}

/// "42 MB", "1.3 GB".
inline std::string bytes_text(double bytes) {
  char text[32];
  if (bytes < 1e9)
    std::snprintf(text, sizeof text, "%.0f MB", std::max(1.0, bytes / 1e6));
  else
    std::snprintf(text, sizeof text, "%.1f GB", bytes / 1e9);
  return text;
}

}  // namespace glyphdiff
