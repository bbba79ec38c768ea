#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/kernels/diffusion.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>

#include <algorithm>

/// Elementwise work of the samplers. Images are contiguous (N,H,W,C); a network's output may have more
/// channels than the image, the prediction first, then what interpolates the log variance.
namespace glyphdiff::kernels {

// What changes from step to step is read from the space's memory, so that a recorded step can be run again as
// another one.

/// How an estimate (of x_0 or eps) comes from x and a network's output, the same for every sample of the
/// batch: estimate_x x + estimate_output output + clipping (clip(x0) - x0) + guidance gradient, where
/// x0 = x0_x x + x0_output output.
struct Estimate {
  float x0_x, x0_output;
  float limit;  ///< of x0; infinity: not clipped
  float estimate_x, estimate_output;
  float clipping;  ///< how much the estimate moves with the clipped x0
  float guidance;  ///< how much it moves with the gradient of a classifier; 0: there is none
};

KOKKOS_INLINE_FUNCTION void estimate_pixel(int channels, Estimate const& by, float const* x,
                                           float const* output, float const* gradient, float* estimate) {
  for (int c = 0; c < channels; ++c) {
    float value = by.estimate_x * x[c] + by.estimate_output * output[c];
    float const x0 = by.x0_x * x[c] + by.x0_output * output[c], clipped = clip(x0, by.limit);
    if (clipped != x0) value += by.clipping * (clipped - x0);
    if (by.guidance != 0.0f) value += by.guidance * gradient[c];
    estimate[c] = value;
  }
}

/// Calls f(pixel) for one run of pixels.
template <class Function>
struct PixelRun {
  Function f;
  std::int64_t run, all_pixels;

  KOKKOS_FUNCTION void operator()(std::int64_t item) const {
    std::int64_t const last = (item + 1) * run < all_pixels ? (item + 1) * run : all_pixels;
    for (std::int64_t pixel = item * run; pixel < last; ++pixel) f(pixel);
  }
};

/// Calls f(pixel) for all pixels, in runs on the host.
template <class Backend, class Exec, class Function>
void for_each_pixel(char const* label, Exec const& exec, std::int64_t all_pixels, Function const& f) {
  std::int64_t const run = pixel_run<Backend>;
  for_each(label, exec, (all_pixels + run - 1) / run, PixelRun<Function>{f, run, all_pixels});
}

/// estimate (N,H,W,C) from x and output, as `how` says in the space's memory; `gradient` is read if its
/// guidance is not 0.
template <class Backend, class Exec>
void estimate(Exec const& exec, std::int64_t all_pixels, int channels, Estimate const* how, float const* x,
              float const* output, int output_channels, float const* gradient, float* result) {
  for_each_pixel<Backend>(
      "glyphdiff::sampler::estimate", exec, all_pixels, KOKKOS_LAMBDA(std::int64_t pixel) {
        Estimate const by = *how;
        std::int64_t const first = pixel * channels;
        estimate_pixel(channels, by, x + first, output + pixel * output_channels,
                       by.guidance != 0.0f ? gradient + first : nullptr, result + first);
      });
}

/// coefficient * image, one term of a sum. The coefficient may be said elsewhere.
struct Term {
  float coefficient;
  float const* image;
};

/// Up to `most_terms` of them.
struct Terms {
  static constexpr int most_terms = 6;
  Term term[most_terms];
  int count = 0;
};

/// Sums one run of elements. The sums are collected apart, since `out` may be any of the images.
template <int run>
struct SumOfTerms {
  Terms terms;
  float const* coefficients;
  float* out;
  std::int64_t size;

  KOKKOS_FUNCTION void operator()(std::int64_t item) const {
    std::int64_t const first = item * run;
    int const count = static_cast<int>(first + run < size ? run : size - first);
    float sums[run];
    for (int i = 0; i < count; ++i) sums[i] = 0;
    for (int k = 0; k < terms.count; ++k) {
      float const coefficient = coefficients != nullptr ? coefficients[k] : terms.term[k].coefficient;
      float const* const image = terms.term[k].image + first;
      for (int i = 0; i < count; ++i) sums[i] += coefficient * image[i];
    }
    for (int i = 0; i < count; ++i) out[first + i] = sums[i];
  }
};

/// out = the sum of the terms over `size` elements; `out` may be among their images. `coefficients`: those of
/// the terms, in the space's memory; null: their own.
template <class Backend, class Exec>
void sum_terms(Exec const& exec, std::int64_t size, Terms const& terms, float const* coefficients,
               float* out) {
  constexpr int run = static_cast<int>(pixel_run<Backend>);
  for_each("glyphdiff::sampler::sum", exec, (size + run - 1) / run,
           SumOfTerms<run>{terms, coefficients, out, size});
}

/// count = how many of x's `size` elements are not finite.
template <class Exec>
void not_finite(Exec const& exec, std::int64_t size, float const* x, std::int64_t* count) {
  Kokkos::View<std::int64_t, typename Exec::memory_space, Kokkos::MemoryUnmanaged> const others(count);
  Kokkos::parallel_reduce(
      "glyphdiff::sampler::finite", Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, size),
      KOKKOS_LAMBDA(std::int64_t i, std::int64_t & sum) { sum += is_finite(x[i]) ? 0 : 1; }, others);
}

