#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/kernels/optimizer.hpp>
#include <glyphdiff/kernels/runner.hpp>
#include <glyphdiff/number_text.hpp>
#include <glyphdiff/optim/ema.hpp>
#include <glyphdiff/random.hpp>
#include <glyphdiff/tensor.hpp>

#include <cmath>
#include <cstdint>
#include <string>

namespace glyphdiff {

/// How the moments are kept.
enum class MomentFormat {
  float32,
  /// Half the memory. Rounded stochastically: to the nearest, a beta2 of 0.999 would let the second moment
  /// stand still, since 1 - beta2 is less than half of the last place.
  bfloat16,
};

/// Bytes of one value of a moment.
constexpr int moment_bytes(MomentFormat format) { return format == MomentFormat::bfloat16 ? 2 : 4; }

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;  ///< decoupled: p -= lr * weight_decay * p
  MomentFormat moments = MomentFormat::float32;
  std::uint64_t seed = 0;  ///< of the rounding of bfloat16 moments; a trainer sets its own

  AdamWOptions with_seed(std::uint64_t number) const {
    AdamWOptions options = *this;
    options.seed = number;
    return options;
  }
};

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2), with PyTorch's placing of eps:
///
///     m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
///     p = (1 - lr wd) p - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
///
/// The public members are the whole state: a checkpoint keeps the moments and the number of steps. The
/// rounding of bfloat16 moments is a function of (seed, steps, parameter).
template <class Exec>
class AdamW {
 public:
  AdamWOptions options;
  Arena<Exec> first_moment;   ///< m, same offsets as the parameters; empty where it is kept as bfloat16
  Arena<Exec> second_moment;  ///< v, likewise
  Bfloat16Arena<Exec> first_moment_bfloat16, second_moment_bfloat16;  ///< empty where they are floats
  std::int64_t steps = 0;                                             ///< updates taken

  /// For arenas of `count` parameters. Throws Error for options outside the algorithm's range.
  explicit AdamW(std::int64_t count, AdamWOptions const& adamw_options = {})
      : options(adamw_options), count_(count) {
    require("beta1", options.beta1, options.beta1 < 1.0, "below 1");
    require("beta2", options.beta2, options.beta2 < 1.0, "below 1");
    require("eps", options.eps, is_finite(options.eps), "finite");
    require("weight_decay", options.weight_decay, is_finite(options.weight_decay), "finite");
    std::string const first = "glyphdiff::adamw::first_moment", second = "glyphdiff::adamw::second_moment";
    if (bfloat16()) {
      first_moment_bfloat16 = Bfloat16Arena<Exec>(first, count);
      second_moment_bfloat16 = Bfloat16Arena<Exec>(second, count);
    } else {
      first_moment = Arena<Exec>(first, count);
      second_moment = Arena<Exec>(second, count);
    }
  }

  /// The scalars of the next update.
  kernels::AdamWUpdate scalars(double learning_rate) const {
    double const t = double(steps + 1);
    kernels::AdamWUpdate u;
    u.keep = float(1.0 - learning_rate * options.weight_decay);
    u.beta1 = float(options.beta1);
    u.one_minus_beta1 = float(1.0 - options.beta1);
    u.beta2 = float(options.beta2);
    u.one_minus_beta2 = float(1.0 - options.beta2);
    u.sqrt_bias_correction2 = float(std::sqrt(1.0 - std::pow(options.beta2, t)));
    u.eps = float(options.eps);
    u.step_size = float(learning_rate / (1.0 - std::pow(options.beta1, t)));
    u.rounding = {options.seed, Stream::rounding, std::uint64_t(steps)};
    return u;
  }

  /// One update. The gradients are multiplied by `gradient_scale` (see clip_factor) and end at zero; `ema`
  /// follows the new parameters. One pass over memory (one more for every four averages beyond the first
  /// four, or for every four where they lie on disk). `exec`: an execution space instance or a Runner.
  template <class On>
  void update(On const& exec, Arena<Exec> const& parameters, Arena<Exec> const& gradients,
              double learning_rate, Ema<Exec> const& ema = {}, double gradient_scale = 1.0) {
    auto&& runner = runner_on(exec);
    auto& uploads = runner.uploads();
    uploads.clear();
    auto const adamw = uploads.template add<kernels::AdamWUpdate>(1);
    auto const rates = uploads.template add<kernels::EmaRate>(ema.averages().size());
    auto const outcome = uploads.template add<kernels::UpdateOutcome>(1);
    uploads.host(adamw)[0] = scalars(learning_rate);
    ema.write_rates(steps, uploads.host(rates));
    uploads.host(outcome)[0] = {0.0, float(gradient_scale), 0};
    uploads.upload(runner);
    fence(runner, "an update's scalars to the space");
    launch(runner, parameters, gradients, ema,
           {uploads.device(adamw), uploads.device(rates), uploads.device(outcome)});
    ++steps;
  }

  /// The same with scalars(), the averages' rates and the outcome in the space's memory. Does not count the
  /// update: if the outcome is found to be finite, the caller adds 1 to `steps`.
  template <class On>
  void launch(On const& exec, Arena<Exec> const& parameters, Arena<Exec> const& gradients,
              Ema<Exec> const& ema, kernels::UpdateInput const& in) {
    require_size("parameters", parameters);
    require_size("gradients", gradients);
    for (auto const& average : ema.averages()) require_size("a moving average", average.values);
    auto const averages = ema.on_disk() ? kernels::EmaAverages{} : ema.pass(0);
    if (bfloat16())
      run(exec, kernels::AdamWStepBfloat16{count_, averages}, parameters.data(), gradients.data(),
          first_moment_bfloat16.data(), second_moment_bfloat16.data(), in);
    else
      run(exec, kernels::AdamWStep{count_, averages}, parameters.data(), gradients.data(),
          first_moment.data(), second_moment.data(), in);
    ema.launch(exec, parameters, in, std::size_t(averages.count));
  }

  AdamW(AdamW&&) = default;  // a copy would share the moments
  AdamW& operator=(AdamW&&) = default;

  bool bfloat16() const { return options.moments == MomentFormat::bfloat16; }

 private:
  static void require(char const* name, double value, bool in_range, char const* range) {
    if (is_nan(value) || value < 0.0 || !in_range)
      throw Error(std::string("AdamW's ") + name + " must be at least 0 and " + range + ", not " +
                  number_text(value) + ".");
  }

  void require_size(char const* what, Arena<Exec> const& arena) const {
    if (std::int64_t(arena.extent(0)) != count_)
      throw Error("AdamW was made for " + std::to_string(count_) + " parameters, but " + what + " has " +
                  std::to_string(arena.extent(0)) + ".");
  }

  std::int64_t count_;
};

}  // namespace glyphdiff
