#pragma once

#include <glyphdiff/kernels/pack.hpp>
#include <glyphdiff/runtime.hpp>
#include <glyphdiff/tensor.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

/// What the benchmark programs share.
namespace bench {

using Exec = Kokkos::DefaultExecutionSpace;

/// Starts Kokkos with a number of threads, 0: its own choice.
class Session {
 public:
  explicit Session(int threads) {
    if (threads > 0)
      arguments_.push_back((KOKKOS_VERSION < 30700 ? "--kokkos-threads=" : "--kokkos-num-threads=") +
                           std::to_string(threads));
    for (std::string& argument : arguments_) pointers_.push_back(argument.data());
    count_ = int(pointers_.size());
    pointers_.push_back(nullptr);
    runtime_.emplace(count_, pointers_.data());
  }

 private:
  std::vector<std::string> arguments_{"bench"};
  std::vector<char*> pointers_;
  int count_;
  std::optional<glyphdiff::Runtime> runtime_;
};

/// Seconds that `work` takes, until the execution space has finished it.
template <class Work>
double seconds(Exec const& exec, Work const& work) {
  auto const start = std::chrono::steady_clock::now();
  work();
  exec.fence();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  auto const middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// A number in [-1, 1) that depends on (tensor, element) alone; torch_bench.py has the same function, so that
/// both programs work on the same numbers and must get the same losses.
inline float test_value(std::uint32_t tensor, std::uint32_t element) {
  std::uint32_t h = element ^ tensor * 0x9e3779b9u;
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return float(std::int32_t((h ^ h >> 16) >> 8)) * 0x1p-23f - 1.0f;
}

/// What the program was made with.
inline std::string build() {
#if defined(__clang__)
  std::string const compiler = __VERSION__;  // names itself
#else
  std::string const compiler = "GCC " __VERSION__;
#endif
  return compiler + ", Kokkos " + std::to_string(KOKKOS_VERSION / 10000) + "." +
         std::to_string(KOKKOS_VERSION / 100 % 100) + "." + std::to_string(KOKKOS_VERSION % 100) + " " +
         Exec::name() + ", vectors of " + std::to_string(glyphdiff::kernels::native_width) + " floats";
}

/// Bytes of physical memory of this process, as Linux counts them: "VmRSS" now, "VmHWM" the most so far. 0
/// elsewhere.
inline std::int64_t resident_bytes(std::string const& field) {
  std::ifstream status("/proc/self/status");
  for (std::string name; status >> name;)
    if (std::int64_t kilobytes; name == field + ":" && status >> kilobytes) return kilobytes * 1024;
  return 0;
}

/// Makes "VmHWM" start again from here.
inline void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5\n"; }

}  // namespace bench
