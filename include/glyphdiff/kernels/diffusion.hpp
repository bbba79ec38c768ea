#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>
#include <glyphdiff/kernels/runner.hpp>
#include <glyphdiff/tensor.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

/// Elementwise work of the diffusion process and its losses. Images are contiguous (N,H,W,C); a
/// network's output may have more channels than the image, the prediction first, then what interpolates the
/// log variance.
namespace glyphdiff::kernels {

/// x within [-limit, limit]; NaN stays NaN.
KOKKOS_INLINE_FUNCTION float clip(float x, float limit) {
  return x < -limit ? -limit : x > limit ? limit : x;
}

/// Pixels per item of elementwise work: runs on the host's cores, single ones on a device's threads.
template <class Backend>
inline constexpr std::int64_t pixel_run = Backend::one_element_per_item ? 1 : 1024;

KOKKOS_INLINE_FUNCTION void combine_run(std::int64_t pixels, int channels, float const* a, float const* b,
                                        int b_channels, float first, float second, float limit, float* out) {
  if (b_channels == channels) {
    for (std::int64_t i = 0; i < pixels * channels; ++i) out[i] = clip(first * a[i] + second * b[i], limit);
    return;
  }
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
    for (int c = 0; c < channels; ++c)
      out[pixel * channels + c] =
          clip(first * a[pixel * channels + c] + second * b[pixel * b_channels + c], limit);
}

/// out = first[n] a + second[n] b for sample n, clipped to [-limit, limit]. `coefficients` holds (first,
/// second) per sample; of b's channels the first `channels` are read. `out` may be `a`, or `b` if it has no
/// more channels.
template <class Backend, class Exec>
void combine(Exec const& exec, std::int64_t samples, std::int64_t pixels, int channels, float const* a,
             float const* b, int b_channels, float const* coefficients, float limit, float* out) {
  std::int64_t const run = pixel_run<Backend>, runs = (pixels + run - 1) / run;
  for_each(
      "glyphdiff::diffusion::combine", exec, samples * runs, KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t const n = item / runs, in_image = (item - n * runs) * run, first = n * pixels + in_image;
        std::int64_t const count = in_image + run < pixels ? run : pixels - in_image;
        combine_run(count, channels, a + first * channels, b + first * b_channels, b_channels,
                    coefficients[2 * n], coefficients[2 * n + 1], limit, out + first * channels);
      });
}

// Sums over samples. Partial sums in double over fixed tiles, added in index order: the same for any thread
// count.

inline constexpr int sum_tile = 512;  ///< elements

/// Sums one tile of one sample. `Term` is called as term(sample, element) and returns a double.
template <class Term>
struct TileSum {
  Term term;
  double* sums;  // (samples, tiles)
  int per_sample, tiles;

  KOKKOS_FUNCTION void operator()(std::int64_t tile) const {
    std::int64_t const n = tile / tiles;
    int const first = static_cast<int>(tile - n * tiles) * sum_tile;
    int const last = per_sample - first < sum_tile ? per_sample : first + sum_tile;
    double sum = 0;
    for (int i = first; i < last; ++i) sum += term(n, i);
    sums[tile] = sum;
  }
};

/// The same with a team of threads per tile, for devices.
template <class Term, class Member>
struct TeamTileSum {
  Term term;
  double* sums;  // (samples, tiles)
  int per_sample, tiles;

  KOKKOS_FUNCTION void operator()(Member const& team) const {
    std::int64_t const tile = team.league_rank(), n = tile / tiles;
    int const first = static_cast<int>(tile - n * tiles) * sum_tile;
    int const count = per_sample - first < sum_tile ? per_sample - first : sum_tile;
    double sum = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, count),
        [&](int const i, double& partial) { partial += term(n, first + i); }, sum);
    if (team.team_rank() == 0) sums[tile] = sum;
  }
};

/// The sums of term(n, i) over each tile of the elements i of each sample n: (samples, tiles).
template <class Backend, class Exec, class Term>
void tile_sums(Exec const& exec, std::int64_t samples, int tiles, int per_sample, Term const& term,
               double* sums) {
  if constexpr (Backend::one_element_per_item) {
    using Policy = Kokkos::TeamPolicy<Exec>;
    Policy const policy(exec, static_cast<int>(samples * tiles), runs_on_host<Exec> ? 1 : 128);
    Kokkos::parallel_for("glyphdiff::loss::sum", policy,
                         TeamTileSum<Term, typename Policy::member_type>{term, sums, per_sample, tiles});
  } else {
    for_each("glyphdiff::loss::sum", exec, samples * tiles, TileSum<Term>{term, sums, per_sample, tiles});
  }
}

