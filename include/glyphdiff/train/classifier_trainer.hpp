#pragma once

#include <glyphdiff/diffusion/process.hpp>
#include <glyphdiff/encoder_unet.hpp>
#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/kernels/random.hpp>
#include <glyphdiff/kernels/runner.hpp>
#include <glyphdiff/loss/cross_entropy.hpp>
#include <glyphdiff/loss/timestep_samplers.hpp>
#include <glyphdiff/optim/adamw.hpp>
#include <glyphdiff/optim/gradient_norm.hpp>
#include <glyphdiff/optim/learning_rate.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace glyphdiff {

struct ClassifierTrainOptions {
  std::uint64_t seed = 0;
  int batch = 64;
  int microbatch = 0;                        ///< images per pass over the network; 0: the whole batch
  LearningRate learning_rate{.peak = 3e-4};  ///< as ADM
  AdamWOptions adamw{.weight_decay = 0.05};  ///< as ADM
};

/// What one update did.
struct ClassifierReport {
  std::int64_t step;  ///< updates taken, this one included
  double loss;        ///< mean cross entropy of the noised batch, in nats
  double accuracy;    ///< share of it that was told right, before the update
};

/// Trains an EncoderUNet to tell the classes of images that a diffusion process has noised, at timesteps of
/// equal probability (Dhariwal & Nichol 2021, section 4): the classifier that guides sampling from that
/// process. Everything random is a function of (seed, step, slot). The network must outlive the trainer.
template <class Net, class D>
class ClassifierTrainer {
 public:
  using Exec = typename Net::execution_space;
  using Time = typename D::Time;

  ClassifierTrainer(Exec const& exec, Net& net, D diffusion, ClassifierTrainOptions options)
      : runner_(exec),
        net_(&net),
        diffusion_(std::move(diffusion)),
        options_(std::move(options)),
        adamw_(std::int64_t(net.parameters().extent(0)), options_.adamw.with_seed(options_.seed)),
        gradients_("glyphdiff::gradients", net.parameters().extent(0)) {
    if (options_.batch < 1) throw Error("batch size", "1 or more", std::to_string(options_.batch));
    options_.learning_rate.require_valid();
    if (options_.microbatch <= 0 || options_.microbatch > options_.batch)
      options_.microbatch = options_.batch;
  }

  ClassifierTrainer(ClassifierTrainer const&) = delete;
  ClassifierTrainer& operator=(ClassifierTrainer const&) = delete;

  /// One update from a batch x0 (batch,H,W,channels) in [-1, 1] and its labels. Throws Error, having changed
  /// nothing, if a shape or label doesn't fit or the loss or gradient is not a number.
  ClassifierReport step(HostImages const& x0, std::span<int const> labels) {
    int const batch = options_.batch;
    if (int(x0.extent(0)) != batch || labels.size() != std::size_t(batch))
      throw Error("training batch of a classifier", std::to_string(batch) + " images and labels",
                  std::to_string(x0.extent(0)) + " and " + std::to_string(labels.size()));
    detail::require_labels(labels.size(), Net::classes_out, labels);
    std::uint64_t const step = std::uint64_t(adamw_.steps);
    ClassifierReport report{adamw_.steps + 1, 0, 0};
    UpdateMemory const memory =
        lay_out_update(draw_times(step), labels, 1.0 / batch, options_.learning_rate(std::int64_t(step)));
    host_uploads_.begin(x0.size());
    try {
      for (int first = 0; first < batch; first += options_.microbatch)
        accumulate(x0, memory, first, (std::min)(options_.microbatch, batch - first));
      gradient_norm_.launch(runner_, gradients_, batch, memory.loss, 0, memory.outcome);
      adamw_.launch(runner_, net_->parameters(), gradients_, {}, {memory.adamw, nullptr, memory.outcome});
    } catch (...) {
      zero_gradients();
      fence(runner_, "what a step that failed has begun");
      throw;
    }
    auto& results = runner_.results();
    results.download(runner_);
    fence(runner_, "an update's losses and outcome to the host");
    if (results.host(outcome_)[0].not_finite)
      throw Error("the loss is not a finite number at step " + std::to_string(report.step) +
                  "; training stopped with the parameters of the step before");
    ++adamw_.steps;
    add(report, results.host(loss_), results.host(predicted_), labels);
    return report;
  }

