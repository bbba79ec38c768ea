// Trains a diffusion model on letters A and draws new ones, in minutes on a CPU; the same file compiles for
// CUDA. `letter_a --help` lists the options. Everything it makes lies in one folder:
//
//   samples.png, progress.png   letters at the end, and some of them at several moments of the training
//   step_*.png                  those of each moment
//   loss.svg, loss.csv          the loss curve
//   report.html                 all of it on a page, with samples beside the letters they are nearest to
//   metrics.csv                 how good the samples were at every save
//   checkpoint.safetensors      from which a second run goes on, bit for bit
//   best.safetensors            the checkpoint of the best save, to draw from
//   summary.txt                 what was done, and how good the letters are beside real ones
#include <glyphdiff/data/image_folder.hpp>
#include <glyphdiff/data/letter_atlas.hpp>
#include <glyphdiff/data/letter_batches.hpp>
#include <glyphdiff/io/grid.hpp>
#include <glyphdiff/loss/evaluation_loss.hpp>
#include <glyphdiff/presets.hpp>
#include <glyphdiff/runtime.hpp>
#include <glyphdiff/sampler/draw.hpp>
#include <glyphdiff/train/checkpoint.hpp>
#include <glyphdiff/train/interrupt.hpp>

#include "command_line.hpp"
#include "forecast.hpp"
#include "profile.hpp"
#include "watch.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>

namespace gd = glyphdiff;
namespace fs = std::filesystem;
using Exec = Kokkos::DefaultExecutionSpace;

// How each model is trained.
struct Train32 : gd::presets::LetterA32 {
  static constexpr auto preset = "LetterA32";
  static constexpr int steps = 2800, batch = 32;
  static constexpr double learning_rate = 2e-3;
};
struct Train64 : gd::presets::LetterA64 {
  static constexpr auto preset = "LetterA64";
  static constexpr int steps = 4200, batch = 24;
  static constexpr double learning_rate = 2e-3;
};

struct Options {
  int size = 64;
  fs::path data, out = "out/letter_a";
  std::int64_t steps = 0;
  int batch = 0;
  std::uint64_t seed = 1;
  bool fresh = false, mirror = false, vary = false, plain = false, json = false, hold_out = false,
       profile = false;
  std::string stop = "steps", command;
  int judged = 1024;
  double minutes = 0;  ///< 0 if not said
};

/// Training letters (larger than `size`, to be varied), and both splits at `size` to judge by; nothing is
/// held out of letters of one's own unless that is asked for.
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
    if (options.hold_out)
      letters.at_size.held_out = at_size(gd::hold_out_tenth(letters.training), options.size);
    letters.at_size.train = at_size(letters.training, options.size);
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

// Of a save `watched` samples are judged, at half the steps of the last ones.
constexpr int saves = 7, sheet_columns = 16, sheet_count = 128, watched = 64, watched_steps = 25;

/// The first `count` of them.
gd::HostImages first_of(gd::HostImages const& images, int count) {
  return gd::HostImages(images.data(), count, images.extent(1), images.extent(2), images.extent(3));
}

template <class Spec>
gd::TrainOptions train_options(Options const& options) {
  gd::TrainOptions train;
  train.seed = options.seed;
  train.batch = options.batch > 0 ? options.batch : Spec::batch;
  train.learning_rate = {.peak = Spec::learning_rate,
                         .warm_up = 100,
                         .decay = gd::Decay::cosine,
                         .steps = options.steps,
                         .final_fraction = 0.05};
  train.adamw.beta2 = 0.99;
  train.clip_norm = 1;
  train.ema_rates = {0.998};
  return train;
}

/// What a run takes that is trained so.
template <class Trainer>
Forecast forecast_of(Trainer& trainer, Options const& options) {
  int const size = std::decay_t<decltype(trainer.net())>::config.image_size, batch = trainer.options().batch;
  bool const held_out = options.data.empty() || options.hold_out;
  Forecast forecast;
  forecast.update = seconds_per_update(trainer, size);
  forecast.save = seconds_to_draw(forecast.update, batch, watched * watched_steps + (held_out ? 2 * 128 : 0));
  forecast.end = seconds_to_draw(forecast.update, batch, std::max(options.judged, sheet_count) * 50);
  auto const memory = trainer.memory(size, size);
  forecast.memory = double(memory.total());
  // Parameters, two moments and the average; what is best besides the newest, and that while it is replaced.
  forecast.disk = 3 * 4.0 * double(memory.parameters) + 5e6;
  return forecast;
}