/// sums[n] = the sum of sample n's tiles (samples, tiles), in index order.
template <class Exec>
void add_tiles(Exec const& exec, std::int64_t samples, int tiles, double const* of_tiles, double* sums) {
  for_each(
      "glyphdiff::loss::add_tiles", exec, samples, KOKKOS_LAMBDA(std::int64_t n) {
        double sum = 0;
        for (int tile = 0; tile < tiles; ++tile) sum += of_tiles[n * tiles + tile];
        sums[n] = sum;
      });
}

/// sums[n] = the sum of term(n, i) over the elements i of each sample n.
template <class Term>
struct SumPerSample {
  static constexpr char const* name = "loss::sum";
  std::int64_t samples;
  int per_sample;
  Term term;

  Work work(int) const { return {16.0 * samples * per_sample, 4.0 * samples * per_sample}; }
  template <class Backend, class Exec>
  std::int64_t scratch(Backend, Exec const&) const {
    return std::int64_t(sizeof(double) / sizeof(float)) * samples * tiles();
  }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float* scratch, double* sums) const {
    double* const of_tiles = reinterpret_cast<double*>(scratch);
    tile_sums<Backend>(exec, samples, tiles(), per_sample, term, of_tiles);
    add_tiles(exec, samples, tiles(), of_tiles, sums);
  }

  int tiles() const { return (per_sample + sum_tile - 1) / sum_tile; }
};

/// The same on the host. `on`: an execution space instance or a Runner.
template <class On, class Term>
std::vector<double> sum_per_sample(On const& on, std::int64_t samples, int per_sample, Term const& term) {
  auto&& runner = runner_on(on);
  auto& results = runner.results();
  results.clear();
  auto const sums = results.template add<double>(std::size_t(samples));
  results.make_room();
  runner.run(SumPerSample<Term>{samples, per_sample, term}, results.device(sums));
  results.download(runner);
  fence(runner, "sums to the host");
  auto const host = results.host(sums);
  return std::vector<double>(host.begin(), host.end());
}

/// Where the elements of a sample lie in its image and, channels apart, in the network's output.
struct LossLayout {
  int pixels, channels, output_channels;

  KOKKOS_FUNCTION std::int64_t image(std::int64_t n, int i) const { return n * pixels * channels + i; }
  KOKKOS_FUNCTION std::int64_t output(std::int64_t n, int i) const {
    int const pixel = i / channels;
    return (n * pixels + pixel) * output_channels + (i - pixel * channels);
  }
};

/// What the loss of one sample needs to know about its timestep.
struct LossCoefficients {
  float target_x0, target_eps;  ///< the network's target = target_x0 x0 + target_eps eps
  float error_to_x0;            ///< (x0 estimate - x0) = error_to_x0 (output - target)
  float x0_to_mean;             ///< of the posterior mean
  float log_true;               ///< log variance of q(x_{t-1} | x_t, x_0), clipped
  float log_small, log_large;   ///< what a learned log variance interpolates; equal if it is fixed
  float first;                  ///< 1 at t = 0, where the term is -log p(x_0 | x_1), else 0
  float squared_weight;         ///< d(training loss) / d(sum of squared errors)
  float bound_weight;           ///< d(training loss) / d(sum of variational bound terms in nats)
};

/// The squared error of the prediction; its gradient goes to the first channels of `gradient` (not if null).
struct SquaredError {
  float const *x0, *eps, *output;
  LossCoefficients const* coefficients;
  float* gradient;
  LossLayout layout;

  KOKKOS_FUNCTION double operator()(std::int64_t n, int i) const {
    LossCoefficients const& k = coefficients[n];
    std::int64_t const element = layout.image(n, i), j = layout.output(n, i);
    float const error = output[j] - (k.target_x0 * x0[element] + k.target_eps * eps[element]);
    if (gradient != nullptr) gradient[j] = 2.0f * k.squared_weight * error;
    return double(error) * error;
  }
};

/// A term of the variational bound for one element and its derivatives.
struct BoundTerm {
  double nats, d_mean, d_log_variance;
};

/// KL(N(mean + offset, exp log_true) || N(mean, exp log_variance)); offset = true mean - model mean, and
/// d_mean is the derivative by the model's.
KOKKOS_INLINE_FUNCTION BoundTerm gaussian_kl(float offset, float log_true, float log_variance) {
  float const ratio = log_true - log_variance, precision = ::expf(-log_variance);
  float const growth = ::expm1f(ratio), distance = offset * offset * precision;
  return {0.5 * (growth - ratio + distance), -double(offset) * precision, -0.5 * (growth + distance)};
}

/// An approximation of the standard normal's cumulative distribution function by tanh (as the published
/// checkpoints were trained with), and its derivative.
KOKKOS_INLINE_FUNCTION void normal_cdf(double x, double& value, double& slope) {
  double const scale = 0.7978845608028654;  // sqrt(2 / pi)
  double const t = ::tanh(scale * (x + 0.044715 * x * x * x));
  value = 0.5 * (1.0 + t);
  slope = 0.5 * (1.0 - t * t) * scale * (1.0 + 0.134145 * x * x);
}

