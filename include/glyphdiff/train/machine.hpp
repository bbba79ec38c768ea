#pragma once

#include <cstdint>
#include <cstdio>

namespace glyphdiff {

/// Bytes of main memory that a program can have without swapping; 0 where the system doesn't say.
inline std::int64_t available_memory() {
  std::int64_t bytes = 0;
  if (std::FILE* const file = std::fopen("/proc/meminfo", "r")) {
    char line[128];
    long long kilobytes = 0;
    while (std::fgets(line, sizeof line, file))
      if (std::sscanf(line, "MemAvailable: %lld kB", &kilobytes) == 1) bytes = 1024 * kilobytes;
    std::fclose(file);
  }
  return bytes;
}

}  // namespace glyphdiff