/// One step of ancestral sampling, the same for every sample of the batch.
struct AncestralStep {
  float x0_x, x0_output;  ///< x0 = clip(x0_x x + x0_output output)
  float limit;            ///< of x0; infinity: not clipped
  float mean_x0, mean_x;  ///< x becomes mean_x0 x0 + mean_x x + variance gradient + deviation noise
  bool learned_variance;  ///< the logarithm of the variance is interpolated by the output
  bool guided;            ///< there is a gradient
  bool noisy;             ///< noise is added
  float log_small, log_large;
};

KOKKOS_INLINE_FUNCTION void ancestral_pixel(int channels, AncestralStep const& step, float const* output,
                                            float const* gradient, float const* noise, float* x) {
  for (int c = 0; c < channels; ++c) {
    float const x0 = clip(step.x0_x * x[c] + step.x0_output * output[c], step.limit);
    float next = step.mean_x0 * x0 + step.mean_x * x[c];
    float const fraction = step.learned_variance ? (output[channels + c] + 1.0f) * 0.5f : 1.0f;
    float const log_variance = fraction * step.log_large + (1.0f - fraction) * step.log_small;
    if (step.guided) next += ::expf(log_variance) * gradient[c];
    if (step.noisy) next += ::expf(0.5f * log_variance) * noise[c];
    x[c] = next;
  }
}

/// x (N,H,W,C) moves one step, as `how` says in the space's memory; `output` has at least `channels`
/// channels, 2 * channels if the variance is learned; `gradient` is read if the step is guided.
template <class Backend, class Exec>
void ancestral_step(Exec const& exec, std::int64_t all_pixels, int channels, AncestralStep const* how,
                    float const* output, int output_channels, float const* gradient, float const* noise,
                    float* x) {
  for_each_pixel<Backend>(
      "glyphdiff::sampler::ancestral", exec, all_pixels, KOKKOS_LAMBDA(std::int64_t pixel) {
        AncestralStep const& step = *how;  // of a copy gcc fuses other products: other bits
        std::int64_t const first = pixel * channels;
        ancestral_pixel(channels, step, output + pixel * output_channels,
                        step.guided ? gradient + first : nullptr, noise + first, x + first);
      });
}

/// guided = weak + scale (strong - weak) in the first `channels` of the pixels; the others keep the strong
/// ones. In place on `strong`.
template <class Backend, class Exec>
void guide(Exec const& exec, std::int64_t all_pixels, int channels, int output_channels, float scale,
           float const* weak, float* strong) {
  for_each_pixel<Backend>(
      "glyphdiff::sampler::guide", exec, all_pixels, KOKKOS_LAMBDA(std::int64_t pixel) {
        for (int c = 0; c < channels; ++c) {
          std::int64_t const i = pixel * output_channels + c;
          strong[i] = weak[i] + scale * (strong[i] - weak[i]);
        }
      });
}

/// x = mask x + (1 - mask) known, with one value of the mask (N,H,W,1) per pixel: 1 where x is kept.
template <class Backend, class Exec>
void keep_where(Exec const& exec, std::int64_t all_pixels, int channels, float const* mask,
                float const* known, float* x) {
  for_each_pixel<Backend>(
      "glyphdiff::sampler::keep_where", exec, all_pixels, KOKKOS_LAMBDA(std::int64_t pixel) {
        for (std::int64_t i = pixel * channels; i < (pixel + 1) * channels; ++i)
          x[i] = mask[pixel] * x[i] + (1.0f - mask[pixel]) * known[i];
      });
}

/// A pair of images per sample, where one of a pair may be the same for all samples (stride 0).
struct Pairs {
  float const *a, *b;
  std::int64_t a_stride, b_stride;  ///< from sample to sample
};

