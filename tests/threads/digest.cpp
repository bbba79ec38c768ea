// Trains and samples a little and prints a digest of all resulting bits. ctest runs it with several numbers
// of threads and expects the same digest.
#include "../digest.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/runtime.hpp>
#include <glyphdiff/sampler/draw.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <cstdio>

namespace gd = glyphdiff;

struct Spec {  // wide enough for every kernel: Winograd, direct, matrix products, attention, dropout
  static constexpr gd::UNetConfig config{.image_size = 16,
                                         .learned_sigma = true,
                                         .model_channels = 32,
                                         .channel_mult = {1, 2},
                                         .res_blocks = 1,
                                         .attention_resolutions = {8},
                                         .num_heads = 2,
                                         .dropout = 0.1};
};

/// Three updates with microbatches, clipping and an average, and three samples; prints losses and digest.
template <class Backend>
void train_and_sample(char const* name, gd::MomentFormat moments = gd::MomentFormat::float32) {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  using Net = gd::UNet<Spec, Exec, Backend>;
  Exec const exec;
  Net net(exec, 1);
  gd::Diffusion<gd::LinearSchedule<1000>, gd::Epsilon, gd::LearnedRange> const diffusion;
  gd::TrainOptions options;
  options.batch = 7;
  options.microbatch = 4;
  options.clip_norm = 1;
  options.learning_rate.peak = 1e-3;
  options.ema_rates = {0.9};
  options.adamw.moments = moments;
  gd::Trainer trainer(exec, net, diffusion, options);
  gd::HostImages const batch("batch", 7, 16, 16, 3);
  for (std::size_t i = 0; i < batch.size(); ++i) batch.data()[i] = float(i * 37 % 255) / 127.5f - 1;
  for (int step = 0; step < 3; ++step) std::printf("%s: loss %.17g\n", name, trainer.step(batch).loss);

  Digest digest;
  digest << net.parameters() << trainer.ema().averages()[0].values;
  typename Net::Evaluator denoise(net);
  auto const images = gd::draw_ddim(exec, diffusion.respaced("ddim5"), denoise, 3, 16, 16, 3, 1);
  digest << images;
  std::printf("%s: digest %016llx\n", name, digest.value());
}

int main(int argc, char** argv) {
  gd::Runtime const runtime(argc, argv);
  train_and_sample<gd::kernels::Vectorised>("vectorised");
  train_and_sample<gd::kernels::Vectorised>("moments in bfloat16", gd::MomentFormat::bfloat16);
  train_and_sample<gd::kernels::Portable>("portable");
}
