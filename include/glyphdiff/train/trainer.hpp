#pragma once

#include <glyphdiff/diffusion/process.hpp>
#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/kernels/random.hpp>
#include <glyphdiff/kernels/runner.hpp>
#include <glyphdiff/loss/objective.hpp>
#include <glyphdiff/loss/timestep_samplers.hpp>
#include <glyphdiff/loss/training_loss.hpp>
#include <glyphdiff/number_text.hpp>
#include <glyphdiff/optim/adamw.hpp>
#include <glyphdiff/optim/ema.hpp>
#include <glyphdiff/optim/gradient_norm.hpp>
#include <glyphdiff/optim/learning_rate.hpp>
#include <glyphdiff/train/trainable.hpp>
#include <glyphdiff/unet.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace glyphdiff {

struct TrainOptions {
  std::uint64_t seed = 0;
  int batch = 16;
  int microbatch = 0;             ///< images per pass over the network; 0: the whole batch
  bool sum_microbatches = false;  ///< add the microbatches' mean losses, as ADM does, instead of averaging
  LearningRate learning_rate{};
  AdamWOptions adamw{};
  double clip_norm = 0;  ///< largest norm of the gradient; 0: no clipping
  std::vector<double> ema_rates{0.9999};
  bool ema_warm_up = true;
  std::vector<double> ema_widths{};  ///< of averages with power-function profiles, see PowerProfile
  std::string ema_folder{};  ///< keeps the averages on the disk of this folder; empty: in memory. See Ema
};

/// What one update did.
struct StepReport {
  std::int64_t step;     ///< updates taken, this one included
  double loss, mse, vb;  ///< means over the batch, importance-weighted as trained
  double gradient_norm;  ///< before clipping
  double learning_rate;
  std::vector<double> losses;  ///< of each sample, not weighted, in slot order
};

/// Bytes that training takes, by what they are for.
struct TrainingMemory {
  std::int64_t parameters = 0;   ///< of the network
  std::int64_t training = 0;     ///< gradients, moments, averages
  std::int64_t activations = 0;  ///< and their gradients and scratch: the plan of one microbatch
  std::int64_t images = 0;       ///< noisy images, noise, outputs
  std::int64_t disk = 0;         ///< averages that lie there; not part of the total
  std::int64_t total() const { return parameters + training + activations + images; }
};

/// Trains a UNet on a diffusion process: noise, network, loss, backward, clip, AdamW, averages. Everything
/// random is a function of (seed, step, slot), so that a resumed run continues bit for bit.
///
/// TimestepSampler: UniformTimesteps, LossSecondMoment or StratifiedTimesteps. The network must outlive the
/// trainer.
template <class Net, class D, class Objective = Mse,
          class TimestepSampler = std::conditional_t<std::is_same_v<typename D::Time, int>, UniformTimesteps,
                                                     StratifiedTimesteps>>
class Trainer {
 public:
  using Exec = typename Net::execution_space;
  using Time = typename D::Time;

  static_assert(ValidObjective<Objective>::value);
  static_assert(D::Variance::learned == Net::config.learned_sigma,
                "Trainer: learned_sigma of the network and LearnedRange of the diffusion go together");
  static_assert(
      std::is_same_v<decltype(std::declval<TimestepSampler>().draw(0, 0, BatchSlice{})), TimestepBatch<Time>>,
      "Trainer: discrete diffusions take UniformTimesteps or LossSecondMoment, continuous ones "
      "StratifiedTimesteps");

  Trainer(Exec const& exec, Net& net, D diffusion, TrainOptions options)
      : Trainer(exec, net, std::move(diffusion), std::move(options), Trainable<Net>(exec, net)) {}

  Trainer(Trainer const&) = delete;
  Trainer& operator=(Trainer const&) = delete;

  /// Trains what `trainable` says of the network.
  Trainer(Exec const& exec, Net& net, D diffusion, TrainOptions options, Trainable<Net> trainable)
      : runner_(exec),
        net_(&net),
        diffusion_(std::move(diffusion)),
        options_(std::move(options)),
        timestep_sampler_(make_timestep_sampler(diffusion_)),
        trainable_(std::move(trainable)),
        adamw_(trainable_.list().total(), options_.adamw.with_seed(options_.seed)),
        ema_(exec, trainable_.values(), options_.ema_rates, options_.ema_warm_up, options_.ema_widths,
             options_.ema_folder),
        tape_(trainable_.selection()) {
    if (options_.batch < 1)
      throw Error("batch size: expected 1 or more, found " + std::to_string(options_.batch));
    options_.learning_rate.require_valid();
    if (options_.microbatch <= 0 || options_.microbatch > options_.batch)
      options_.microbatch = options_.batch;
  }

