#pragma once

#include <glyphdiff/tensor.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

/// Numbers for tests, and their way to an execution space and back.
namespace glyphdiff::test {

/// Repeatable values, uniform in [-scale, scale).
inline std::vector<float> values(std::int64_t count, unsigned seed, float scale = 1.0f) {
  std::mt19937 bits(seed);
  std::vector<float> result(count);
  for (float& value : result) value = scale * (float(bits() >> 8) * 0x1p-23f - 1.0f);
  return result;
}

template <class T>
using HostSpan = Kokkos::View<T*, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryUnmanaged>;

template <class Exec, class T>
Kokkos::View<T*, Kokkos::LayoutRight, typename Exec::memory_space> to_space(std::vector<T> const& numbers) {
  Kokkos::View<T*, Kokkos::LayoutRight, typename Exec::memory_space> result("glyphdiff::test",
                                                                            numbers.size());
  Kokkos::deep_copy(result, HostSpan<T>(const_cast<T*>(numbers.data()), numbers.size()));
  return result;
}

/// Memory whose every value is NaN, so that what reads it before writing it shows.
template <class Exec>
Arena<Exec> unset(std::int64_t count) {
  return to_space<Exec>(std::vector<float>(count, std::numeric_limits<float>::quiet_NaN()));
}

template <class View>
std::vector<float> to_host(View const& view) {
  std::vector<float> result(view.size());
  Kokkos::View<float const*, Kokkos::LayoutRight, typename View::memory_space, Kokkos::MemoryUnmanaged> const
      flat(view.data(), view.size());
  Kokkos::deep_copy(HostSpan<float>(result.data(), result.size()), flat);
  return result;
}

/// The largest difference relative to the largest expected magnitude; infinite where a value is not a number.
template <class Expected>
double relative_error(std::vector<float> const& found, Expected const& expected) {
  if (found.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double difference = 0, largest = 1e-30;
  for (std::size_t i = 0; i < found.size(); ++i) {
    double const d = std::abs(found[i] - double(expected[i]));
    if (std::isnan(d)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, d);
    largest = std::max(largest, std::abs(double(expected[i])));
  }
  return difference / largest;
}

inline bool same_bits(std::vector<float> const& a, std::vector<float> const& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// Several results in one, for comparing bits.
inline std::vector<float> joined(std::initializer_list<std::vector<float>> parts) {
  std::vector<float> result;
  for (auto const& part : parts) result.insert(result.end(), part.begin(), part.end());
  return result;
}

}  // namespace glyphdiff::test
