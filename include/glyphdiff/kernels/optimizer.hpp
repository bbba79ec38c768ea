#pragma once

#include <glyphdiff/bfloat16.hpp>
#include <glyphdiff/bits.hpp>
#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>
#include <glyphdiff/random.hpp>

#if defined(__SSE__) && !defined(__CUDA_ARCH__)
#include <immintrin.h>
#endif

/// The passes over the flat arenas that follow a backward pass: the norm of the gradient, then one pass that
/// updates parameters, moments and averages and zeroes the gradients. They move 4 bytes per value and stream
/// and are bound by memory, hence one pass for all.
namespace glyphdiff::kernels {

inline constexpr std::int64_t optimizer_tile = 2048;  ///< values per item on a host core

/// Moments in bfloat16 that are floats at a time. It says which value gets which random bits, so another one
/// would change runs.
inline constexpr int bfloat16_run = 256;

/// Square root, correctly rounded. Spelled out because std::sqrt may set errno and so does not vectorise.
template <int W>
inline Pack<W> sqrt(Pack<W> x) {
#if defined(__AVX512F__) && !defined(__CUDA_ARCH__)
  if constexpr (W == 16) return Pack<W>{_mm512_maskz_sqrt_ps(0xffff, x.v)};  // _mm512_sqrt_ps warns in gcc 12
#endif
#if defined(__AVX__) && !defined(__CUDA_ARCH__)
  if constexpr (W == 8) return Pack<W>{_mm256_sqrt_ps(x.v)};
#endif
#if defined(__SSE__) && !defined(__CUDA_ARCH__)
  if constexpr (W == 4) return Pack<W>{_mm_sqrt_ps(x.v)};
#endif
  for (int lane = 0; lane < W; ++lane) x.v[lane] = ::sqrtf(x.v[lane]);
  return x;
}

KOKKOS_INLINE_FUNCTION Pack<1> sqrt(Pack<1> x) { return Pack<1>{::sqrtf(x.v)}; }

/// The scalars of one AdamW update (Loshchilov & Hutter 2019, algorithm 2), in the order in which PyTorch
/// rounds them.
struct AdamWUpdate {
  float keep;  ///< 1 - lr * weight_decay
  float beta1, one_minus_beta1;
  float beta2, one_minus_beta2;
  float sqrt_bias_correction2;  ///< sqrt(1 - beta2^t)
  float eps;
  float step_size;     ///< lr / (1 - beta1^t)
  RandomKey rounding;  ///< of bfloat16 moments
};

/// A running average that follows the parameters: average = rate * average + (1 - rate) * parameter.
struct EmaRate {
  float rate, one_minus_rate;
};

/// What the gradients and losses of a step turned out to be.
struct UpdateOutcome {
  double gradient_norm;     ///< before clipping
  float gradient_scale;     ///< multiplies the gradient first: clipping, the mean over microbatches
  std::int32_t not_finite;  ///< 1: the update is not taken, and zeroes the gradients; else 0
};

/// What an update reads, in the space's memory: not among the arguments of its kernels, so that a recorded
/// step can be run again with other values.
struct UpdateInput {
  AdamWUpdate const* adamw;
  EmaRate const* rates;  ///< of the averages, in their order
  UpdateOutcome const* outcome;
};

/// Up to four running averages, numbers first, first + 1, ... of all.
struct EmaAverages {
  static constexpr int capacity = 4;
  float* average[capacity]{};
  int first = 0, count = 0;
};

/// min(1, max_norm / (norm + 1e-6)), as in PyTorch: the factor that brings a gradient of this norm down to
/// max_norm. NaN for a NaN norm.
KOKKOS_INLINE_FUNCTION double clip_factor(double norm, double max_norm) {
  double const factor = max_norm / (norm + 1e-6);
  return factor > 1.0 ? 1.0 : factor;
}

namespace detail {

/// The averages with their rates, in a kernel's own variables: what it stores could be the rates for all that
/// the compiler knows.
struct EmaUpdate {
  float* average[EmaAverages::capacity];
  float rate[EmaAverages::capacity], one_minus_rate[EmaAverages::capacity];
  int count;
};

KOKKOS_INLINE_FUNCTION EmaUpdate with_rates(EmaAverages const& averages, EmaRate const* rates) {
  EmaUpdate u;
  u.count = averages.count;
  for (int k = 0; k < EmaAverages::capacity; ++k) {  // of constant length, so that registers hold all
    if (k >= u.count) continue;
    u.average[k] = averages.average[k];
    u.rate[k] = rates[averages.first + k].rate;
    u.one_minus_rate[k] = rates[averages.first + k].one_minus_rate;
  }
  return u;
}

template <int W>
KOKKOS_INLINE_FUNCTION void ema_pack(EmaUpdate const& u, std::int64_t i, Pack<W> parameter) {
  for (int k = 0; k < EmaAverages::capacity; ++k) {
    if (k >= u.count) continue;
    auto const rate = Pack<W>::broadcast(u.rate[k]), rest = Pack<W>::broadcast(u.one_minus_rate[k]);
    float* const average = u.average[k] + i;
    fused(rest, parameter, rate * Pack<W>::load(average)).store(average);
  }
}

/// `first_moment` and `second_moment` point to the values of parameter i.
template <int W>
KOKKOS_INLINE_FUNCTION void adamw_pack(AdamWUpdate const& u, float gradient_scale, EmaUpdate const& ema,
                                       std::int64_t i, float* parameters, float* gradients,
                                       float* first_moment, float* second_moment) {
  auto const g = Pack<W>::broadcast(gradient_scale) * Pack<W>::load(gradients + i);
  auto const m = fused(Pack<W>::broadcast(u.one_minus_beta1), g,
                       Pack<W>::broadcast(u.beta1) * Pack<W>::load(first_moment));
  auto const v = fused(Pack<W>::broadcast(u.one_minus_beta2) * g, g,
                       Pack<W>::broadcast(u.beta2) * Pack<W>::load(second_moment));
  auto const denominator = sqrt(v) / Pack<W>::broadcast(u.sqrt_bias_correction2) + Pack<W>::broadcast(u.eps);
  auto const p = fused(Pack<W>::broadcast(-u.step_size), m / denominator,
                       Pack<W>::broadcast(u.keep) * Pack<W>::load(parameters + i));
  p.store(parameters + i);
  m.store(first_moment);
  v.store(second_moment);
  Pack<W>::broadcast(0.0f).store(gradients + i);
  ema_pack(ema, i, p);
}

inline KOKKOS_FUNCTION void widen(std::uint16_t const* __restrict from, int n, float* __restrict to) {
  for (int k = 0; k < n; ++k) to[k] = bfloat16_to_float(from[k]);
}

/// 16 random bits of value i. A draw serves eight values, so that Philox doesn't dominate the update, and
/// those are not neighbours, so that its words fit vectors: in each run of 256, the values k and 128 + k
/// share word k % 4 of draw k / 4.
inline KOKKOS_FUNCTION std::uint16_t rounding_bits(RandomKey const& key, std::int64_t i) {
  constexpr int half = bfloat16_run / 2;
  std::int64_t const k = i % half;
  std::uint32_t const word = bits4(key, std::uint64_t(i / bfloat16_run * (half / 4) + k / 4)).v[k % 4];
  return std::uint16_t(i / half % 2 == 0 ? word : word >> 16);
}

/// The same of the first n values of the run that begins at value i.
inline KOKKOS_FUNCTION void rounding_bits(RandomKey const& key, std::int64_t i, int n,
                                          std::uint16_t* __restrict bits) {
  constexpr int half = bfloat16_run / 2;
  std::uint32_t words[half];
  int const count = n < half ? n : half;
  for (int b = 0; b < (count + 3) / 4; ++b) {  // a plain loop, which compilers vectorise
    Random4<std::uint32_t> const r = bits4(key, std::uint64_t(i / 8 + b));
    for (int j = 0; j < 4; ++j) words[4 * b + j] = r.v[j];
  }
  for (int k = 0; k < count; ++k) {
    bits[k] = std::uint16_t(words[k]);
    bits[half + k] = std::uint16_t(words[k] >> 16);
  }
}

/// Rounds both moments by the same bits, the second by them in another order: the roundings of two moments of
/// one value may be related, as long as each is without bias.
inline KOKKOS_FUNCTION void narrow(float const* __restrict first, float const* __restrict second,
                                   std::uint16_t const* __restrict bits, int n,
                                   std::uint16_t* __restrict first_moment,
                                   std::uint16_t* __restrict second_moment) {
  for (int k = 0; k < n; ++k) {
    first_moment[k] = round_stochastically(first[k], bits[k]);
    second_moment[k] = round_stochastically(second[k], std::uint16_t(bits[k] << 8 | bits[k] >> 8));
  }
}

/// adamw_pack for the values [i, end), whose moments are bfloat16: run by run they are widened, updated as
/// floats are, and rounded. The parameters follow the moments as they were before rounding.
template <class Backend>
requires(!Backend::one_element_per_item) void adamw_runs(AdamWUpdate const& u, float gradient_scale,
                                                         EmaUpdate const& ema, std::int64_t i,
                                                         std::int64_t end, float* parameters,
                                                         float* gradients, std::uint16_t* first_moment,
                                                         std::uint16_t* second_moment) {
  constexpr int W = Backend::width, run = bfloat16_run;
  float first[run], second[run];
  std::uint16_t bits[run];
  for (; i < end; i += run) {
    int const n = end - i < run ? int(end - i) : run;
    widen(first_moment + i, n, first);
    widen(second_moment + i, n, second);
    rounding_bits(u.rounding, i, n, bits);
    int k = 0;
    for (; k + W <= n; k += W)
      adamw_pack<W>(u, gradient_scale, ema, i + k, parameters, gradients, first + k, second + k);
    for (; k < n; ++k)
      adamw_pack<1>(u, gradient_scale, ema, i + k, parameters, gradients, first + k, second + k);
    narrow(first, second, bits, n, first_moment + i, second_moment + i);
  }
}

/// The same value by value. Apart, since nvcc takes no vectors in a function that a device may call.
template <class Backend>
requires(Backend::one_element_per_item) KOKKOS_FUNCTION
    void adamw_runs(AdamWUpdate const& u, float gradient_scale, EmaUpdate const& ema, std::int64_t i,
                    std::int64_t end, float* parameters, float* gradients, std::uint16_t* first_moment,
                    std::uint16_t* second_moment) {
  for (; i < end; ++i) {
    float first, second;
    widen(first_moment + i, 1, &first);
    widen(second_moment + i, 1, &second);
    std::uint16_t const bits = rounding_bits(u.rounding, i);
    adamw_pack<1>(u, gradient_scale, ema, i, parameters, gradients, &first, &second);
    narrow(&first, &second, &bits, 1, first_moment + i, second_moment + i);
  }
}

/// gradients[begin .. end) = 0.
KOKKOS_INLINE_FUNCTION void zero_gradients(float* gradients, std::int64_t begin, std::int64_t end) {
  for (; begin < end; ++begin) gradients[begin] = 0;
}

}  // namespace detail

/// One AdamW update of `count` parameters; the averages follow the new parameters, and the gradients end at
/// zero. Where the outcome is not finite, that is all it does to them.
template <class Backend, class Exec>
void adamw_update(Exec const& exec, std::int64_t count, float* parameters, float* gradients,
                  float* first_moment, float* second_moment, UpdateInput const& in,
                  EmaAverages const& averages) {
  std::int64_t const tile = Backend::one_element_per_item ? 1 : optimizer_tile;
  for_each(
      "glyphdiff::optimizer::adamw", exec, (count + tile - 1) / tile, KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t i = item * tile;
        std::int64_t const end = i + tile < count ? i + tile : count;
        UpdateOutcome const outcome = *in.outcome;
        if (outcome.not_finite) return detail::zero_gradients(gradients, i, end);
        AdamWUpdate const u = *in.adamw;
        detail::EmaUpdate const ema = detail::with_rates(averages, in.rates);
        for (; i + Backend::width <= end; i += Backend::width)
          detail::adamw_pack<Backend::width>(u, outcome.gradient_scale, ema, i, parameters, gradients,
                                             first_moment + i, second_moment + i);
        for (; i < end; ++i)
          detail::adamw_pack<1>(u, outcome.gradient_scale, ema, i, parameters, gradients, first_moment + i,
                                second_moment + i);
      });
}

