#pragma once

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/sampler/draw.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/train/classifier_checkpoint.hpp>
#include <glyphdiff/train/trained_part.hpp>

#include <string>
#include <vector>

/// The runs whose checkpoints glyphdiff 0.1.0 left in this folder. README.md says how.
namespace old_runs {

namespace gd = glyphdiff;
using Exec = Kokkos::DefaultHostExecutionSpace;

constexpr int size = 8, batch = 8;

/// The training images of an update: a function of its number.
inline gd::HostImages images_of(std::int64_t step) {
  gd::HostImages const images("images", batch, size, size, 1);
  for (std::size_t i = 0; i < images.size(); ++i)
    images.data()[i] = float((std::int64_t(i) * 37 + step * 101) % 255) / 127.5f - 1;
  return images;
}

inline std::vector<int> labels_of(std::int64_t step) {
  std::vector<int> labels;
  for (int n = 0; n < batch; ++n) labels.push_back(int((n + step) % 3));
  return labels;
}

/// The same parameters in every build.
inline bool fill(gd::Arena<Exec> const& parameters) {
  for (std::size_t i = 0; i < parameters.extent(0); ++i)
    parameters(i) = float(std::uint32_t(i + 1) * 2654435761u >> 8) * 0x1p-24f - 0.5f;
  return true;
}

/// A UNet with a learned variance and classes, clipped gradients, timesteps drawn by their losses (all four
/// have their ten after nine updates), an average of each kind.
struct Learned {
  struct Spec {
    static constexpr gd::UNetConfig config{.image_size = size,
                                           .channels = 1,
                                           .learned_sigma = true,
                                           .model_channels = 4,
                                           .channel_mult = {1},
                                           .res_blocks = 1,
                                           .num_heads = 2,
                                           .dropout = 0.1,
                                           .classes = 3,
                                           .norm_groups = 2};
  };
  using Net = gd::UNet<Spec, Exec>;
  using Process = gd::Diffusion<gd::CosineSchedule<4>, gd::Epsilon, gd::LearnedRange>;
  using Coach = gd::Trainer<Net, Process, gd::RescaledMse, gd::LossSecondMoment>;

  static constexpr auto name = "learned";
  static constexpr int saved_at = 9;
  static gd::TrainOptions options() {
    gd::TrainOptions o;
    o.seed = 11;
    o.batch = batch;
    o.microbatch = 4;
    o.clip_norm = 0.5;
    o.learning_rate.peak = 1e-2;
    o.adamw.weight_decay = 0.01;
    o.ema_rates = {0.9};
    o.ema_widths = {0.1};
    return o;
  }
  static gd::KeyValues identity() { return {{"preset", "Learned"}}; }

  Exec exec;
  Net net{exec, 1};
  Coach trainer{exec, net, Process(), options()};

  double step() {
    std::int64_t const k = trainer.steps();
    return trainer.step(images_of(k), labels_of(k)).loss;
  }
  gd::HostImages sample() {
    typename Net::Evaluator denoise(net, trainer.ema().averages()[0].values);
    denoise.set_labels({0, 1});
    return gd::draw_ddim(exec, Process(), denoise, 2, size, size, 1, 5);
  }
};

/// What the runs of small letter networks share.
struct LetterSpec {
  static constexpr gd::UNetConfig config{.image_size = size,
                                         .channels = 1,
                                         .model_channels = 4,
                                         .channel_mult = {1, 1},
                                         .res_blocks = 1,
                                         .norm_groups = 2,
                                         .space_to_depth = 2,
                                         .coordinate_channels = true,
                                         .middle_attention = true,
                                         .middle_res_blocks = 1,
                                         .level_input_skips = false};
};

template <class Kind>
struct LetterRun {
  using Net = gd::UNet<LetterSpec, Exec>;
  using Process = gd::ContinuousDiffusion<gd::ContinuousCosine, gd::V>;
  using Coach = gd::Trainer<Net, Process>;
  static constexpr int saved_at = 3;