/// -log of the probability that a Gaussian gives to the bin of width 2/255 around x0 (Ho et al. 2020,
/// equation 13), the outermost bins open-ended. offset = x0 - mean. In double: the difference of two values
/// near 1 counts.
KOKKOS_INLINE_FUNCTION BoundTerm discretised_gaussian(float x0, float offset, float log_variance) {
  double const inverse = ::exp(-0.5 * log_variance), half_bin = 1.0 / 255.0;
  double const upper = inverse * (offset + half_bin), lower = inverse * (offset - half_bin);
  double cdf_upper, cdf_lower, slope_upper, slope_lower;
  normal_cdf(upper, cdf_upper, slope_upper);
  normal_cdf(lower, cdf_lower, slope_lower);
  if (x0 < -0.999f) cdf_lower = slope_lower = 0.0;
  if (x0 > 0.999f) cdf_upper = 1.0, slope_upper = 0.0;
  double const probability = cdf_upper - cdf_lower, least = 1e-12;
  if (!(probability > least)) return {-::log(least), 0.0, 0.0};
  return {-::log(probability), inverse * (slope_upper - slope_lower) / probability,
          0.5 * (slope_upper * upper - slope_lower * lower) / probability};
}

/// A term of the variational bound in nats. The gradient by the variance channels goes there if the variance
/// is learned; that by the prediction to the first channels unless it is detached (`gradient` null: neither).
struct VariationalBound {
  float const *x0, *eps, *output;
  LossCoefficients const* coefficients;
  float* gradient;
  LossLayout layout;
  float limit;  // of the x0 estimate
  bool learned_variance, prediction_gradient;

  KOKKOS_FUNCTION double operator()(std::int64_t n, int i) const {
    LossCoefficients const& k = coefficients[n];
    std::int64_t const element = layout.image(n, i), j = layout.output(n, i), channels = layout.channels;
    float const error = output[j] - (k.target_x0 * x0[element] + k.target_eps * eps[element]);
    float const shift = k.error_to_x0 * error, estimate = x0[element] + shift;
    bool const clipped = clip(estimate, limit) != estimate;
    // Not the difference of the estimates, where nothing is clipped: it may be far below their rounding.
    float const offset = -k.x0_to_mean * (clipped ? clip(estimate, limit) - x0[element] : shift);
    float const fraction = learned_variance ? (output[j + channels] + 1.0f) * 0.5f : 1.0f;
    float const log_variance = fraction * k.log_large + (1.0f - fraction) * k.log_small;
    BoundTerm const term = k.first != 0.0f ? discretised_gaussian(x0[element], offset, log_variance)
                                           : gaussian_kl(offset, k.log_true, log_variance);
    if (gradient != nullptr && learned_variance)
      gradient[j + channels] =
          static_cast<float>(0.5 * k.bound_weight * term.d_log_variance * (k.log_large - k.log_small));
    if (gradient != nullptr && prediction_gradient)
      gradient[j] =
          clipped ? 0.0f : static_cast<float>(k.bound_weight * term.d_mean * k.x0_to_mean * k.error_to_x0);
    return term.nats;
  }
};

/// x^2, for the prior term of the bound.
struct SquaredValue {
  float const* x;
  LossLayout layout;
  KOKKOS_FUNCTION double operator()(std::int64_t n, int i) const {
    double const value = x[layout.image(n, i)];
    return value * value;
  }
};

struct Combine {
  static constexpr char const* name = "diffusion::combine";
  std::int64_t samples, pixels;
  int channels, b_channels;
  float limit;

  Work work(int) const { return {12.0 * samples * pixels * channels, 3.0 * samples * pixels * channels}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* a, float const* b, float const* coefficients,
           float* out) const {
    combine<Backend>(exec, samples, pixels, channels, a, b, b_channels, coefficients, limit, out);
  }
};

#define GLYPHDIFF_DIFFUSION_KERNELS(MAKE, Exec)       \
  MAKE(combine<Portable, Exec>)                       \
  MAKE(combine<Vectorised, Exec>)                     \
  MAKE(add_tiles<Exec>)                               \
  MAKE(tile_sums<Portable, Exec, SquaredError>)       \
  MAKE(tile_sums<Vectorised, Exec, SquaredError>)     \
  MAKE(tile_sums<Portable, Exec, VariationalBound>)   \
  MAKE(tile_sums<Vectorised, Exec, VariationalBound>) \
  MAKE(tile_sums<Portable, Exec, SquaredValue>)       \
  MAKE(tile_sums<Vectorised, Exec, SquaredValue>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_DIFFUSION_KERNELS)

}  // namespace glyphdiff::kernels