/// a . b, for sum_per_sample.
struct PairProduct {
  Pairs pairs;
  KOKKOS_FUNCTION double operator()(std::int64_t n, int i) const {
    return double(pairs.a[n * pairs.a_stride + i]) * pairs.b[n * pairs.b_stride + i];
  }
};

/// out = first[n] a + second[n] b for sample n; `coefficients` holds (first, second) per sample.
template <class Backend, class Exec>
void blend(Exec const& exec, std::int64_t samples, std::int64_t per_sample, Pairs pairs,
           float const* coefficients, float* out) {
  for_each_pixel<Backend>(
      "glyphdiff::sampler::blend", exec, samples * per_sample, KOKKOS_LAMBDA(std::int64_t element) {
        std::int64_t const n = element / per_sample, i = element - n * per_sample;
        out[element] = coefficients[2 * n] * pairs.a[n * pairs.a_stride + i] +
                       coefficients[2 * n + 1] * pairs.b[n * pairs.b_stride + i];
      });
}

struct MakeEstimate {
  static constexpr char const* name = "sampler::estimate";
  std::int64_t pixels;
  int channels, output_channels;

  Work work(int) const { return {12.0 * pixels * channels, 6.0 * pixels * channels}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, Estimate const* how, float const* x, float const* output,
           float const* gradient, float* result) const {
    estimate<Backend>(exec, pixels, channels, how, x, output, output_channels, gradient, result);
  }
};

struct SumTerms {
  static constexpr char const* name = "sampler::sum";
  std::int64_t size;
  Terms terms;

  Work work(int) const { return {4.0 * (terms.count + 1) * size, 2.0 * terms.count * size}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float* out, float const* coefficients = nullptr) const {
    sum_terms<Backend>(exec, size, terms, coefficients, out);
  }
};

/// The number of values of x that are not finite.
struct CountNotFinite {
  static constexpr char const* name = "sampler::finite";
  std::int64_t size;

  Work work(int) const { return {4.0 * size, 0}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* x, std::int64_t* count) const {
    not_finite(exec, size, x, count);
  }
};

struct TakeAncestralStep {
  static constexpr char const* name = "sampler::ancestral";
  std::int64_t pixels;
  int channels, output_channels;

  Work work(int) const { return {16.0 * pixels * channels, 8.0 * pixels * channels}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, AncestralStep const* how, float const* output, float const* gradient,
           float const* noise, float* x) const {
    ancestral_step<Backend>(exec, pixels, channels, how, output, output_channels, gradient, noise, x);
  }
};

struct Guide {
  static constexpr char const* name = "sampler::guide";
  std::int64_t pixels;
  int channels, output_channels;
  float scale;

  Work work(int) const { return {12.0 * pixels * channels, 3.0 * pixels * channels}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* weak, float* strong) const {
    guide<Backend>(exec, pixels, channels, output_channels, scale, weak, strong);
  }
};

struct KeepWhere {
  static constexpr char const* name = "sampler::keep_where";
  std::int64_t pixels;
  int channels;

  Work work(int) const { return {12.0 * pixels * channels, 4.0 * pixels * channels}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* mask, float const* known, float* x) const {
    keep_where<Backend>(exec, pixels, channels, mask, known, x);
  }
};

struct Blend {
  static constexpr char const* name = "sampler::blend";
  std::int64_t samples, per_sample;
  Pairs pairs;

  Work work(int) const { return {12.0 * samples * per_sample, 3.0 * samples * per_sample}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* coefficients, float* out) const {
    blend<Backend>(exec, samples, per_sample, pairs, coefficients, out);
  }
};

#define GLYPHDIFF_SAMPLING_KERNELS(MAKE, Exec) \
  MAKE(estimate<Portable, Exec>)               \
  MAKE(estimate<Vectorised, Exec>)             \
  MAKE(sum_terms<Portable, Exec>)              \
  MAKE(sum_terms<Vectorised, Exec>)            \
  MAKE(ancestral_step<Portable, Exec>)         \
  MAKE(ancestral_step<Vectorised, Exec>)       \
  MAKE(guide<Portable, Exec>)                  \
  MAKE(guide<Vectorised, Exec>)                \
  MAKE(keep_where<Portable, Exec>)             \
  MAKE(keep_where<Vectorised, Exec>)           \
  MAKE(blend<Portable, Exec>)                  \
  MAKE(blend<Vectorised, Exec>)                \
  MAKE(tile_sums<Portable, Exec, PairProduct>) \
  MAKE(tile_sums<Vectorised, Exec, PairProduct>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_SAMPLING_KERNELS)

}  // namespace glyphdiff::kernels