  /// Computes for images (height,width) what an update computes for its first microbatch, and forgets it:
  /// changes nothing, and shows how long an update takes before the first one.
  void rehearse(int height, int width) {
    int const count = options_.microbatch;
    HostImages const x0("glyphdiff::classifier::rehearsal", count, height, width, Net::config.channels);
    std::vector<int> const labels(std::size_t(count), 0);
    std::vector<Time> times = draw_times(std::uint64_t(adamw_.steps));
    times.resize(std::size_t(count));
    host_uploads_.begin(x0.size());
    accumulate(x0, lay_out_update(times, labels, 1.0, 0.0), 0, count);
    zero_gradients();
    fence(runner_, "a rehearsal");
  }

  /// The share of images x0 (N,H,W,channels) that is told right when all are noised to time t, with noise of
  /// the seed. Error if there are none, or a shape or label doesn't fit.
  double accuracy(HostImages const& x0, std::span<int const> labels, Time t, std::uint64_t seed) {
    if (labels.empty() || labels.size() != x0.extent(0))
      throw Error("images to judge a classifier by", "some, and as many labels",
                  std::to_string(x0.extent(0)) + " and " + std::to_string(labels.size()));
    typename Net::Evaluator classify(*net_);
    ClassifierReport sum{0, 0, 0};
    for (int first = 0; first < int(x0.extent(0)); first += options_.batch) {
      int const count = (std::min)(options_.batch, int(x0.extent(0)) - first);
      std::vector<Time> const times(std::size_t(count), t);
      host_uploads_.begin(x0.size() / x0.extent(0) * std::size_t(count));
      load(x0, first, count);
      runner_.run(
          kernels::FillNormal{
              count, std::int64_t(eps_.size()) / count, {seed, Stream::noise}, std::uint64_t(first)},
          eps_.data());
      q_sample(runner_, diffusion_, std::span<Time const>(times), x_, eps_, x_);
      classify(runner_, x_, network_timesteps(diffusion_, std::span<Time const>(times)), logits_);
      auto const own = labels.subspan(first, count);
      CrossEntropyReport const found = cross_entropy(runner_, logits_, own, {}, Logits<Exec>());
      add(sum, found.loss, found.predicted, own);
    }
    return sum.accuracy * options_.batch / double(x0.extent(0));
  }

  /// Updates are recorded from here on; null: not.
  void set_profiler(Profiler* profiler) {
    if (profiler != nullptr) net_->name_layers(*profiler);
    tape_.set_profiler(profiler);
    runner_.set_profiler(profiler);
  }

  std::int64_t steps() const { return adamw_.steps; }
  D const& diffusion() const { return diffusion_; }
  ClassifierTrainOptions const& options() const { return options_; }
  /// May be changed between updates, as the Trainer's.
  LearningRate& learning_rate() { return options_.learning_rate; }
  Net& net() { return *net_; }
  AdamW<Exec>& adamw() { return adamw_; }
  Exec const& exec() const { return runner_.space(); }

 private:
  std::vector<Time> draw_times(std::uint64_t step) const {
    BatchSlice const all{0, options_.batch, options_.batch};
    if constexpr (std::is_same_v<Time, int>)
      return UniformTimesteps(diffusion_.steps()).draw(options_.seed, step, all).times;
    else
      return StratifiedTimesteps().draw(options_.seed, step, all).times;
  }

  /// What the operations of one update read beside images, and what they find out, in the space's memory. Of
  /// each image of the whole batch, in slot order.
  struct UpdateMemory {
    float const* mixes;  ///< (batch,2): alpha, sigma
    float const* timesteps;
    int const* labels;
    double const* weights;
    RandomBatch const *noise, *dropout;  ///< of each microbatch
    kernels::AdamWUpdate const* adamw;
    double* loss;
    int* predicted;
    kernels::UpdateOutcome* outcome;
  };

