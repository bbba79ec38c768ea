// Trains on a folder of drawings and draws new ones: the whole library in a page.
#include <glyphdiff/data/image_folder.hpp>
#include <glyphdiff/data/letter_batches.hpp>
#include <glyphdiff/glyphdiff.hpp>
#include <glyphdiff/io/grid.hpp>
#include <glyphdiff/runtime.hpp>

#include <cstdio>

namespace gd = glyphdiff;

struct Letters {  // the network, as a type: wrong configurations don't compile
  static constexpr gd::UNetConfig config{.image_size = 32,
                                         .channels = 1,
                                         .model_channels = 32,
                                         .channel_mult = {1, 2, 4},
                                         .res_blocks = 1,
                                         .norm_groups = 8,
                                         .space_to_depth = 2};
};

int main(int argc, char** argv) try {
  gd::Runtime const runtime(argc, argv);  // starts Kokkos
  Kokkos::DefaultExecutionSpace const exec;

  gd::LetterBatches batches(
      gd::load_image_folder(argc > 1 ? argv[1] : "drawings", 64, /*channels=*/1).dataset,
      /*size=*/32, /*batch=*/32, /*seed=*/1, gd::LetterAugmentation{});
  gd::UNet<Letters> net(exec, /*seed=*/1);
  gd::ContinuousDiffusion<gd::ContinuousCosine, gd::V> const diffusion(/*sampling_steps=*/50);
  gd::Trainer trainer(exec, net, diffusion,
                      {.seed = 1, .batch = 32, .learning_rate = {.peak = 1e-3}, .ema_rates = {0.998}});
  for (int step = 0, steps = argc > 2 ? std::atoi(argv[2]) : 3000; step < steps; ++step)
    trainer.step(batches(step));

  gd::UNet<Letters>::Evaluator denoise(net, trainer.ema().averages()[0].values);
  gd::write_png("letters.png",
                gd::image_grid(gd::draw_ddim(exec, diffusion, denoise, 64, 32, 32, 1, /*seed=*/7), 8));
} catch (std::exception const& error) {
  std::fprintf(stderr, "minimal: %s\n", error.what());
  return 2;
}