  /// One update from a batch x0 (batch,H,W,channels) in [-1, 1] and, for a network with classes, as many
  /// labels; for one that reads a condition, that too (batch,H,W,condition_channels). Throws NotFinite,
  /// having changed nothing, if the loss or the gradient is not a number.
  StepReport step(HostImages const& x0, std::span<int const> labels = {}, HostImages const& condition = {}) {
    int const batch = options_.batch;
    if (int(x0.extent(0)) != batch || int(x0.extent(3)) != Net::config.channels)
      throw Error("training batch",
                  std::to_string(batch) + " images of " + std::to_string(Net::config.channels) + " channels",
                  std::to_string(x0.extent(0)) + " of " + std::to_string(x0.extent(3)));
    if (!labels.empty() && int(labels.size()) != batch)
      throw Error("training labels", std::to_string(batch) + " of them", std::to_string(labels.size()));
    if (constexpr int more = Net::config.condition_channels; more > 0) {
      std::string const expected =
          shape_text({batch, std::int64_t(x0.extent(1)), std::int64_t(x0.extent(2)), more});
      if (shape_text(condition) != expected)
        throw Error("training condition", expected, shape_text(condition));
    }
    Net::require_labels(batch, labels);
    std::int64_t const step = adamw_.steps;
    auto const drawn = timestep_sampler_.draw(options_.seed, std::uint64_t(step), {0, batch, batch});
    StepReport report{step + 1, 0, 0, 0, 0, options_.learning_rate(step), {}};
    int const elements = int(x0.extent(1) * x0.extent(2) * x0.extent(3));
    UpdateMemory const memory = lay_out_update(drawn, labels, elements, report.learning_rate);
    host_uploads_.begin(x0.size() + (Net::config.condition_channels > 0 ? condition.size() : 0));
    try {
      for (int first = 0; first < batch; first += options_.microbatch)
        accumulate(x0, condition, memory, first, (std::min)(options_.microbatch, batch - first));
      trainable_.find_gradients(runner_);
      gradient_norm_.launch(runner_, trainable_.gradients(), has_bound ? 2 * batch : batch,
                            memory.squared_errors, options_.clip_norm, memory.outcome);
      adamw_.launch(runner_, trainable_.values(), trainable_.gradients(), ema_,
                    {memory.adamw, memory.rates, memory.outcome});
    } catch (...) {  // what earlier microbatches have added must not reach the next step
      zero(trainable_.network_gradients());
      zero(trainable_.gradients());
      fence(runner_, "what a step that failed has begun");
      throw;
    }
    auto& results = runner_.results();
    results.download(runner_);
    fence(runner_, "an update's losses and outcome to the host");
    kernels::UpdateOutcome const outcome = results.host(outcome_)[0];
    if (outcome.not_finite) throw NotFinite(step + 1);
    ++adamw_.steps;
    trainable_.apply(runner_, trainable_.values());

    report.gradient_norm = outcome.gradient_norm;
    LossReport loss =
        detail::loss_report<Objective>(diffusion_, elements, results.host(losses_).first(std::size_t(batch)),
                                       results.host(losses_).last(std::size_t(batch)));
    for (int n = 0; n < batch; ++n) {
      double const weight = drawn.weights[n] / batch;
      report.loss += weight * loss.total[n];
      report.mse += weight * loss.mse[n];
      report.vb += weight * loss.vb[n];
    }
    report.losses = std::move(loss.total);
    if constexpr (std::is_same_v<TimestepSampler, LossSecondMoment>)
      timestep_sampler_.update(drawn.times, report.losses);
    return report;
  }

  /// Computes for images (height,width) what an update computes for its first microbatch, and forgets it:
  /// changes nothing that training or a checkpoint depends on. Shows how long an update takes (forecast.hpp),
  /// and that its memory is there, before the first one.
  void rehearse(int height, int width) {
    int const count = options_.microbatch;
    auto const blank = [&](int channels) {
      return HostImages("glyphdiff::train::rehearsal", count, height, width, channels);
    };
    std::vector<int> const labels(Net::config.classes > 0 ? std::size_t(count) : 0, 0);
    auto const drawn = timestep_sampler_.draw(options_.seed, std::uint64_t(adamw_.steps), {0, count, count});
    HostImages const x0 = blank(Net::config.channels), condition = blank(Net::config.condition_channels);
    host_uploads_.begin(x0.size() + condition.size());
    accumulate(x0, condition, lay_out_update(drawn, labels, height * width * Net::config.channels, 0), 0,
               count);
    zero(trainable_.network_gradients());
    fence(runner_, "a rehearsal");
  }