/// What fits into the minutes that are given; fewer samples are judged at the end, unless that is said, where
/// they would take more than a sixth of the time.
template <class Spec>
gd::RunPlan plan_of(Options options, bool judged_said) {
  options.steps = Spec::steps;  // of the trainer that is measured
  Exec const exec;
  gd::UNet<Spec, Exec> net(exec, options.seed);
  gd::Trainer trainer(exec, net, typename Spec::Process(50), train_options<Spec>(options));
  Forecast const forecast = forecast_of(trainer, options);
  int judged = options.judged;
  double const seconds = 60 * options.minutes, each = forecast.end / std::max(judged, sheet_count);
  if (!judged_said) judged = int(std::clamp(seconds / 6 / each, double(sheet_count), double(judged)));
  double const besides = each * std::max(judged, sheet_count) + saves * forecast.save;
  std::int64_t const steps = gd::updates_within(seconds, forecast.update, besides);
  return {options.minutes, steps, steps, Spec::config.image_size, judged};
}

/// The size, the number of updates and of samples for --minutes: those with which the run began, or what
/// fits; smaller letters, unless a size is said, where less than half of what 64 pixels need would.
void choose_by_minutes(Options& options, bool size_said, bool judged_said, std::FILE* text) {
  gd::make_run_folder(options.out);
  bool const resuming = !options.fresh && fs::exists(options.out / "checkpoint.safetensors");
  auto const plan = plan_of_minutes(text, options.out, options.minutes, resuming, [&] {
    if (options.size == 32) return plan_of<Train32>(options, judged_said);
    auto const large = plan_of<Train64>(options, judged_said);
    if (size_said || large.steps >= Train64::steps / 2) return large;
    std::fprintf(text, "%lld updates at 64x64 would fit, too few: 32x32 is chosen\n", (long long)large.steps);
    return plan_of<Train32>(options, judged_said);
  });
  options.steps = plan.steps;
  if (!size_said) options.size = plan.size;
  if (!judged_said) options.judged = plan.judged;
}

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
  gd::Trainer trainer(exec, net, diffusion, train_options<Spec>(options));

  auto const memory = trainer.memory(options.size, options.size);
  std::FILE* const text = options.json ? stderr : stdout;
  std::fprintf(
      text,
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
  gd::KeyValues const identity{{"preset", Spec::preset},
                               {"letters", letters.name + ", " + std::to_string(letter_count)},
                               {"variation", !augmentation ? "none"
                                             : built_in    ? "width and slant"
                                                           : "width, slant, weight and contrast"}};
  bool const resuming = !options.fresh && fs::exists(checkpoint);
  if (!resuming && options.minutes <= 0) fs::remove(gd::plan_path(options.out));
  if (options.fresh) {
    gd::remove_sheets(options.out);
    fs::remove(options.out / "best.safetensors");
  } else if (resuming) {
    gd::load_checkpoint(checkpoint, trainer, identity);
    std::fprintf(text, "going on from step %lld of %s (--fresh starts over)\n", (long long)trainer.steps(),
                 checkpoint.c_str());
  }
  auto const sheets = sheet_steps(options.steps);
  std::optional<Forecast> forecast;
  if (trainer.steps() < options.steps) forecast = forecast_of(trainer, options);
  gd::KeyValues facts{{"network", std::to_string(options.size) + "x" + std::to_string(options.size) + ", " +
                                      std::to_string(gd::parameter_count<Spec>) + " parameters"},
                      {"updates", std::to_string(options.steps) + " of " + std::to_string(options.batch)},
                      {"seed", std::to_string(options.seed)},
                      {"held out", std::to_string(letters.at_size.held_out.size())}};
  facts.insert(facts.end(), identity.begin(), identity.end());
  RunWatch watch({.program = "letter_a",
                  .out = options.out,
                  .command = options.command,
                  .loss_name = "mean squared error of v",
                  .steps = options.steps,
                  .batch = options.batch,
                  .facts = facts,
                  .json = options.json},
                 trainer.steps());
  if (forecast)
    announce(text, options.json, options.out, *forecast, trainer.steps(), options.steps,
             std::count_if(sheets.begin(), sheets.end(), [&](auto step) { return step > trainer.steps(); }));

  typename Net::Evaluator denoise(net, trainer.ema().averages()[0].values);
  auto const draw = [&](typename Spec::Process const& process, int count) {
    return gd::draw_ddim(exec, process, denoise, count, options.size, options.size, 1, options.seed);
  };

  gd::LetterBatches batches(std::move(letters.training), options.size, options.batch, options.seed,
                            augmentation, built_in ? options.steps : gd::plain_from(options.steps));
  auto const due = [&] { return std::find(sheets.begin(), sheets.end(), trainer.steps()) != sheets.end(); };
  auto const save = [&] {
    gd::save_checkpoint(checkpoint, trainer, identity);
    watch.save_loss();
  };
  auto const& held_out = letters.at_size.held_out;
  gd::HostImages const unseen = some_of(held_out, 128),
                       seen = some_of(letters.at_size.train, unseen.extent(0));
  typename Spec::Process const quick(watched_steps);
  auto const look = [&] {
    RunWatch::Save measured;
    auto const samples = draw(quick, watched);
    gd::HostImages const row = first_of(samples, sheet_columns);
    gd::write_png(gd::sheet_path(options.out, trainer.steps()), gd::image_grid(row, sheet_columns));
    gd::write_progress(options.out, gd::drawn_sheets(options.out, trainer.steps()), options.size + 2, 1);
    if (held_out.size() > 2) {
      auto const loss = [&](gd::HostImages const& of) {
        return gd::evaluation_loss<gd::Mse>(exec, diffusion, denoise, of, options.seed);
      };
      measured.held_out_loss = loss(unseen);
      measured.training_loss = loss(seen);
      measured.judged =
          gd::judge_samples(span(samples), span(letters.at_size.train), span(held_out), options.seed);
    }
    watch.record(measured);
    watch.keep_best(checkpoint);
    watch.show(row, letters.at_size.train);
    watch.write("training");
  };
  // The run may have been stopped between the checkpoint and the sheet.
  if (due() && !fs::exists(gd::sheet_path(options.out, trainer.steps()))) look();

  // During the training alone: later there is nothing to lose, and Ctrl-C just ends the program.
  std::optional<gd::Interrupt> interrupt(std::in_place);
  UpdateProfile profile(options.profile, options.out, text);
  while (trainer.steps() < options.steps) {
    gd::StepReport report;
    profile.before_update(trainer);
    try {
      report = trainer.step(batches(trainer.steps()));
    } catch (typename decltype(trainer)::NotFinite const&) {
      watch.pause();
      save();
      throw;
    }
    watch.step(report.step, report.loss);
    if (due() || interrupt->requested()) {
      watch.pause();
      save();
      if (interrupt->requested()) {
        watch.stopped();
        return 130;
      }
      look();
      if (options.stop == "auto" && gd::no_better(watch.metrics())) {
        std::fprintf(text, "stopped at step %lld: the last saves were no better than that of step %lld\n",
                     (long long)report.step, (long long)*gd::best_save(watch.metrics()));
        break;
      }
      watch.resume();
    }
  }
  interrupt.reset();
  profile.end(trainer);
  double const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();

  auto const samples = draw(diffusion, std::max(options.judged, sheet_count));
  gd::HostImages const shown = first_of(samples, sheet_count);
  gd::write_png(options.out / "samples.png", gd::image_grid(shown, sheet_columns));
  auto const number = [](auto value) { return std::to_string(value); };
  std::string summary = number(letter_count) + " letters at " + number(options.size) + "x" +
                        number(options.size) + ", " + number(gd::parameter_count<Spec>) + " parameters, " +
                        number(trainer.steps()) + " steps of " + number(options.batch) +
                        "\ntrained and drawn in " + number(std::llround(seconds)) + " s (this run)\n";
  std::optional<gd::SampleReport> judged;
  std::vector<gd::GateItem> limits;
  if (held_out.size() > 2 && options.judged > 0) {
    judged = gd::judge_samples(span(samples), span(letters.at_size.train), span(held_out), options.seed);
    if (built_in) limits = gd::gate(*judged);
    summary += "\n" + number(samples.extent(0)) + " samples beside real letters that were held out:\n" +
               gd::format_report(*judged, limits);
  }
  gd::write_file(options.out / "summary.txt", summary.data(), summary.size());
  watch.show(first_of(samples, sheet_columns), letters.at_size.train);
  watch.write("finished", judged, limits);
  watch.end(trainer.steps() == options.steps ? "finished" : "no better");
  std::fprintf(text, "%ssee %s\n", summary.c_str(), (options.out / "report.html").c_str());
  return 0;
}