  static gd::TrainOptions shared_options() {
    gd::TrainOptions o;
    o.seed = 12;
    o.batch = batch;
    o.learning_rate.peak = 1e-2;
    o.ema_rates = {0.9};
    return o;
  }

  Exec exec;
  Net net{exec, 1};
  bool filled =
      fill(net.parameters());  // a fresh network's output is zero, and stays so where little is trained
  Coach trainer{exec, net, Process(5), Kind::options(),
                gd::make_trainable(exec, net, Kind::part, 2, Kind::options().seed)};

  double step() { return trainer.step(images_of(trainer.steps())).loss; }
  gd::HostImages sample() {
    gd::HostImages result;
    trainer.trainable().with(exec, trainer.ema().averages()[0].values, [&](gd::Arena<Exec> const& weights) {
      typename Net::Evaluator denoise(net, weights);
      result = gd::draw_ddim(exec, Process(5), denoise, 2, size, size, 1, 5);
    });
    return result;
  }
};

/// As letter_a trains; its snapshot is there too.
struct Letter : LetterRun<Letter> {
  static constexpr auto name = "letter";
  static constexpr auto part = gd::TrainedPart::all;
  static gd::TrainOptions options() {
    auto o = shared_options();
    o.adamw.beta2 = 0.99;
    o.clip_norm = 1;
    o.learning_rate = {
        .peak = 1e-2, .warm_up = 2, .decay = gd::Decay::cosine, .steps = 10, .final_fraction = 0.05};
    return o;
  }
  static gd::KeyValues identity() {
    return {{"preset", "Letter"}, {"letters", "letters_a, 24"}, {"variation", "width and slant"}};
  }
};

/// Moments in bfloat16, microbatches whose losses are added.
struct Bfloat16 : LetterRun<Bfloat16> {
  static constexpr auto name = "bfloat16";
  static constexpr auto part = gd::TrainedPart::all;
  static gd::TrainOptions options() {
    auto o = shared_options();
    o.microbatch = 3;
    o.sum_microbatches = true;
    o.adamw.moments = gd::MomentFormat::bfloat16;
    o.ema_warm_up = false;
    return o;
  }
  static gd::KeyValues identity() { return {}; }
};

/// Low-rank corrections.
struct LowRank : LetterRun<LowRank> {
  static constexpr auto name = "low_rank";
  static constexpr auto part = gd::TrainedPart::low_rank;
  static gd::TrainOptions options() { return shared_options(); }
  static gd::KeyValues identity() { return {{"trained", "low-rank 2"}}; }
};

/// Norms and biases alone.
struct Norms : LetterRun<Norms> {
  static constexpr auto name = "norms";
  static constexpr auto part = gd::TrainedPart::norms;
  static gd::TrainOptions options() { return shared_options(); }
  static gd::KeyValues identity() { return {{"trained", "norms"}}; }
};

/// A classifier of three classes.
struct Classifier {
  struct Spec {
    static constexpr gd::UNetConfig config{.image_size = size,
                                           .channels = 1,
                                           .model_channels = 4,
                                           .channel_mult = {1},
                                           .res_blocks = 1,
                                           .num_head_channels = 4,
                                           .norm_groups = 2};
    static constexpr int classes_out = 3;
    static constexpr gd::Pool pool = gd::Pool::attention;
  };
  using Net = gd::EncoderUNet<Spec, Exec>;
  using Process = gd::Diffusion<gd::CosineSchedule<1000>, gd::Epsilon, gd::LearnedRange>;
  using Coach = gd::ClassifierTrainer<Net, Process>;

  static constexpr auto name = "classifier";
  static constexpr int saved_at = 3;
  static gd::ClassifierTrainOptions options() {
    return {.seed = 13, .batch = batch, .learning_rate = {.peak = 1e-2}};
  }
  static gd::KeyValues identity() { return {{"class_names", "a,b,c"}}; }

  Exec exec;
  Net net{exec, 1};
  Coach trainer{exec, net, Process(), options()};

  double step() {
    std::int64_t const k = trainer.steps();
    return trainer.step(images_of(k), labels_of(k)).loss;
  }
};

}  // namespace old_runs
