#pragma once

#include <glyphdiff/bits.hpp>

#include <Random123/philox.h>
#include <Kokkos_Core.hpp>

#include <cmath>
#include <cstdint>

/// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011). A value is a function of
/// what it is for (seed, stream, step, sample, element), never of what was drawn before, so every execution
/// space, batch size, thread count and resumed run draws the same ones. The floating-point part uses own
/// polynomials with explicit fma and no other contractible expression, so that CPU and GPU agree bit for bit.
namespace glyphdiff {

/// What a random number is for. Streams never overlap. The values are part of a run's identity: append only.
enum class Stream : std::uint32_t {
  initialisation = 0,  ///< parameters
  noise = 1,           ///< eps of q(x_t | x_0) in training
  timesteps = 2,       ///< which t each training sample gets
  dropout = 3,         ///< `part` = layer
  data_order = 4,      ///< which image comes when
  augmentation = 5,    ///< crops, shifts, mirrors
  sampling_start = 6,  ///< x_T of a sample
  sampling_noise = 7,  ///< the noise of each sampling step
  class_drop = 8,      ///< label dropped for classifier-free guidance
  evaluation = 9,      ///< noise of the bits-per-dimension evaluation
  inpainting = 10,     ///< noise of the known part; `part` 1: of going back a step
  rounding = 11,       ///< stochastic rounding of the optimiser's moments
  user = 64,           ///< free for host programs, from here to 255
};

/// One family of random numbers.
struct RandomKey {
  std::uint64_t seed = 0;
  Stream stream = Stream::user;
  std::uint64_t step = 0;  ///< of the training or sampling run; taken modulo 2^32
  std::uint32_t part = 0;  ///< what else tells numbers of a step apart (layer, parameter tensor); modulo 2^24
};

/// A family of random numbers, and the first sample of a batch that gets some.
struct RandomBatch {
  RandomKey key{};
  std::uint64_t first_sample = 0;  ///< global number
};

/// Four numbers of one draw.
template <class T>
struct Random4 {
  T v[4];
  KOKKOS_FUNCTION T operator[](int i) const { return v[i]; }
};

/// Index of a draw within its family: `sample` is global (over batches, microbatches and processes), `block`
/// counts draws within the sample. A kernel that gives element e of a sample one number uses block e / 4,
/// number e % 4.
KOKKOS_INLINE_FUNCTION std::uint64_t random_index(std::uint64_t sample, std::uint64_t block) {
  return sample << 32 | (block & 0xffffffffu);
}

/// Four words of 32 random bits.
KOKKOS_INLINE_FUNCTION Random4<std::uint32_t> bits4(RandomKey const& key, std::uint64_t index) {
  r123::Philox4x32::ctr_type counter;
  counter.v[0] = static_cast<std::uint32_t>(index);
  counter.v[1] = static_cast<std::uint32_t>(index >> 32);
  counter.v[2] = static_cast<std::uint32_t>(key.step);
  counter.v[3] = static_cast<std::uint32_t>(key.stream) << 24 | (key.part & 0xffffffu);
  r123::Philox4x32::key_type seed;
  seed.v[0] = static_cast<std::uint32_t>(key.seed);
  seed.v[1] = static_cast<std::uint32_t>(key.seed >> 32);
  auto const r = philox4x32_R(10, counter, seed);
  return {{r.v[0], r.v[1], r.v[2], r.v[3]}};
}

/// The centre of one of 2^23 equal cells of (0, 1); never 0 or 1. Exact.
KOKKOS_INLINE_FUNCTION float uniform_from_bits(std::uint32_t bits) {
  return (static_cast<float>(static_cast<std::int32_t>(bits >> 9)) + 0.5f) * 0x1p-23f;
}

/// Two independent standard normals (Box and Muller 1958). The largest magnitude is 6.77; given u, which has
/// 24 significant bits, the absolute error is about 1e-6.
KOKKOS_INLINE_FUNCTION void normals_from_bits(std::uint32_t radius_bits, std::uint32_t angle_bits,
                                              float& first, float& second) {
  // u = (bits + 1/2) / 2^32 in (0, 1], from halves because vector units convert signed integers best.
  float const high = static_cast<float>(static_cast<std::int32_t>(radius_bits >> 16));
  float const low = static_cast<float>(static_cast<std::int32_t>(radius_bits & 0xffffu));
  float const u = ::fmaf(high, 0x1p-16f, ::fmaf(low, 0x1p-32f, 0x1p-33f));

  // -2 log u = -2 (e log 2 + log1p f), u = 2^e (1 + f), 1 + f in [sqrt(1/2), sqrt 2).
  std::int32_t const bits = bit_cast<std::int32_t>(u);
  std::int32_t const exponent = (bits - 0x3f3504f3) >> 23;
  float const f = bit_cast<float>(bits - (exponent << 23)) - 1.0f;
  float p = ::fmaf(f, 0.0897953149f, -0.1442688024f);
  p = ::fmaf(p, f, 0.1488368265f);
  p = ::fmaf(p, f, -0.1655178783f);
  p = ::fmaf(p, f, 0.1996347713f);
  p = ::fmaf(p, f, -0.2500258370f);
  p = ::fmaf(p, f, 0.3333393329f);
  p = ::fmaf(p, f, -0.4999998310f);
  float const log1p = ::fmaf(f * f, p, f);
  float const s = -2.0f * ::fmaf(static_cast<float>(exponent), 0.693147181f, log1p);

  // sqrt s by Newton's method from a guess of its reciprocal; s = 0 (u = 1) gives 0. (sqrtf may set errno,
  // which keeps compilers from vectorising.)
  float const half = -0.5f * s;
  float q = bit_cast<float>(0x5f3759dfu - (bit_cast<std::uint32_t>(s) >> 1));
  q = q * ::fmaf(half * q, q, 1.5f);
  q = q * ::fmaf(half * q, q, 1.5f);
  q = q * ::fmaf(half * q, q, 1.5f);
  float const radius = s * q;

  // The angle is angle_bits / 2^32 of a turn: a quarter and the rest in [-pi/4, pi/4).
  std::uint32_t const quarter = (angle_bits + 0x20000000u) >> 30;
  float const a =
      static_cast<float>(static_cast<std::int32_t>(angle_bits - (quarter << 30))) * 1.46291808e-9f;
  float const z = a * a;
  float sine = ::fmaf(z, -1.95172990e-4f, 8.33217815e-3f);
  sine = ::fmaf(::fmaf(sine, z, -0.166666549f), z * a, a);
  float cosine = ::fmaf(z, 2.44384516e-5f, -1.38873675e-3f);
  cosine = ::fmaf(::fmaf(cosine, z, 4.16666469e-2f), z * z, ::fmaf(z, -0.5f, 1.0f));

  // Turn by the quarters: swap on odd ones, and flip signs (as bit operations).
  std::uint32_t const swap = 0u - (quarter & 1u);
  std::uint32_t const c = bit_cast<std::uint32_t>(cosine), d = bit_cast<std::uint32_t>(sine);
  std::uint32_t const x = (c & ~swap) | (d & swap), y = (d & ~swap) | (c & swap);
  first = radius * bit_cast<float>(x ^ ((quarter + 1) >> 1 & 1u) << 31);
  second = radius * bit_cast<float>(y ^ (quarter >> 1) << 31);
}

/// Four independent uniforms in (0, 1).
KOKKOS_INLINE_FUNCTION Random4<float> uniform4(RandomKey const& key, std::uint64_t index) {
  auto const r = bits4(key, index);
  return {
      {uniform_from_bits(r[0]), uniform_from_bits(r[1]), uniform_from_bits(r[2]), uniform_from_bits(r[3])}};
}

/// Four independent standard normals.
KOKKOS_INLINE_FUNCTION Random4<float> normal4(RandomKey const& key, std::uint64_t index) {
  auto const r = bits4(key, index);
  Random4<float> n;
  normals_from_bits(r[0], r[1], n.v[0], n.v[1]);
  normals_from_bits(r[2], r[3], n.v[2], n.v[3]);
  return n;
}

/// A uniform in (0, 1) with 52 random bits.
KOKKOS_INLINE_FUNCTION double uniform_double(RandomKey const& key, std::uint64_t index) {
  auto const r = bits4(key, index);
  std::uint64_t const bits = std::uint64_t{r[0]} << 32 | r[1];
  return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
}

/// A uniform integer in [0, count), count <= 2^32 (bias below count / 2^64).
KOKKOS_INLINE_FUNCTION std::uint32_t uniform_below(std::uint64_t count, RandomKey const& key,
                                                   std::uint64_t index) {
  auto const r = bits4(key, index);
  std::uint64_t const carry = count * r[1] >> 32;
  return static_cast<std::uint32_t>((count * r[0] + carry) >> 32);
}

}  // namespace glyphdiff
