// Trains a diffusion model on letters A and draws new ones, in minutes on a CPU; the same file compiles for
// CUDA. `letter_a --help` lists the options. Everything it makes lies in one folder:
//
//   samples.png, progress.png   letters at the end, and some of them at several moments of the training
//   step_*.png                  those of each moment
//   loss.svg, loss.csv          the loss curve
//   checkpoint.safetensors      from which a second run goes on, bit for bit
//   summary.txt                 what was done, and how good the letters are beside real ones
#include <glyphdiff/data/image_folder.hpp>
#include <glyphdiff/data/letter_atlas.hpp>
#include <glyphdiff/data/letter_batches.hpp>
#include <glyphdiff/io/grid.hpp>
#include <glyphdiff/io/run_folder.hpp>
#include <glyphdiff/metrics/letter_report.hpp>
#include <glyphdiff/presets.hpp>
#include <glyphdiff/runtime.hpp>
#include <glyphdiff/sampler/draw.hpp>
#include <glyphdiff/train/checkpoint.hpp>
#include <glyphdiff/train/interrupt.hpp>
#include <glyphdiff/train/progress_bar.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>

namespace gd = glyphdiff;
namespace fs = std::filesystem;
using Exec = Kokkos::DefaultExecutionSpace;

// How each model is trained.
struct Train32 : gd::presets::LetterA32 {
  static constexpr int steps = 2800, batch = 32;
  static constexpr double learning_rate = 2e-3;
};
struct Train64 : gd::presets::LetterA64 {
  static constexpr int steps = 4200, batch = 24;
  static constexpr double learning_rate = 2e-3;
};

struct Options {
  int size = 64;
  fs::path data, out = "out/letter_a";
  std::int64_t steps = 0;
  int batch = 0;
  std::uint64_t seed = 1;
  bool fresh = false, mirror = false, vary = false, plain = false;
  int judged = 1024;
};

gd::ImageSpan span(gd::ImageDataset const& letters) {
  return {letters.images.data(), int(letters.images.shape(0)), int(letters.images.shape(1)),
          int(letters.images.shape(2))};
}
gd::ImageSpan span(gd::HostImages const& images) {
  return {images.data(), int(images.extent(0)), int(images.extent(1)), int(images.extent(2))};
}

/// Training letters (larger than `size`, to be varied) and, of the built-in ones, both splits at `size` to
/// judge by.
struct Letters {
  gd::ImageDataset training;
  gd::LetterAtlas at_size;
  std::string name;
};

Letters load_letters(Options const& options) {
  Letters letters;
  if (options.data.empty()) {
    fs::path const folder = GLYPHDIFF_DATA_DIR;
    auto const load = [&](int size) {
      return gd::load_letter_atlas(folder / "letters_a.png", folder / "letters_a.tsv", size);
    };
    letters.training = load(64).train;
    letters.at_size = load(options.size);
    letters.name = "letters_a";
  } else {
    auto folder = gd::load_image_folder(options.data, 2 * options.size, 1, options.mirror);
    for (std::string const& sentence : folder.skipped) std::cerr << "skipped: " << sentence << '\n';
    if (!folder.skipped.empty())
      std::cerr << folder.skipped.size() << " of the folder's files were skipped\n";
    letters.training = std::move(folder.dataset);
    letters.name = fs::canonical(options.data).string();
  }
  return letters;
}

/// The steps after which a sheet is drawn: early ones close together, where most happens.
std::vector<std::int64_t> sheet_steps(std::int64_t steps) {
  std::vector<std::int64_t> at;
  for (double share : {0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0}) {
    std::int64_t const step = std::max<std::int64_t>(1, std::llround(share * double(steps)));
    if (at.empty() || step > at.back()) at.push_back(step);
  }
  return at;
}

constexpr int sheet_columns = 16, sheet_count = 128;

