#pragma once

#include "../io/temporary_folder.hpp"
#include "sections.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/train/checkpoint.hpp>
#include <glyphdiff/train/trained_part.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <memory>
#include <string>
#include <utility>

/// Training of a whole network and of parts of it, along both paths of the kernels.
namespace of_training {

using namespace glyphdiff;
using Process = Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>;

/// S32 of tests/bench at half its size and width, with classes and dropout.
struct S16 {
  static constexpr UNetConfig config{.image_size = 16,
                                     .learned_sigma = true,
                                     .model_channels = 32,
                                     .channel_mult = {1, 2, 2},
                                     .attention_resolutions = {8, 4},
                                     .num_heads = 4,
                                     .dropout = 0.1,
                                     .classes = 5};
};

/// What ADM has and S16 has not.
struct Adm16 {
  static constexpr UNetConfig config{.image_size = 16,
                                     .learned_sigma = true,
                                     .model_channels = 32,
                                     .channel_mult = {1, 1.5},
                                     .res_blocks = 1,
                                     .attention_resolutions = {8},
                                     .num_head_channels = 16,
                                     .qkv_order = QkvOrder::grouped,
                                     .resblock_updown = true,
                                     .dropout = 0.1,
                                     .classes = 5,
                                     .norm_groups = 16,
                                     .recomputed_levels = {0}};
};

using Net = UNet<S16, Exec, kernels::Vectorised>;

inline TrainOptions options() {
  TrainOptions o;
  o.seed = 3;
  o.batch = 7;
  o.microbatch = 4;
  o.clip_norm = 1;
  o.learning_rate = {.peak = 1e-3, .warm_up = 2, .decay = Decay::cosine, .steps = 10};
  o.adamw.weight_decay = 0.01;
  o.ema_rates = {0.9};
  o.ema_widths = {0.1};
  return o;
}

template <class Trainer>
Digest train(Trainer& trainer, int steps) {
  Digest digest;
  std::vector<int> labels{0, 2, no_class, 4, 1, 3, 0};
  labels.resize(std::size_t(trainer.options().batch));
  HostImages const images = patterns(trainer.options().batch);
  for (int k = 0; k < steps; ++k) {
    StepReport const r = trainer.step(images, labels);
    digest << r.loss << r.mse << r.vb << r.gradient_norm << r.learning_rate << r.losses;
  }
  digest << trainer.net().parameters();
  digest << trainer.trainable().values();
  for (auto const& average : trainer.ema().averages()) digest << average.values;
  return digest;
}

template <class OfNet>
void whole(std::string const& name, int steps, TrainOptions const& how) {
  Exec const exec;
  OfNet net(exec, 1);
  Trainer<OfNet, Process, RescaledMse> trainer(exec, net, Process(), how);
  Digest digest = train(trainer, steps);
  if (trainer.adamw().bfloat16())
    digest << trainer.adamw().first_moment_bfloat16 << trainer.adamw().second_moment_bfloat16;
  print_digest(name, digest);
}

/// Timesteps by the losses they had, the bound alone as the objective, microbatches' means added.
inline void importance() {
  Exec const exec;
  Net net(exec, 1);
  TrainOptions how = options();
  how.sum_microbatches = true;
  Trainer<Net, Process, RescaledKl, LossSecondMoment> trainer(exec, net, Process(), how);
  std::vector<double> history;
  for (int i = 0; i < 1000 * LossSecondMoment::history_length; ++i) history.push_back(1.0 / (1 + i % 997));
  trainer.timestep_sampler().restore(history, std::vector<int>(1000, LossSecondMoment::history_length));
  Digest digest = train(trainer, 3);
  print_digest("training/importance-sampling", digest << trainer.timestep_sampler().history());
}

inline Digest of_file(std::string const& path) { return digest_of(read_file(path)); }

/// Files of a run; going on from one; and training that begins at a snapshot's weights.
inline void checkpoints() {
  TemporaryFolder const folder;
  std::string const checkpoint = (folder / "checkpoint.safetensors").string(),
                    snapshot = (folder / "snapshot.safetensors").string();
  Exec const exec;
  {
    Net net(exec, 1);
    Trainer<Net, Process, RescaledMse> trainer(exec, net, Process(), options());
    train(trainer, 2);
    save_checkpoint(checkpoint, trainer, {{"data", "patterns"}});
    save_snapshot(snapshot, trainer);
  }
  print_digest("checkpoint/file", of_file(checkpoint));
  print_digest("checkpoint/snapshot-file", of_file(snapshot));
  {
    Net net(exec, 2);
    Trainer<Net, Process, RescaledMse> trainer(exec, net, Process(), options());
    load_checkpoint(checkpoint, trainer, {{"data", "patterns"}});
    print_digest("checkpoint/going-on", train(trainer, 1));
  }
  for (auto const& [name, part] :
       std::initializer_list<std::pair<char const*, TrainedPart>>{{"all", TrainedPart::all},
                                                                  {"norms", TrainedPart::norms},
                                                                  {"attention", TrainedPart::attention},
                                                                  {"last", TrainedPart::last},
                                                                  {"low-rank", TrainedPart::low_rank}}) {
    Net net(exec, 3);
    load_weights(snapshot, average_prefix(0.9), parameter_blocks(net.parameter_list()), net.parameters());
    Trainer<Net, Process, RescaledMse> trainer(exec, net, Process(), options(),
                                               make_trainable(exec, net, part, 4, 5));
    print_digest(std::string("finetune/") + name, train(trainer, 2));
  }
}

inline Model class_model(std::vector<int> const& labels, bool worse) {
  Exec const exec;
  auto const net = std::make_shared<Net>(exec, 1);
  stir(net->parameters(), 1, 0.05f);
  if (worse) stir(net->parameters(), 2, 0.02f);
  auto const evaluate = std::make_shared<Net::Evaluator>(*net);
  evaluate->set_labels(labels);
  return [net, evaluate](Exec const& on, Images<Exec> const& x, std::span<float const> t,
                         Images<Exec> const& out) { (*evaluate)(on, x, t, out); };
}

inline void digests() {
  whole<Net>("training/vectorised", 3, options());
  TrainOptions rounded = options();
  rounded.adamw.moments = MomentFormat::bfloat16;
  whole<Net>("training/moments-in-bfloat16", 3, rounded);
  TrainOptions few = options();  // that backend is slow on a CPU
  few.batch = 3;
  few.microbatch = 2;
  whole<UNet<Adm16, Exec, kernels::Portable>>("training/portable", 2, few);
  importance();
  checkpoints();
}

}  // namespace of_training
