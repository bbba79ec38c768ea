#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>
#include <glyphdiff/random.hpp>

#include <cstdint>

/// Filling arrays with random numbers. Element e of sample n gets number e % 4 of the draw (first_sample + n,
/// e / 4), so a sample's numbers don't depend on the batch it travels in, nor on the execution space.
namespace glyphdiff::kernels {

struct StandardNormal {
  KOKKOS_FUNCTION Random4<float> operator()(RandomKey const& key, std::uint64_t index) const {
    return normal4(key, index);
  }
};

struct OpenUniform {
  KOKKOS_FUNCTION Random4<float> operator()(RandomKey const& key, std::uint64_t index) const {
    return uniform4(key, index);
  }
};

/// Draws from `other`, in the space's memory, or if that is null from `own`. One thread per draw.
template <class Exec, class Value, class Distribution>
void fill_random(Exec const& exec, PortableIn<Value>, float* out, std::int64_t samples,
                 std::int64_t per_sample, RandomBatch const& own, RandomBatch const* other,
                 Distribution draw) {
  std::int64_t const blocks = (per_sample + 3) / 4;
  for_each(
      "glyphdiff::random::fill", exec, samples * blocks, KOKKOS_LAMBDA(std::int64_t i) {
        RandomBatch const from = other != nullptr ? *other : own;
        std::int64_t const n = i / blocks, block = i - n * blocks;
        Random4<float> const r = draw(from.key, random_index(from.first_sample + n, block));
        float* const row = out + n * per_sample;
        for (int j = 0; j < 4; ++j)
          if (4 * block + j < per_sample) row[4 * block + j] = r.v[j];
      });
}

/// `count` whole draws in a plain loop, which compilers vectorise.
template <class Distribution>
inline void fill_blocks(float* __restrict out, std::int64_t count, RandomKey key, std::uint64_t sample,
                        std::int64_t first_block, Distribution draw) {
  for (std::int64_t b = 0; b < count; ++b) {
    Random4<float> const r = draw(key, random_index(sample, first_block + b));
    for (int j = 0; j < 4; ++j) out[4 * b + j] = r.v[j];
  }
}

/// One task per run of up to 256 draws of a sample.
template <class Exec, class Distribution>
void fill_random(Exec const& exec, Vectorised, float* out, std::int64_t samples, std::int64_t per_sample,
                 RandomBatch const& own, RandomBatch const* other, Distribution draw) {
  std::int64_t const run = 256, blocks = (per_sample + 3) / 4, runs = (blocks + run - 1) / run;
  for_each(
      "glyphdiff::random::fill", exec, samples * runs, KOKKOS_LAMBDA(std::int64_t i) {
        RandomBatch const from = other != nullptr ? *other : own;
        std::int64_t const n = i / runs, first = (i - n * runs) * run;
        std::int64_t const last = first + run < blocks ? first + run : blocks;
        std::int64_t const whole =
            last < per_sample / 4 ? last : per_sample / 4;  // a last draw may be used in part
        float* const row = out + n * per_sample;
        fill_blocks(row + 4 * first, whole - first, from.key, from.first_sample + n, first, draw);
        if (whole < last) {
          Random4<float> const r = draw(from.key, random_index(from.first_sample + n, whole));
          for (int j = 0; j < 3; ++j)
            if (4 * whole + j < per_sample) row[4 * whole + j] = r.v[j];
        }
      });
}

/// Standard normals for `samples` rows of `per_sample` (at most 2^34) contiguous floats in the space's
/// memory, as key and first sample say or, unless it is null, `other` in the space's memory.
template <class Exec, class Backend = DefaultBackend<Exec>>
void fill_normal(Exec const& exec, float* out, std::int64_t samples, std::int64_t per_sample, RandomKey key,
                 std::uint64_t first_sample = 0, Backend backend = {}, RandomBatch const* other = nullptr) {
  fill_random(exec, backend, out, samples, per_sample, {key, first_sample}, other, StandardNormal{});
}

/// Uniforms in (0, 1), likewise.
template <class Exec, class Backend = DefaultBackend<Exec>>
void fill_uniform(Exec const& exec, float* out, std::int64_t samples, std::int64_t per_sample, RandomKey key,
                  std::uint64_t first_sample = 0, Backend backend = {}) {
  fill_random(exec, backend, out, samples, per_sample, {key, first_sample}, nullptr, OpenUniform{});
}

/// What is drawn is said here, or in the space's memory, so that a recorded step can be run again with other
/// numbers.
struct FillNormal {
  static constexpr char const* name = "random::normal";
  std::int64_t samples, per_sample;
  RandomKey key{};
  std::uint64_t first_sample = 0;

  Work work(int) const { return {4.0 * samples * per_sample, 0}; }
  template <class Backend, class Exec>
  void run(Backend backend, Exec const& exec, float* out, RandomBatch const* other = nullptr) const {
    fill_normal(exec, out, samples, per_sample, key, first_sample, backend, other);
  }
};

#define GLYPHDIFF_RANDOM_KERNELS(MAKE, Exec) \
  MAKE(fill_normal<Exec, Portable>)          \
  MAKE(fill_normal<Exec, Vectorised>)        \
  MAKE(fill_uniform<Exec, Portable>)         \
  MAKE(fill_uniform<Exec, Vectorised>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_RANDOM_KERNELS)

}  // namespace glyphdiff::kernels