/// The same for moments that are kept as bfloat16 and rounded stochastically.
template <class Backend, class Exec>
void adamw_update_bfloat16(Exec const& exec, std::int64_t count, float* parameters, float* gradients,
                           std::uint16_t* first_moment, std::uint16_t* second_moment, UpdateInput const& in,
                           EmaAverages const& averages) {
  std::int64_t const tile = Backend::one_element_per_item ? 1 : optimizer_tile;
  for_each(
      "glyphdiff::optimizer::adamw_bfloat16", exec, (count + tile - 1) / tile,
      KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const end = (item + 1) * tile < count ? (item + 1) * tile : count;
        UpdateOutcome const outcome = *in.outcome;
        if (outcome.not_finite) return detail::zero_gradients(gradients, item * tile, end);
        AdamWUpdate const u = *in.adamw;
        detail::EmaUpdate const ema = detail::with_rates(averages, in.rates);
        detail::adamw_runs<Backend>(u, outcome.gradient_scale, ema, item * tile, end, parameters, gradients,
                                    first_moment, second_moment);
      });
}

/// The averages alone; `in.adamw` is not read. Nothing where the outcome is not finite.
template <class Backend, class Exec>
void ema_update(Exec const& exec, std::int64_t count, float const* parameters, UpdateInput const& in,
                EmaAverages const& averages) {
  std::int64_t const tile = Backend::one_element_per_item ? 1 : optimizer_tile;
  for_each(
      "glyphdiff::optimizer::ema", exec, (count + tile - 1) / tile, KOKKOS_LAMBDA(std::int64_t item) {
        if (in.outcome->not_finite) return;
        std::int64_t i = item * tile;
        std::int64_t const end = i + tile < count ? i + tile : count;
        detail::EmaUpdate const ema = detail::with_rates(averages, in.rates);
        for (; i + Backend::width <= end; i += Backend::width)
          detail::ema_pack(ema, i, Pack<Backend::width>::load(parameters + i));
        for (; i < end; ++i) detail::ema_pack(ema, i, Pack<1>::load(parameters + i));
      });
}