  /// Training broke down; the parameters are those of the last good update.
  class NotFinite : public Error {
   public:
    explicit NotFinite(std::int64_t step)
        : Error("the loss is not a finite number at step " + std::to_string(step) +
                "; training stopped with the parameters of the step before") {}
  };

  /// What training at this image size will take, before the first step.
  TrainingMemory memory(int height, int width) {
    int const n = options_.microbatch;
    TrainingMemory m;
    m.parameters = net_->parameter_list().total() * std::int64_t(sizeof(float));
    int const averages = int(ema_.averages().size());
    m.training = trainable_.bytes(ema_.on_disk() ? 0 : averages, adamw_.options.moments);
    if (ema_.on_disk()) m.disk = averages * trainable_.list().total() * std::int64_t(sizeof(float));
    m.activations = tape_.bytes(*net_, runner_, {n, height, width});
    m.images =
        std::int64_t(n) * height * width *
        (3 * Net::config.channels + 2 * Net::config.out_channels() +
         (Net::config.condition_channels > 0 ? Net::config.condition_channels + Net::config.in_channels()
                                             : 0)) *
        std::int64_t(sizeof(float));
    return m;
  }

  /// Updates are recorded from here on; null: not.
  void set_profiler(Profiler* profiler) {
    if (profiler != nullptr) net_->name_layers(*profiler);
    tape_.set_profiler(profiler);
    runner_.set_profiler(profiler);
  }

  std::int64_t steps() const { return adamw_.steps; }
  TrainOptions const& options() const { return options_; }
  /// May be changed between updates: to extend a finished run, say.
  LearningRate& learning_rate() { return options_.learning_rate; }
  Net& net() { return *net_; }
  Trainable<Net>& trainable() { return trainable_; }
  D const& diffusion() const { return diffusion_; }
  AdamW<Exec>& adamw() { return adamw_; }
  Ema<Exec>& ema() { return ema_; }
  TimestepSampler& timestep_sampler() { return timestep_sampler_; }
  Exec const& exec() const { return runner_.space(); }

 private:
  static TimestepSampler make_timestep_sampler(D const& diffusion) {
    if constexpr (std::is_same_v<TimestepSampler, StratifiedTimesteps>)
      return TimestepSampler();
    else
      return TimestepSampler(diffusion.steps());
  }

  static constexpr bool has_bound = detail::has_bound<Objective, D>;

  /// What the operations of one update read beside images, and what they find out, in the space's memory. Of
  /// each sample of the whole batch, in slot order.
  struct UpdateMemory {
    float const* mixes;        ///< (batch,2): alpha, sigma
    Told told;                 ///< dropout: as noise
    RandomBatch const* noise;  ///< of each microbatch
    kernels::LossCoefficients const* losses;
    kernels::AdamWUpdate const* adamw;
    kernels::EmaRate const* rates;
    double *squared_errors, *bounds;  ///< sums over elements; bounds right behind
    kernels::UpdateOutcome* outcome;
  };

  /// Writes what an update with these timesteps, for images of so many elements, reads, and begins to upload
  /// it.
  UpdateMemory lay_out_update(TimestepBatch<Time> const& drawn, std::span<int const> labels, int elements,
                              double learning_rate) {
    std::span<Time const> const times(drawn.times);
    std::size_t const batch = times.size();
    auto &uploads = runner_.uploads(), &results = runner_.results();
    uploads.clear();
    auto const mixes = uploads.template add<float>(2 * batch);
    auto const timesteps = uploads.template add<float>(batch);
    auto const classes = uploads.template add<int>(labels.size());
    auto const random = [&](Stream stream) {
      RandomKey const key{options_.seed, stream, std::uint64_t(adamw_.steps)};
      return add_random(uploads, key, batch, std::size_t(options_.microbatch));
    };
    auto const noise = random(Stream::noise), dropout = random(Stream::dropout);
    auto const losses = uploads.template add<kernels::LossCoefficients>(batch);
    auto const adamw = uploads.template add<kernels::AdamWUpdate>(1);
    auto const rates = uploads.template add<kernels::EmaRate>(ema_.averages().size());
    detail::write_mixes(times, detail::noising(diffusion_), uploads.host(mixes));
    for (std::size_t n = 0; n < batch; ++n)
      uploads.host(timesteps)[n] = float(diffusion_.network_timestep(times[n]));
    std::ranges::copy(labels, uploads.host(classes).begin());
    std::vector<double> weights = drawn.weights;
    for (std::size_t n = 0; n < batch; ++n) {
      std::size_t const microbatch = std::size_t(options_.microbatch), first = n / microbatch * microbatch;
      weights[n] *= 1.0 / double(options_.sum_microbatches ? (std::min)(microbatch, batch - first)
                                                           : std::size_t(options_.batch));
    }
    detail::write_loss_coefficients<Objective>(diffusion_, times, std::span<double const>(weights), elements,
                                               uploads.host(losses));
    uploads.host(adamw)[0] = adamw_.scalars(learning_rate);
    ema_.write_rates(adamw_.steps, uploads.host(rates));
    uploads.upload(runner_);

    results.clear();
    losses_ = results.template add<double>(2 * batch);
    outcome_ = results.template add<kernels::UpdateOutcome>(1);
    results.make_room();
    return {uploads.device(mixes),
            {uploads.device(timesteps), labels.empty() ? nullptr : uploads.device(classes),
             uploads.device(dropout)},
            uploads.device(noise),
            uploads.device(losses),
            uploads.device(adamw),
            uploads.device(rates),
            results.device(losses_),
            results.device(losses_) + batch,
            results.device(outcome_)};
  }

