// Trains a classifier of noisy letters, which leads a network that knows no classes to the letter that is
// asked for: `./run sample --classifier out/classifier/classifier.safetensors --label R`. The pictures' names
// say their classes (B_0001.png), or an atlas does. `--help` lists the options.
#include <glyphdiff/classifier_presets.hpp>
#include <glyphdiff/data/class_labels.hpp>
#include <glyphdiff/data/image_folder.hpp>
#include <glyphdiff/data/letter_atlas.hpp>
#include <glyphdiff/data/letter_batches.hpp>
#include <glyphdiff/io/run_folder.hpp>
#include <glyphdiff/runtime.hpp>
#include <glyphdiff/train/classifier_checkpoint.hpp>
#include <glyphdiff/train/interrupt.hpp>
#include <glyphdiff/train/progress_bar.hpp>

#include "command_line.hpp"
#include "forecast.hpp"
#include "profile.hpp"

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>

namespace gd = glyphdiff;
namespace fs = std::filesystem;
using Exec = Kokkos::DefaultExecutionSpace;
using Spec = gd::presets::LettersClassifier64;
using Net = gd::EncoderUNet<Spec, Exec>;
using Process = gd::presets::Letters64::Process;

constexpr int size = Spec::config.image_size;

struct Options {
  fs::path data, out = "out/classifier";
  std::int64_t steps = 4000, save_every = 500;
  int batch = 64;
  double learning_rate = 1e-3, held_out = 0.1, minutes = 0;  // minutes: 0 if not said
  std::uint64_t seed = 1;
  bool fresh = false, profile = false;
};

/// Pictures to train on and others to judge by: an atlas's own, or every tenth or so of a folder.
gd::LetterAtlas load(Options const& options) {
  if (options.data.extension() == ".png")
    return gd::load_letter_atlas(options.data, fs::path(options.data).replace_extension(".tsv"), size);
  auto folder = gd::load_image_folder(options.data, size, Spec::config.channels);
  for (std::string const& sentence : folder.skipped) std::cerr << "skipped: " << sentence << '\n';
  gd::LetterAtlas result;
  std::size_t const values = std::size_t(size) * size, every = std::size_t(1 / options.held_out);
  for (bool const held_out : {false, true}) {
    gd::ImageDataset& part = held_out ? result.held_out : result.train;
    for (std::size_t i = 0; i < folder.dataset.size(); ++i)
      if ((i % every == every - 1) == held_out) part.names.push_back(folder.dataset.names[i]);
    part.images.resize({part.size(), std::size_t(size), std::size_t(size), std::size_t(1)});
    float* to = part.images.data();
    for (std::size_t i = 0; i < folder.dataset.size(); ++i)
      if ((i % every == every - 1) == held_out)
        to = std::copy_n(folder.dataset.images.data() + i * values, values, to);
  }
  return result;
}