/// Number of partial sums that sum_of_squares writes. It depends on the count alone, never on the number of
/// threads, as does all that follows.
template <class Backend>
std::int64_t square_partials(std::int64_t count) {
  std::int64_t const device_partials = 32768;
  if (Backend::one_element_per_item) return count < device_partials ? count : device_partials;
  return (count + optimizer_tile - 1) / optimizer_tile;
}

/// Number of sums that are left of them for one thread: a device's threads are slow alone, so it first adds
/// its partial sums to no more than their square root or so.
template <class Backend>
std::int64_t square_sums(std::int64_t count) {
  std::int64_t const device_sums = 256, partials = square_partials<Backend>(count);
  return Backend::one_element_per_item && partials > device_sums ? device_sums : partials;
}

/// Partial sums of x^2 in double, square_partials<Backend>(count) of them; the same bits for any number of
/// threads. A host core sums a tile; a device thread every square_partials-th value, which neighbours read
/// together.
template <class Backend, class Exec>
void sum_of_squares(Exec const& exec, std::int64_t count, float const* x, double* partial) {
  std::int64_t const partials = square_partials<Backend>(count);
  std::int64_t const tile = Backend::one_element_per_item ? 1 : optimizer_tile;
  std::int64_t const stride = Backend::one_element_per_item ? partials : Backend::width;
  for_each(
      "glyphdiff::optimizer::sum_of_squares", exec, partials, KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t i = item * tile;
        std::int64_t const end = Backend::one_element_per_item || i + tile > count ? count : i + tile;
        double lanes[Backend::width] = {};
        for (; i + Backend::width <= end; i += stride)
          for (int lane = 0; lane < Backend::width; ++lane)
            lanes[lane] += double(x[i + lane]) * double(x[i + lane]);
        double sum = 0;
        for (int lane = 0; lane < Backend::width; ++lane) sum += lanes[lane];
        for (; i < end; ++i) sum += double(x[i]) * double(x[i]);
        partial[item] = sum;
      });
}

