#pragma once

#include <glyphdiff/kernels/pack.hpp>

#include <cstddef>
#include <cstring>
#include <utility>

/// Vectors of W floats, workers and register blocks: what the kernels of this folder share. Everything here
/// runs on the host's cores; one source serves AVX-512 (W = 16), AVX2 (W = 8), SSE and NEON (W = 4).
namespace glyphdiff::kernels::host {

template <int W>
struct LanesOf;
template <>
struct LanesOf<16> {
  typedef float type __attribute__((vector_size(64)));
};
template <>
struct LanesOf<8> {
  typedef float type __attribute__((vector_size(32)));
};
template <>
struct LanesOf<4> {
  typedef float type __attribute__((vector_size(16)));
};

/// W floats in a register.
template <int W>
using Lanes = typename LanesOf<W>::type;

template <int W>
[[gnu::always_inline]] inline Lanes<W> load(float const* p) {
  Lanes<W> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <int W>
[[gnu::always_inline]] inline void store(float* p, Lanes<W> const& v) {
  std::memcpy(p, &v, sizeof v);
}

/// The first `count` (0..W) floats at p, the rest zero; reads nothing beyond them.
template <int W>
inline Lanes<W> load_first(float const* p, int count) {
  if (count >= W) return load<W>(p);
  Lanes<W> v{};
  for (int i = 0; i < count; ++i) v[i] = p[i];
  return v;
}

/// Rows of the register block whose columns are two vectors: as many accumulators as the registers hold
/// beside one row of B and one element of A.
template <int W>
inline constexpr int block_rows = W == 16 ? 14 : 6;
#if defined(__aarch64__)
template <>
inline constexpr int block_rows<4> = 8;
#endif

/// Columns of a packed panel of B.
template <int W>
inline constexpr int panel_columns = 2 * W;

constexpr std::ptrdiff_t divide_up(std::ptrdiff_t a, std::ptrdiff_t b) { return (a + b - 1) / b; }
constexpr std::ptrdiff_t round_up(std::ptrdiff_t a, std::ptrdiff_t b) { return divide_up(a, b) * b; }

template <int W, int... J>
[[gnu::always_inline]] inline void interleave(Lanes<W> const& a, Lanes<W> const& b, Lanes<W>& low,
                                              Lanes<W>& high, std::integer_sequence<int, J...>) {
#if defined(__clang__)
  low = __builtin_shufflevector(a, b, ((J % 2) * W + J / 2)...);
  high = __builtin_shufflevector(a, b, ((J % 2) * W + W / 2 + J / 2)...);
#else  // nvcc's front end garbles a pack inside __builtin_shufflevector
  typedef int Mask __attribute__((vector_size(4 * W)));
  low = __builtin_shuffle(a, b, Mask{((J % 2) * W + J / 2)...});
  high = __builtin_shuffle(a, b, Mask{((J % 2) * W + W / 2 + J / 2)...});
#endif
}

/// Transposes a W x W block held in registers: log2 W perfect shuffles of its rows.
template <int W>
[[gnu::always_inline]] inline void transpose(Lanes<W> (&v)[W]) {
  Lanes<W> t[W];
#pragma GCC unroll 8
  for (int stage = 1; stage < W; stage *= 2) {
#pragma GCC unroll 16
    for (int r = 0; r < W / 2; ++r)
      interleave<W>(v[r], v[r + W / 2], t[2 * r], t[2 * r + 1], std::make_integer_sequence<int, W>{});
#pragma GCC unroll 16
    for (int r = 0; r < W; ++r) v[r] = t[r];
  }
}

/// Threads that a launch on `exec` can use. (A static function in Kokkos 3, a member in Kokkos 5.)
template <class Exec>
inline int worker_count(Exec const& exec) {
  int const workers = static_cast<int>(exec.concurrency());
  return workers > 0 ? workers : 1;
}

/// Calls body(worker, item) for every item in [0, items); each worker takes one contiguous range, so that
/// `worker` can index scratch memory. What an item computes must not depend on the worker.
template <class Exec, class Body>
inline void for_items(Exec const& exec, char const* label, std::ptrdiff_t items, Body const& body) {
  std::ptrdiff_t const workers = worker_count(exec) < items ? worker_count(exec) : items;
  if (workers <= 0) return;
  Kokkos::parallel_for(label, Kokkos::RangePolicy<Exec>(exec, 0, workers), [=](std::ptrdiff_t worker) {
    for (std::ptrdiff_t item = items * worker / workers; item < items * (worker + 1) / workers; ++item)
      body(static_cast<int>(worker), item);
  });
}

}  // namespace glyphdiff::kernels::host