template <class Spec>
int run(Options options) {
  auto const began = std::chrono::steady_clock::now();
  if (options.steps <= 0) options.steps = Spec::steps;
  if (options.batch <= 0) options.batch = Spec::batch;
  Letters letters = load_letters(options);
  gd::make_run_folder(options.out);
  std::size_t const letter_count = letters.training.size();

  Exec const exec;
  using Net = gd::UNet<Spec, Exec>;
  Net net(exec, options.seed);
  typename Spec::Process const diffusion(50);
  gd::TrainOptions train;
  train.seed = options.seed;
  train.batch = options.batch;
  train.learning_rate = {.peak = Spec::learning_rate,
                         .warm_up = 100,
                         .decay = gd::Decay::cosine,
                         .steps = options.steps,
                         .final_fraction = 0.05};
  train.adamw.beta2 = 0.99;
  train.clip_norm = 1;
  train.ema_rates = {0.998};
  gd::Trainer trainer(exec, net, diffusion, train);

  auto const memory = trainer.memory(options.size, options.size);
  std::printf(
      "%zu letters at %dx%d, %lld parameters, %lld steps of %d; training takes %.0f MB of memory (%.0f for "
      "parameters and their moments and averages, %.0f for activations)\n",
      letter_count, options.size, options.size, (long long)gd::parameter_count<Spec>,
      (long long)options.steps, options.batch, memory.total() / 1e6,
      (memory.parameters + memory.training) / 1e6, memory.activations / 1e6);

  // The built-in letters are enough to do without, but what is known of these runs was measured with it.
  bool const built_in = options.data.empty();
  std::optional<gd::LetterAugmentation> augmentation;
  if (!options.plain && (built_in || options.vary || gd::few_letters(letter_count)))
    augmentation = built_in ? gd::LetterAugmentation{} : gd::few_letters_augmentation;

  std::string const checkpoint = (options.out / "checkpoint.safetensors").string();
  gd::KeyValues const identity{{"letters", letters.name + ", " + std::to_string(letter_count)},
                               {"variation", !augmentation ? "none"
                                             : built_in    ? "width and slant"
                                                           : "width, slant, weight and contrast"}};
  gd::LossLog log;
  if (options.fresh) {
    gd::remove_sheets(options.out);
  } else if (fs::exists(checkpoint)) {
    gd::load_checkpoint(checkpoint, trainer, identity);
    log.load(options.out, trainer.steps());
    std::printf("going on from step %lld of %s (--fresh starts over)\n", (long long)trainer.steps(),
                checkpoint.c_str());
  }

  typename Net::Evaluator denoise(net, trainer.ema().averages()[0].values);
  auto const draw = [&](int count) {
    return gd::draw_ddim(exec, diffusion, denoise, count, options.size, options.size, 1, options.seed);
  };

  gd::LetterBatches batches(std::move(letters.training), options.size, options.batch, options.seed,
                            augmentation, built_in ? options.steps : gd::plain_from(options.steps));
  auto const sheets = sheet_steps(options.steps);
  auto const due = [&] { return std::find(sheets.begin(), sheets.end(), trainer.steps()) != sheets.end(); };
  auto const save = [&] {
    gd::save_checkpoint(checkpoint, trainer, identity);
    log.save(options.out, "mean squared error of v");
  };
  auto const draw_sheet = [&] {
    gd::write_png(gd::sheet_path(options.out, trainer.steps()),
                  gd::image_grid(draw(sheet_columns), sheet_columns));
    auto const drawn = std::upper_bound(sheets.begin(), sheets.end(), trainer.steps());
    gd::write_progress(options.out, {sheets.begin(), drawn}, options.size + 2, 1);
  };
  // The run may have been stopped between the checkpoint and the sheet.
  if (due() && !fs::exists(gd::sheet_path(options.out, trainer.steps()))) draw_sheet();

  // During the training alone: later there is nothing to lose, and Ctrl-C just ends the program.
  std::optional<gd::Interrupt> interrupt(std::in_place);
  gd::ProgressBar bar(trainer.steps(), options.steps, options.batch);
  while (trainer.steps() < options.steps) {
    gd::StepReport report;
    try {
      report = trainer.step(batches(trainer.steps()));
    } catch (typename decltype(trainer)::NotFinite const&) {
      bar.pause();
      save();
      throw;
    }
    log.add(double(report.step), report.loss);
    bar.update(report.step, report.loss);
    if (due() || interrupt->requested()) {
      bar.pause();
      save();
      if (interrupt->requested()) {
        std::printf("stopped at step %lld; the same command goes on from there\n", (long long)report.step);
        return 130;
      }
      draw_sheet();
      bar.resume();
    }
  }
  interrupt.reset();
  double const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();

  auto const samples = draw(std::max(options.judged, sheet_count));
  gd::HostImages const shown(samples.data(), sheet_count, options.size, options.size, 1);
  gd::write_png(options.out / "samples.png", gd::image_grid(shown, sheet_columns));
  std::ostringstream summary;
  summary << letter_count << " letters at " << options.size << "x" << options.size << ", "
          << gd::parameter_count<Spec> << " parameters, " << trainer.steps() << " steps of " << options.batch
          << "\n"
          << "trained and drawn in " << std::llround(seconds) << " s (this run)\n";
  if (letters.at_size.held_out.size() > 0 && options.judged > 0)
    summary << "\n"
            << samples.extent(0) << " samples beside real letters that were held out:\n"
            << gd::format_report(gd::judge_letters(span(samples), span(letters.at_size.train),
                                                   span(letters.at_size.held_out), options.seed),
                                 gd::judge_real(span(letters.at_size.held_out), span(letters.at_size.train)));
  gd::write_file(options.out / "summary.txt", summary.str().data(), summary.str().size());
  std::cout << summary.str() << "see " << options.out.string() << "\n";
  return 0;
}

int main(int argc, char** argv) try {
  gd::Runtime const runtime(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // in order with the progress bar, wherever it goes
  Options options;
  CLI::App app("Trains a diffusion model on letters A and draws new ones.");
  app.add_option("--size", options.size, "pixels per side: 64, or 32, which takes half the time")
      ->check(CLI::IsMember({32, 64}))
      ->capture_default_str();
  CLI::Option* const data = app.add_option(
      "--data", options.data, "folder of PNG or JPEG letters of your own, instead of the built-in ones");
  app.add_option("--out", options.out, "folder that everything is written to")->capture_default_str();
  app.add_option("--steps", options.steps, "updates; a larger number extends a finished run")
      ->check(CLI::Range(1, 1'000'000'000));
  app.add_option("--batch", options.batch, "letters per update")->check(CLI::Range(1, 1'000'000));
  app.add_option("--seed", options.seed, "of everything random")->capture_default_str();
  app.add_option("--judged", options.judged, "samples drawn and judged at the end, 128 or more; 0: none")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_flag("--fresh", options.fresh, "start over instead of going on from the folder's checkpoint");
  app.add_flag("--mirror", options.mirror, "with --data: train on mirrored letters as well")->needs(data);
  CLI::Option* const vary = app.add_flag(
      "--vary", options.vary, "vary letters a little, which is done for fewer than 1,000 without asking");
  app.add_flag("--plain", options.plain, "train on the letters as they are")->excludes(vary);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    int const code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return options.size == 32 ? run<Train32>(options) : run<Train64>(options);
} catch (std::exception const& error) {
  std::cerr << "letter_a: " << error.what() << "\n";
  return 2;
}