/// sums[k] = partial[k] + partial[k + count] + partial[k + 2 count] + ..., in this order, for k < count.
template <class Exec>
void add_partials(Exec const& exec, std::int64_t partials, double const* partial, std::int64_t count,
                  double* sums) {
  for_each(
      "glyphdiff::optimizer::add_partials", exec, count, KOKKOS_LAMBDA(std::int64_t k) {
        double sum = 0;
        for (std::int64_t i = k; i < partials; i += count) sum += partial[i];
        sums[k] = sum;
      });
}

/// What a step turned out to be: the norm from `sums` partial sums of squares, added in index order, and
/// whether it and all of so many losses are finite (by their bits). max_norm: of the clipped gradient; 0: no
/// clipping. One item, since there are few sums.
template <class Exec>
void find_outcome(Exec const& exec, std::int64_t sums, double const* squares, std::int64_t losses,
                  double const* loss, double max_norm, UpdateOutcome* outcome) {
  for_each(
      "glyphdiff::optimizer::outcome", exec, 1, KOKKOS_LAMBDA(std::int64_t) {
        double sum = 0;
        for (std::int64_t k = 0; k < sums; ++k) sum += squares[k];
        UpdateOutcome found;
        found.gradient_norm = ::sqrt(sum);
        found.gradient_scale = max_norm > 0 ? float(clip_factor(found.gradient_norm, max_norm)) : 1.0f;
        found.not_finite = is_finite(found.gradient_norm) ? 0 : 1;
        for (std::int64_t k = 0; k < losses; ++k)
          if (!is_finite(loss[k])) found.not_finite = 1;
        *outcome = found;
      });
}

