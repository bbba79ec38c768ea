#pragma once

#include "sections.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/encoder_unet.hpp>
#include <glyphdiff/sampler/classifier_gradient.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>

#include <memory>

/// Training of a classifier of noisy images, and its gradient.
namespace of_classifier {

using namespace glyphdiff;
using Process = Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>;

struct Small {
  static constexpr int classes_out = 5;
  static constexpr Pool pool = Pool::attention;
  static constexpr UNetConfig config{.image_size = 16,
                                     .model_channels = 32,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .attention_resolutions = {8},
                                     .num_head_channels = 16,
                                     .resblock_updown = true};
};
using Net = EncoderUNet<Small, Exec>;

inline Model class_gradient(std::vector<int> const& labels) {
  Exec const exec;
  auto const net = std::make_shared<Net>(exec, 1);
  stir(net->parameters(), 1, 0.05f);
  auto const source = std::make_shared<ClassifierGradient<Net>>(*net);
  source->set_labels(labels);
  return [net, source](Exec const& on, Images<Exec> const& x, std::span<float const> t,
                       Images<Exec> const& out) { (*source)(on, x, t, out); };
}

inline void digests() {
  Exec const exec;
  Net net(exec, 1);
  ClassifierTrainer trainer(exec, net, Process(), {.seed = 2, .batch = 7, .microbatch = 4});
  std::vector<int> const labels{0, 1, 2, 3, 4, 0, 1};
  Digest training;
  for (int k = 0; k < 3; ++k) {
    auto const report = trainer.step(patterns(7), labels);
    training << report.loss << report.accuracy;
  }
  training << net.parameters() << trainer.adamw().first_moment << trainer.adamw().second_moment;
  print_digest("classifier/training", training << trainer.accuracy(patterns(7), labels, 300, 4));

  Images<Exec> const x = patterns(2), gradient("gradient", 2, 16, 16, 3);
  std::vector<float> const timesteps{30, 700};
  class_gradient({1, 4})(exec, x, timesteps, gradient);
  exec.fence();
  print_digest("classifier/gradient", digest_of(gradient));
}

}  // namespace of_classifier