int main(int argc, char** argv) try {
  gd::Runtime const runtime(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // in order with the progress bar, wherever it goes
  Options options;
  cli::App app("Trains a diffusion model on letters A and draws new ones.");
  cli::Option* const size =
      app.add_option("--size", options.size, "pixels per side: 64, or 32, which takes a third of the time")
          ->check(cli::IsMember({"32", "64"}))
          ->capture_default_str();
  cli::Option* const data = app.add_option(
      "--data", options.data,
      "folder of PNG or JPEG letters of your own, or a data set that letters made, instead of the built-in "
      "ones");
  app.add_option("--out", options.out, "folder that everything is written to")->capture_default_str();
  cli::Option* const steps =
      app.add_option("--steps", options.steps,
                     "updates; a larger number extends a finished run; 4,200 at 64 pixels and 2,800 at 32 if "
                     "not said")
          ->check(cli::Range(1, 1'000'000'000));
  app.add_option("--minutes", options.minutes,
                 "as many updates as fit into this time on this machine, instead of --steps; and 32 pixels "
                 "where 64 would need more than twice of it")
      ->check(cli::PositiveNumber)
      ->excludes(steps);
  app.add_option("--batch", options.batch, "letters per update")->check(cli::Range(1, 1'000'000));
  app.add_option("--seed", options.seed, "of everything random")->capture_default_str();
  cli::Option* const judged =
      app.add_option("--judged", options.judged, "samples drawn and judged at the end, 128 or more; 0: none")
          ->check(cli::Range(0, 1'000'000))
          ->capture_default_str();
  app.add_flag("--fresh", options.fresh, "start over instead of going on from the folder's checkpoint");
  app.add_flag("--mirror", options.mirror, "with --data: train on mirrored letters as well")->needs(data);
  cli::Option* const vary = app.add_flag(
      "--vary", options.vary,
      "vary letters a little, which is done for the built-in ones and for fewer than 1,000 without asking");
  app.add_flag("--plain", options.plain, "train on the letters as they are")->excludes(vary);
  app.add_flag("--hold-out", options.hold_out,
               "with --data: every tenth letter is not trained on but judged by")
      ->needs(data);
  app.add_option("--stop", options.stop,
                 "steps: at the last one; auto: when three saves were no better than one before them")
      ->check(cli::IsMember({"steps", "auto"}))
      ->capture_default_str();
  app.add_flag("--profile", options.profile,
               "record ten updates: where their time goes, to OUT/profile.txt and OUT/profile.json");
  app.add_flag("--json", options.json, "say what happens as lines of JSON on standard output");
  if (auto const status = app.parse(argc, argv)) return *status;
  if (options.stop == "auto" && !options.data.empty()) options.hold_out = true;
  if (options.mirror && options.hold_out)
    throw gd::Error("--mirror", "letters that are not held out of",
                    "--hold-out, whose mirror images would be trained on");
  options.command = "./run letter_a" + command_options(argc, argv);
  if (options.minutes > 0)
    choose_by_minutes(options, size->count() > 0, judged->count() > 0, options.json ? stderr : stdout);
  return options.size == 32 ? run<Train32>(options) : run<Train64>(options);
} catch (std::exception const& error) {
  std::cerr << "letter_a: " << error.what() << "\n";
  return 2;
}