struct AdamWStep {
  static constexpr char const* name = "optimizer::adamw";
  std::int64_t count;
  EmaAverages averages;

  Work work(int) const {
    return {(32.0 + 8.0 * averages.count) * count, (12.0 + 2.0 * averages.count) * count};
  }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float* parameters, float* gradients, float* first_moment,
           float* second_moment, UpdateInput in) const {
    adamw_update<Backend>(exec, count, parameters, gradients, first_moment, second_moment, in, averages);
  }
};

struct AdamWStepBfloat16 {
  static constexpr char const* name = "optimizer::adamw_bfloat16";
  std::int64_t count;
  EmaAverages averages;

  Work work(int) const {
    return {(24.0 + 8.0 * averages.count) * count, (12.0 + 2.0 * averages.count) * count};
  }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float* parameters, float* gradients, std::uint16_t* first_moment,
           std::uint16_t* second_moment, UpdateInput in) const {
    adamw_update_bfloat16<Backend>(exec, count, parameters, gradients, first_moment, second_moment, in,
                                   averages);
  }
};

struct EmaStep {
  static constexpr char const* name = "optimizer::ema";
  std::int64_t count;
  EmaAverages averages;

  Work work(int) const { return {(4.0 + 8.0 * averages.count) * count, 2.0 * averages.count * count}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* parameters, UpdateInput in) const {
    ema_update<Backend>(exec, count, parameters, in, averages);
  }
};

/// The sum of x^2 as square_sums<Backend>(count) sums, to be added in index order.
struct SumOfSquares {
  static constexpr char const* name = "optimizer::sum_of_squares";
  std::int64_t count;

  Work work(int) const { return {4.0 * count, 2.0 * count}; }
  template <class Backend, class Exec>
  std::int64_t scratch(Backend, Exec const&) const {
    return std::int64_t(sizeof(double) / sizeof(float)) *
           (two_levels<Backend>() ? square_partials<Backend>(count) : 0);
  }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float* scratch, float const* x, double* sums) const {
    if (!two_levels<Backend>()) return sum_of_squares<Backend>(exec, count, x, sums);
    double* const partial = reinterpret_cast<double*>(scratch);
    sum_of_squares<Backend>(exec, count, x, partial);
    add_partials(exec, square_partials<Backend>(count), partial, square_sums<Backend>(count), sums);
  }

  template <class Backend>
  bool two_levels() const {
    return square_sums<Backend>(count) < square_partials<Backend>(count);
  }
};

struct FindOutcome {
  static constexpr char const* name = "optimizer::outcome";
  std::int64_t sums, losses;
  double max_norm;

  Work work(int) const { return {8.0 * double(sums + losses), double(sums)}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, double const* squares, double const* loss,
           UpdateOutcome* outcome) const {
    find_outcome(exec, sums, squares, losses, loss, max_norm, outcome);
  }
};

#define GLYPHDIFF_OPTIMIZER_KERNELS(MAKE, Exec) \
  MAKE(adamw_update<Portable, Exec>)            \
  MAKE(adamw_update<Vectorised, Exec>)          \
  MAKE(adamw_update_bfloat16<Portable, Exec>)   \
  MAKE(adamw_update_bfloat16<Vectorised, Exec>) \
  MAKE(ema_update<Portable, Exec>)              \
  MAKE(ema_update<Vectorised, Exec>)            \
  MAKE(sum_of_squares<Portable, Exec>)          \
  MAKE(sum_of_squares<Vectorised, Exec>)        \
  MAKE(add_partials<Exec>)                      \
  MAKE(find_outcome<Exec>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_OPTIMIZER_KERNELS)

}  // namespace glyphdiff::kernels
