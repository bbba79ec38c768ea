#pragma once

#include <glyphdiff/bits.hpp>
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
#include <cmath>
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
    std::uint64_t const step = std::uint64_t(adamw_.steps);
    std::vector<Time> const times = draw_times(step);
    ClassifierReport report{adamw_.steps + 1, 0, 0};
    try {
      for (int first = 0; first < batch; first += options_.microbatch) {
        int const count = (std::min)(options_.microbatch, batch - first);
        auto const own = labels.subspan(first, count);
        auto const& x = noised(x0, first, count, std::span(times).subspan(first, count),
                               {options_.seed, Stream::noise, step});
        net_->forward(runner_, x, timesteps(std::span(times).subspan(first, count)), logits_, tape_,
                      {options_.seed, step, first});
        add(report, cross_entropy(runner_, logits_, own, std::vector<double>(count, 1.0 / batch), d_logits_),
            own);
        net_->backward(runner_, d_logits_, gradients_, tape_);
      }
      if (!is_finite(gradient_norm_(runner_, gradients_)) || !is_finite(report.loss))
        throw Error("the loss is not a finite number at step " + std::to_string(report.step) +
                    "; training stopped with the parameters of the step before");
    } catch (...) {
      runner_.run(kernels::FillZero{std::int64_t(gradients_.extent(0))}, gradients_.data());
      throw;
    }
    adamw_.update(runner_, net_->parameters(), gradients_, options_.learning_rate(std::int64_t(step)));
    return report;
  }

  /// Computes for images (height,width) what an update computes for its first microbatch, and forgets it:
  /// changes nothing, and shows how long an update takes before the first one.
  void rehearse(int height, int width) {
    int const count = options_.microbatch;
    HostImages const x0("glyphdiff::classifier::rehearsal", count, height, width, Net::config.channels);
    std::vector<int> const labels(std::size_t(count), 0);
    std::vector<Time> all = draw_times(std::uint64_t(adamw_.steps));
    auto const times = std::span<Time const>(all).first(std::size_t(count));
    auto const& x = noised(x0, 0, count, times, {options_.seed, Stream::noise});
    net_->forward(runner_, x, timesteps(times), logits_, tape_, {options_.seed, 0, 0});
    cross_entropy(runner_, logits_, labels, std::vector<double>(std::size_t(count), 1.0), d_logits_);
    net_->backward(runner_, d_logits_, gradients_, tape_);
    runner_.run(kernels::FillZero{std::int64_t(gradients_.extent(0))}, gradients_.data());
    runner_.fence();
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
      auto const& x = noised(x0, first, count, times, {seed, Stream::noise});
      classify(runner_, x, timesteps(times), logits_);
      auto const own = labels.subspan(first, count);
      add(sum, cross_entropy(runner_, logits_, own, {}, Logits<Exec>()), own);
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

  std::vector<float> timesteps(std::span<Time const> times) const {
    return network_timesteps(diffusion_, times);
  }

  /// Images first .. first + count of x0 at these times; makes room for their logits.
  Images<Exec> const& noised(HostImages const& x0, int first, int count, std::span<Time const> times,
                             RandomKey noise) {
    int const h = int(x0.extent(1)), w = int(x0.extent(2)), channels = int(x0.extent(3));
    lay_out(count, h, w, channels);
    HostImages const chosen(x0.data() + std::int64_t(first) * h * w * channels, count, h, w, channels);
    copy_values(runner_, x_, chosen);
    runner_.run(kernels::FillNormal{count, std::int64_t(h) * w * channels, noise, std::uint64_t(first)},
                eps_.data());
    q_sample(runner_, diffusion_, times, x_, eps_, x_);
    return x_;
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

  void add(ClassifierReport& report, CrossEntropyReport const& part, std::span<int const> labels) const {
    for (std::size_t n = 0; n < labels.size(); ++n) {
      report.loss += part.loss[n] / options_.batch;
      report.accuracy += (part.predicted[n] == labels[n] ? 1.0 : 0.0) / options_.batch;
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
};

}  // namespace glyphdiff