  /// Forward and backward of `count` images from slot `first` on.
  void accumulate(HostImages const& x0, HostImages const& condition, UpdateMemory const& memory, int first,
                  int count) {
    int const h = int(x0.extent(1)), w = int(x0.extent(2)), channels = Net::config.channels;
    Microbatch images = lay_out(count, h, w);
    upload(x0, first, images.x0);
    if (Net::config.condition_channels > 0) upload(condition, first, images.condition);

    int const microbatch = first / options_.microbatch;
    runner_.run(kernels::FillNormal{count, std::int64_t(h) * w * channels}, images.eps.data(),
                memory.noise + microbatch);
    detail::combine(runner_, memory.mixes + 2 * first, images.x0, images.eps, unclipped, images.x_t);
    Images<Exec> const input = Net::beside_condition(runner_, images.x_t, images.condition, images.input);
    Told const told{memory.told.timesteps + first,
                    memory.told.labels == nullptr ? nullptr : memory.told.labels + first,
                    memory.told.dropout + microbatch};
    net_->forward(runner_, input, told, images.output, tape_);
    detail::launch_loss<Objective, D>(runner_, memory.losses + first, images.x0, images.eps, images.output,
                                      images.d_output, memory.squared_errors + first, memory.bounds + first);
    net_->backward(runner_, images.d_output, trainable_.network_gradients(), tape_);
  }

  /// The images of one microbatch; no condition and input unless the network reads a condition.
  struct Microbatch {
    Images<Exec> x0, eps, x_t, condition, input, output, d_output;
  };

  void zero(Arena<Exec> const& gradients) {
    runner_.run(kernels::FillZero{std::int64_t(gradients.extent(0))}, gradients.data());
  }

  /// The images from number `first` on, as many as `to` has.
  void upload(HostImages const& from, int first, Images<Exec> const& to) {
    std::size_t const each = from.extent(1) * from.extent(2) * from.extent(3);
    host_uploads_.upload(runner_, to, from.data() + std::size_t(first) * each);
  }

  /// Lays a microbatch out in memory that grows when it must and never shrinks.
  Microbatch lay_out(int n, int h, int w) {
    auto const size = [&](int channels) {  // whole cache lines
      return (std::int64_t(n) * h * w * channels + 15) / 16 * 16;
    };
    constexpr int in = Net::config.channels, out = Net::config.out_channels(),
                  condition = Net::config.condition_channels;
    constexpr int input = condition > 0 ? Net::config.in_channels() : 0;
    std::int64_t used = 0;
    auto const place = [&](int channels) {
      std::int64_t const offset = used;
      used += size(channels);
      return offset;
    };
    std::int64_t const offsets[] = {place(in),    place(in),  place(in), place(condition),
                                    place(input), place(out), place(out)};
    if (std::int64_t(images_.extent(0)) < used) {
      images_ = Arena<Exec>();  // gives its memory back first
      images_ =
          Arena<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::train::images"), used);
    }
    auto const at = [&](int k, int channels) {
      return Images<Exec>(images_.data() + offsets[k], n, h, w, channels);
    };
    return {at(0, in), at(1, in), at(2, in), at(3, condition), at(4, input), at(5, out), at(6, out)};
  }

  Runner<Exec, typename Net::backend> runner_;
  Net* net_;
  D diffusion_;
  TrainOptions options_;
  TimestepSampler timestep_sampler_;
  Trainable<Net> trainable_;
  AdamW<Exec> adamw_;
  Ema<Exec> ema_;
  GradientNorm<Exec> gradient_norm_;
  typename Net::Tape tape_;
  Arena<Exec> images_;
  HostUploads<Exec> host_uploads_;
  // In the runner's results().
  typename TransferBlock<Exec>::template Part<double> losses_;
  typename TransferBlock<Exec>::template Part<kernels::UpdateOutcome> outcome_;
};

}  // namespace glyphdiff