  /// Writes what an update with these times reads, and begins to upload it. `weight`: of each loss.
  UpdateMemory lay_out_update(std::vector<Time> const& all, std::span<int const> labels, double weight,
                              double learning_rate) {
    std::span<Time const> const times(all);
    std::size_t const batch = times.size();
    auto &uploads = runner_.uploads(), &results = runner_.results();
    uploads.clear();
    auto const mixes = uploads.template add<float>(2 * batch);
    auto const timesteps = uploads.template add<float>(batch);
    auto const classes = uploads.template add<int>(batch);
    auto const weights = uploads.template add<double>(batch);
    auto const random = [&](Stream stream) {
      RandomKey const key{options_.seed, stream, std::uint64_t(adamw_.steps)};
      return add_random(uploads, key, batch, std::size_t(options_.microbatch));
    };
    auto const noise = random(Stream::noise), dropout = random(Stream::dropout);
    auto const adamw = uploads.template add<kernels::AdamWUpdate>(1);
    detail::write_mixes(times, detail::noising(diffusion_), uploads.host(mixes));
    for (std::size_t n = 0; n < batch; ++n)
      uploads.host(timesteps)[n] = float(diffusion_.network_timestep(times[n]));
    std::ranges::copy(labels, uploads.host(classes).begin());
    std::ranges::fill(uploads.host(weights), weight);
    uploads.host(adamw)[0] = adamw_.scalars(learning_rate);
    uploads.upload(runner_);

    results.clear();
    loss_ = results.template add<double>(batch);
    predicted_ = results.template add<int>(batch);
    outcome_ = results.template add<kernels::UpdateOutcome>(1);
    results.make_room();
    return {uploads.device(mixes),   uploads.device(timesteps), uploads.device(classes),
            uploads.device(weights), uploads.device(noise),     uploads.device(dropout),
            uploads.device(adamw),   results.device(loss_),     results.device(predicted_),
            results.device(outcome_)};
  }

  /// Forward and backward of images first .. first + count of x0.
  void accumulate(HostImages const& x0, UpdateMemory const& memory, int first, int count) {
    int const microbatch = first / options_.microbatch;
    load(x0, first, count);
    runner_.run(kernels::FillNormal{count, std::int64_t(eps_.size()) / count}, eps_.data(),
                memory.noise + microbatch);
    detail::combine(runner_, memory.mixes + 2 * first, x_, eps_, unclipped, x_);
    net_->forward(runner_, x_, Told{memory.timesteps + first, nullptr, memory.dropout + microbatch}, logits_,
                  tape_);
    runner_.run(kernels::CrossEntropy{count, Net::classes_out}, logits_.data(), memory.labels + first,
                memory.weights + first, memory.loss + first, memory.predicted + first, d_logits_.data());
    net_->backward(runner_, d_logits_, gradients_, tape_);
  }

  void zero_gradients() {
    runner_.run(kernels::FillZero{std::int64_t(gradients_.extent(0))}, gradients_.data());
  }

  /// x_: images first .. first + count of x0; makes room for their noise and logits.
  void load(HostImages const& x0, int first, int count) {
    int const h = int(x0.extent(1)), w = int(x0.extent(2)), channels = int(x0.extent(3));
    lay_out(count, h, w, channels);
    host_uploads_.upload(runner_, x_, x0.data() + std::int64_t(first) * h * w * channels);
  }

  /// Lays a microbatch out in memory that grows when it must and never shrinks.
  void lay_out(int n, int h, int w, int channels) {
    auto const whole_lines = [](std::int64_t floats) { return (floats + 15) / 16 * 16; };
    std::int64_t const images = whole_lines(std::int64_t(n) * h * w * channels),
                       logits = whole_lines(std::int64_t(n) * Net::classes_out),
                       needed = 2 * images + 2 * logits;
    if (std::int64_t(memory_.extent(0)) < needed) {
      memory_ = Arena<Exec>();  // gives its memory back first
      memory_ = Arena<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::classifier::images"),
                            needed);
    }
    float* const data = memory_.data();
    x_ = Images<Exec>(data, n, h, w, channels);
    eps_ = Images<Exec>(data + images, n, h, w, channels);
    logits_ = Logits<Exec>(data + 2 * images, n, Net::classes_out);
    d_logits_ = Logits<Exec>(data + 2 * images + logits, n, Net::classes_out);
  }

  void add(ClassifierReport& report, std::span<double const> loss, std::span<int const> predicted,
           std::span<int const> labels) const {
    for (std::size_t n = 0; n < labels.size(); ++n) {
      report.loss += loss[n] / options_.batch;
      report.accuracy += (predicted[n] == labels[n] ? 1.0 : 0.0) / options_.batch;
    }
  }

  Runner<Exec, typename Net::backend> runner_;
  Net* net_;
  D diffusion_;
  ClassifierTrainOptions options_;
  AdamW<Exec> adamw_;
  Arena<Exec> gradients_;
  GradientNorm<Exec> gradient_norm_;
  typename Net::Tape tape_;
  Arena<Exec> memory_;  // of what follows
  Images<Exec> x_, eps_;
  Logits<Exec> logits_, d_logits_;
  HostUploads<Exec> host_uploads_;
  // In the runner's results().
  typename TransferBlock<Exec>::template Part<double> loss_;
  typename TransferBlock<Exec>::template Part<int> predicted_;
  typename TransferBlock<Exec>::template Part<kernels::UpdateOutcome> outcome_;
};

}  // namespace glyphdiff
