// Trains letter_a's network of 32 pixels in floats with two seeds and in bfloat16 with the first of them, and
// says how far apart the three are: bfloat16 should change less than another seed does. Minutes to hours:
// bfloat16 runs on the portable kernels. `tests/long bfloat16` builds and runs it.
#include <glyphdiff/bfloat16.hpp>
#include <glyphdiff/data/letter_atlas.hpp>
#include <glyphdiff/data/letter_batches.hpp>
#include <glyphdiff/io/grid.hpp>
#include <glyphdiff/loss/evaluation_loss.hpp>
#include <glyphdiff/presets.hpp>
#include <glyphdiff/runtime.hpp>
#include <glyphdiff/sampler/draw.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace gd = glyphdiff;
using Exec = Kokkos::DefaultExecutionSpace;
using Preset = gd::presets::LetterA32;

namespace {

struct Options {
  int steps = 300, letters = 64;
  std::string data = GLYPHDIFF_DATA_DIR, out;
};

struct Outcome {
  std::vector<double> losses;  ///< of each update
  double held_out = 0;         ///< mean squared error of v
  gd::HostImages letters;      ///< from the same noise in every run
};

/// As letter_a trains.
template <class Backend>
Outcome train(Options const& options, char const* name, std::uint64_t seed) {
  using Net = gd::UNet<Preset, Exec, Backend>;
  Exec const exec;
  Net net(exec, seed);
  auto const letters = [&](int size) {
    return gd::load_letter_atlas(options.data + "/letters_a.png", options.data + "/letters_a.tsv", size);
  };
  gd::TrainOptions train{.seed = seed, .batch = 32, .clip_norm = 1, .ema_rates = {0.998}};
  train.learning_rate = {.peak = 2e-3,
                         .warm_up = 100,
                         .decay = gd::Decay::cosine,
                         .steps = options.steps,
                         .final_fraction = 0.05};
  train.adamw.beta2 = 0.99;
  Preset::Process const diffusion(50);
  gd::Trainer trainer(exec, net, diffusion, train);
  gd::LetterBatches batches(letters(64).train, 32, 32, seed, gd::LetterAugmentation{}, options.steps);
  Outcome outcome;
  for (int step = 0; step < options.steps; ++step) {
    outcome.losses.push_back(trainer.step(batches(step)).loss);
    if ((step + 1) % 50 == 0) {
      double sum = 0;
      for (int k = step - 49; k <= step; ++k) sum += outcome.losses[std::size_t(k)];
      std::printf("%s: mean loss of updates %d to %d: %.5f\n", name, step - 48, step + 1, sum / 50);
      std::fflush(stdout);
    }
  }
  auto const images = letters(32).held_out.images;
  gd::HostImages const held_out("held out", images.shape(0), 32, 32, 1);
  std::copy(images.begin(), images.end(), held_out.data());
  typename Net::Evaluator model(net, trainer.ema().averages()[0].parameters());
  outcome.held_out = gd::evaluation_loss<gd::Mse>(exec, diffusion, model, held_out, 1);
  outcome.letters = gd::draw_ddim(exec, diffusion, model, options.letters, 32, 32, 1, 1);
  std::printf("%s: held-out loss %.5f\n", name, outcome.held_out);
  if (!options.out.empty())
    gd::write_png(options.out + "/" + name + ".png", gd::image_grid(outcome.letters, 16));
  return outcome;
}

template <class A, class B>
double root_mean_square(A const* a, B const* b, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
  return std::sqrt(sum / double(count));
}

/// Prints how far two runs are apart; their losses, and their letters.
std::pair<double, double> compare(char const* what, Outcome const& a, Outcome const& b) {
  double const losses = root_mean_square(a.losses.data(), b.losses.data(), a.losses.size());
  double const letters = root_mean_square(a.letters.data(), b.letters.data(), a.letters.size());
  std::printf(
      "%s: losses of updates differ by %.5f, letters by %.4f (root mean square), held-out losses by %.5f\n",
      what, losses, letters, std::abs(a.held_out - b.held_out));
  return {losses, letters};
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app("Says how much bfloat16 changes a training, beside how much another seed does.");
  app.add_option("--steps", options.steps, "updates")->check(CLI::Range(50, 100000))->capture_default_str();
  app.add_option("--data", options.data, "folder of letters_a.png and letters_a.tsv")->capture_default_str();
  app.add_option("--out", options.out, "folder for the letters that are drawn; none: they are not kept")
      ->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  gd::Runtime const runtime(argc, argv);
  using Floats = gd::kernels::DefaultBackend<Exec>;
  auto const one = train<Floats>(options, "floats, seed 1", 1),
             two = train<Floats>(options, "floats, seed 2", 2);
  auto const rounded = train<gd::kernels::PortableIn<gd::bfloat16>>(options, "bfloat16, seed 1", 1);
  auto const [seed_losses, seed_letters] = compare("another seed", one, two);
  auto const [losses, letters] = compare("bfloat16", one, rounded);
  bool const less = losses < seed_losses && letters < seed_letters;
  std::printf("bfloat16 changes %s than another seed\n", less ? "less" : "NOT LESS");
  return less ? 0 : 1;
} catch (std::exception const& error) {
  std::fprintf(stderr, "precision: %s\n", error.what());
  return 2;
}
