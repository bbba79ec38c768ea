#pragma once

#include <glyphdiff/kernels/backend.hpp>
#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/pack.hpp>
#include <glyphdiff/tensor.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

/// What a machine can do at most, measured: what the profile of a network is compared with.
namespace glyphdiff {

struct Peak {
  double bytes = 0;       ///< per second, that pass between the cores and a memory too large for their caches
  double arithmetic = 0;  ///< additions and multiplications of floats per second, in registers
};

namespace kernels {

/// Fused multiply-adds on independent registers in every worker, `rounds` times 12 packs.
template <class Backend, class Exec>
void multiply_add(Exec const& exec, std::int64_t workers, int rounds, float* result) {
  for_each(
      "glyphdiff::peak::multiply_add", exec, workers, KOKKOS_LAMBDA(std::int64_t worker) {
        constexpr int chains = 12;  // the latency of an FMA times the number that begin in a cycle, and more
        Pack<Backend::width> sums[chains];
        for (int c = 0; c < chains; ++c) sums[c] = Pack<Backend::width>::broadcast(float(c));
        auto const a = Pack<Backend::width>::broadcast(1.0f - 1e-6f * float(worker % 16)),
                   b = Pack<Backend::width>::broadcast(1e-6f);
        for (int round = 0; round < rounds; ++round)
          for (int c = 0; c < chains; ++c) sums[c] = sums[c] * a + b;
        auto total = sums[0];
        for (int c = 1; c < chains; ++c) total += sums[c];
        float lanes[Backend::width];
        total.store(lanes);
        float sum = 0;
        for (int lane = 0; lane < Backend::width; ++lane) sum += lanes[lane];
        result[worker] = sum;
      });
}

/// y = a y + b.
template <class Backend, class Exec>
void stream(Exec const& exec, std::int64_t count, float* y) {
  std::int64_t const tile = Backend::one_element_per_item ? 1 : 4096;
  for_each(
      "glyphdiff::peak::stream", exec, (count + tile - 1) / tile, KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const end = (item + 1) * tile < count ? (item + 1) * tile : count;
        for (std::int64_t i = item * tile; i < end; ++i) y[i] = 0.5f * y[i] + 1.0f;
      });
}

}  // namespace kernels

/// Takes about a second and 256 MB.
template <class Exec, class Backend = kernels::DefaultBackend<Exec>>
Peak measure_peak(Exec const& exec) {
  auto const fastest = [&](auto const& work) {
    double best = 0;
    for (int i = 0; i < 5; ++i) {
      auto const begin = std::chrono::steady_clock::now();
      work();
      fence(exec, "an operation that is timed");
      double const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      if (i == 1 || seconds < best) best = seconds;  // the first one touches the memory
    }
    return best;
  };
  std::int64_t const count = std::int64_t(1) << 26;
  Arena<Exec> const memory("glyphdiff::peak", count);
  std::int64_t const workers = Backend::one_element_per_item
                                   ? (std::min)(64 * std::int64_t(exec.concurrency()), count)
                                   : exec.concurrency();
  int const rounds = Backend::one_element_per_item ? 2000 : 400'000;
  Peak peak;
  peak.bytes = 8.0 * double(count) / fastest([&] { kernels::stream<Backend>(exec, count, memory.data()); });
  peak.arithmetic = 2.0 * 12 * Backend::width * double(rounds) * double(workers) /
                    fastest([&] { kernels::multiply_add<Backend>(exec, workers, rounds, memory.data()); });
  return peak;
}

}  // namespace glyphdiff