int run(Options options) {
  gd::LetterAtlas letters = load(options);
  gd::ClassLabels const classes = gd::class_labels(letters.train.names);
  if (classes.names.size() < 2 || classes.names.size() > std::size_t(Spec::classes_out))
    throw gd::Error(options.data.string(),
                    "letters of 2 to " + std::to_string(Spec::classes_out) + " classes",
                    std::to_string(classes.names.size()));
  std::vector<int> held_out_labels;
  for (std::string const& name : letters.held_out.names) {
    auto const found = std::find(classes.names.begin(), classes.names.end(), gd::class_of(name));
    if (found == classes.names.end()) throw gd::Error(name, "a class that is trained on", gd::class_of(name));
    held_out_labels.push_back(int(found - classes.names.begin()));
  }
  gd::make_run_folder(options.out);
  std::string const path = (options.out / "classifier.safetensors").string();

  Exec const exec;
  Net net(exec, options.seed);
  Process const process;
  gd::ClassifierTrainOptions train{.seed = options.seed, .batch = options.batch};
  train.learning_rate = {.peak = options.learning_rate, .decay = gd::Decay::linear, .steps = options.steps};
  gd::ClassifierTrainer trainer(exec, net, process, train);
  bool const resuming = !options.fresh && fs::exists(path);

  Forecast forecast;
  forecast.update = seconds_per_update(trainer, size);
  forecast.end = seconds_to_draw(forecast.update, options.batch, 5.0 * double(letters.held_out.size()));
  double const parameters = 4.0 * double(gd::encoder_parameter_count<Spec>);
  forecast.memory =
      4 * parameters + double(typename Net::Tape().bytes(net, exec, {options.batch, size, size}));
  forecast.disk = 2 * 3 * parameters;
  if (options.minutes > 0) {
    options.steps = plan_of_minutes(stdout, options.out, options.minutes, resuming, [&] {
                      return plan_within(options.minutes, forecast, size, options.save_every);
                    }).steps;
    trainer.learning_rate().steps = options.steps;
  } else if (!resuming) {
    fs::remove(gd::plan_path(options.out));
  }
  std::string names;
  for (std::string const& name : classes.names) names += (names.empty() ? "" : ",") + name;
  gd::KeyValues const identity{{"preset", "LettersClassifier64"},
                               {"pictures", fs::canonical(options.data).filename().string() + ", " +
                                                std::to_string(letters.train.size())},
                               {"class_names", names}};
  if (resuming) {
    gd::load_checkpoint(path, trainer, identity);
    std::printf("going on from step %lld of %s (--fresh starts over)\n", (long long)trainer.steps(),
                path.c_str());
  }
  std::printf("%zu pictures of %zu classes (%s), %zu held out; %lld parameters, %lld updates of %d\n",
              letters.train.size(), classes.names.size(), names.c_str(), letters.held_out.size(),
              (long long)gd::encoder_parameter_count<Spec>, (long long)options.steps, options.batch);
  if (trainer.steps() < options.steps)
    announce(stdout, false, options.out, forecast, trainer.steps(), options.steps,
             saves_between(trainer.steps(), options.steps, options.save_every));

  gd::LetterBatches batches(std::move(letters.train), size, options.batch, options.seed,
                            gd::LetterAugmentation{});
  std::optional<gd::Interrupt> interrupt(std::in_place);
  gd::ProgressBar bar(trainer.steps(), options.steps, options.batch);
  UpdateProfile profile(options.profile, options.out, stdout);
  while (trainer.steps() < options.steps) {
    profile.before_update(trainer);
    std::int64_t const step = trainer.steps();
    std::vector<int> labels;
    for (std::size_t const letter : batches.chosen(step)) labels.push_back(classes.labels[letter]);
    auto const report = trainer.step(batches(step), labels);
    bar.update(report.step, report.loss);
    if (report.step % options.save_every == 0 || report.step == options.steps || interrupt->requested()) {
      bar.pause();
      gd::save_checkpoint(path, trainer, identity);
      if (interrupt->requested()) {
        std::printf("stopped at step %lld; the same command goes on from there\n", (long long)report.step);
        return 130;
      }
      bar.resume();
    }
  }
  profile.end(trainer);
  if (letters.held_out.size() > 0) {
    auto const& images = letters.held_out.images;
    gd::HostImages const held_out(const_cast<float*>(images.data()), images.shape(0), size, size, 1);
    std::printf(
        "of the letters that were held out, told right by the noise on them (0: none, 1: nothing else):\n");
    for (double const t : {0.0, 0.25, 0.5, 0.75, 0.9})
      std::printf("  %.2f  %.3f\n", t, trainer.accuracy(held_out, held_out_labels, t, options.seed));
  }
  std::printf("see %s\n", path.c_str());
  return 0;
}

int main(int argc, char** argv) try {
  gd::Runtime const runtime(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  Options options;
  cli::App app("Trains a classifier of noisy letters, to guide sampling.");
  app.add_option("--data", options.data,
                 "folder of pictures named by class (B_0001.png), or an atlas (NAME.png of 64x64 cells "
                 "beside NAME.tsv)")
      ->required();
  app.add_option("--out", options.out, "folder that it is written to")->capture_default_str();
  cli::Option* const steps =
      app.add_option("--steps", options.steps, "updates; the learning rate falls to zero over them")
          ->check(cli::Range(1, 1'000'000'000))
          ->capture_default_str();
  app.add_option("--minutes", options.minutes,
                 "as many updates as fit into this time on this machine, instead of --steps")
      ->check(cli::PositiveNumber)
      ->excludes(steps);
  app.add_option("--save-every", options.save_every, "updates between saves")
      ->check(cli::Range(1, 1'000'000'000))
      ->capture_default_str();
  app.add_option("--batch", options.batch, "pictures per update")
      ->check(cli::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--lr", options.learning_rate, "learning rate")
      ->check(cli::PositiveNumber)
      ->capture_default_str();
  app.add_option("--held-out-share", options.held_out, "of a folder: pictures kept to judge by")
      ->check(cli::Range(0.01, 0.5))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of everything random")->capture_default_str();
  app.add_flag("--profile", options.profile,
               "record ten updates: where their time goes, to OUT/profile.txt and OUT/profile.json");
  app.add_flag("--fresh", options.fresh, "start over instead of going on from the folder's checkpoint");
  if (auto const status = app.parse(argc, argv)) return *status;
  return run(options);
} catch (std::exception const& error) {
  std::cerr << "train_classifier: " << error.what() << "\n";
  return 2;
}
