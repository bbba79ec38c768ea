// Trains a network on a folder of pictures: from a checkpoint (`--init`), which it makes its own, or from
// nothing. The network is a preset of <glyphdiff/presets.hpp>, chosen when this file is compiled; `./run
// finetune` builds the one that fits the checkpoint. `--help` lists the options. The folder holds:
//
//   step_*.png, progress.png     samples from fixed seeds at every save, and all of them one below the other
//   step_*.safetensors           the averages at every save, to sample from
//   checkpoint.safetensors       from which the same command goes on, bit for bit
//   report.html                  all of it on a page, with samples beside the pictures they are nearest to
//   loss.svg, loss.csv           the loss curve
//   metrics.csv                  with held-out pictures: their loss, how good samples were, at every save
//   best.safetensors             the step_*.safetensors that was best, by them
#include <glyphdiff/data/image_folder.hpp>
#include <glyphdiff/data/letter_atlas.hpp>
#include <glyphdiff/data/letter_batches.hpp>
#include <glyphdiff/io/grid.hpp>
#include <glyphdiff/loss/evaluation_loss.hpp>
#include <glyphdiff/runtime.hpp>
#include <glyphdiff/sampler/draw.hpp>
#include <glyphdiff/train/interrupt.hpp>
#include <glyphdiff/train/machine.hpp>
#include <glyphdiff/train/trained_part.hpp>

#include "command_line.hpp"
#include "finetune_defaults.hpp"
#include "forecast.hpp"
#include "load_network.hpp"
#include "preset.hpp"
#include "profile.hpp"
#include "watch.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>
#include <sstream>
#include <vector>

namespace gd = glyphdiff;
namespace fs = std::filesystem;
using Exec = Kokkos::DefaultExecutionSpace;
using Net = gd::UNet<Preset, Exec>;
using Process = Preset::Process;
using Objective = std::conditional_t<Process::Variance::learned, gd::RescaledMse, gd::Mse>;
using Trainer = gd::Trainer<Net, Process, Objective>;

constexpr int channels = Preset::config.channels, size = Preset::config.image_size;

struct Options {
  std::string init, weights, part = "all", moments = "float", sampling_steps = "25", stop = "steps", command;
  fs::path data, held_out, out = "out/finetune";
  // Those that depend on the network and on --init come from FinetuneDefaults.
  std::int64_t steps = 0, save_every = 0, warm_up = 0;
  int batch = 0, microbatch = 0, rank = 8, sheet = 0, judged = 256;
  double learning_rate = 0, beta2 = 0, clip = 0, decay_to = 0, minutes = 0;  // minutes: 0 if not said
  std::vector<double> ema{}, widths{};
  std::uint64_t seed = 1;
  bool fresh = false, mirror = false, vary = false, plain = false, full_snapshots = false, profile = false,
       ema_on_disk = false, hold_out = false, json = false, save_every_said = false;

  gd::MomentFormat moment_format() const {
    return moments == "bf16" ? gd::MomentFormat::bfloat16 : gd::MomentFormat::float32;
  }
};

/// Where sentences go: with --json not to where the lines of JSON go.
std::FILE* text = stdout;

/// Pictures to train on, where possible finer than the network's, so that variations stay crisp; or the
/// held-out ones of an atlas.
gd::ImageDataset load_pictures(fs::path const& from, bool mirror = false, bool held_out = false) {
  if (from.extension() == ".png") {
    auto atlas = gd::load_letter_atlas(from, fs::path(from).replace_extension(".tsv"), std::max(size, 64));
    return std::move(held_out ? atlas.held_out : atlas.train);
  }
  auto folder = gd::load_image_folder(from, size < 128 ? 2 * size : size, channels, mirror);
  for (std::string const& sentence : folder.skipped) std::cerr << "skipped: " << sentence << '\n';
  return std::move(folder.dataset);
}

/// The snapshots that an earlier run has left. Throws Error where there are some and --fresh was not given.
std::vector<fs::path> snapshots_to_remove(Options const& options) {
  std::vector<fs::path> snapshots;
  for (auto const& entry : fs::directory_iterator(options.out)) {
    std::string const name = entry.path().filename().string();
    if (name.starts_with("step_") && name.ends_with(".safetensors")) snapshots.push_back(entry.path());
  }
  if (!snapshots.empty() && !options.fresh)
    throw gd::Error(options.out.string(), "a new folder, or --fresh to start over in this one",
                    "snapshots of a run without its checkpoint");
  return snapshots;
}

/// Clears the folder of what an earlier run has left.
void start_afresh(Options const& options, std::vector<fs::path> const& snapshots) {
  for (auto const& snapshot : snapshots) fs::remove(snapshot);
  for (char const* name : {"metrics.csv", "best.safetensors"}) fs::remove(options.out / name);
  if (options.minutes <= 0) fs::remove(gd::plan_path(options.out));
  gd::remove_sheets(options.out);
}

/// Bytes that the run takes.
struct Needs {
  double memory, checkpoint, snapshot, averages;  ///< averages: on disk, while it lasts
};

/// What the run takes, before anything of it is allocated. Throws Error if that is more than there is.
Needs announce_memory(Options const& options, Net& net, Exec const& exec, gd::TrainedPart part,
                      std::size_t pictures) {
  int const averages = int(options.ema.size() + options.widths.size()),
            in_memory = options.ema_on_disk ? 0 : averages;
  typename Net::Tape tape;
  double const parameters = 4.0 * double(gd::parameter_count<Preset>);
  double const activations = double(tape.bytes(net, exec, {options.microbatch, size, size}));
  double training = parameters * (1 + in_memory + 0.5 * gd::moment_bytes(options.moment_format())),
         on_disk = parameters * (averages - in_memory);
  if (part != gd::TrainedPart::all) {
    auto const trainable = gd::make_trainable(exec, net, part, options.rank, options.seed);
    training = double(trainable.bytes(in_memory, options.moment_format()));
    on_disk = 4.0 * double(trainable.list().total()) * (averages - in_memory);
  }
  double const memory = parameters + training + activations;
  double const free = double(gd::available_memory());
  std::fprintf(text, "%zu pictures at %dx%d; %s, %lld parameters, trained: %s; updates of %d\n", pictures,
               size, size, preset_name, (long long)gd::parameter_count<Preset>, options.part.c_str(),
               options.batch);
  std::fprintf(text,
               "memory: %.1f GB (%.1f for parameters, %.1f for gradients, moments and averages, %.1f for "
               "activations); "
               "%.1f GB are free\n",
               memory / 1e9, parameters / 1e9, training / 1e9, activations / 1e9, free / 1e9);
  // A checkpoint has what is trained where training has gradients.
  double const snapshot = parameters * std::max(1, averages) * (options.full_snapshots ? 1.0 : 0.5);
  std::fprintf(text, "disk: %s for the newest checkpoint, twice while it is written, and %s for each save\n",
               gd::bytes_text(training + on_disk).c_str(), gd::bytes_text(snapshot).c_str());
  if (on_disk > 0)
    std::fprintf(text, "averages on disk: %s more while the run lasts, read and written at every update\n",
                 gd::bytes_text(on_disk).c_str());
  if (free > 0 && memory > free)
    throw gd::Error("memory", "at least " + std::to_string(std::llround(memory / 1e6)) + " MB to be free",
                    std::to_string(std::llround(free / 1e6)) +
                        " MB; --microbatch 1, --moments bf16, --ema-on-disk or --no-ema, and --train "
                        "low-rank need less");
  return {memory, training + on_disk, snapshot, on_disk};
}

/// The DDIM steps of a sample.
int sampling_steps(Options const& options, Process const& process) {
  return int(process.respaced(options.sampling_steps).sampling_steps().size());
}

/// What the run takes in time, measured, without what its saves take on disk.
Forecast forecast_of(Trainer& trainer, Options const& options, Needs const& needs, std::size_t held_out) {
  Forecast forecast;
  forecast.update = seconds_per_update(trainer, size);
  double const judged = channels == 1 && held_out > 2 && options.judged > 1 ? options.judged : 0,
               evaluated = held_out > 0 ? 2.0 * double(std::min<std::size_t>(held_out, 128)) : 0;
  forecast.save = seconds_to_draw(
      forecast.update, options.batch,
      (options.sheet + judged) * sampling_steps(options, trainer.diffusion()) + std::max(evaluated, 128.0));
  forecast.memory = needs.memory;
  forecast.disk = 2 * needs.checkpoint + needs.averages + 5e6;
  return forecast;
}

int run(Options options) {
  auto const part = gd::trained_part(options.part);
  if (!part) throw gd::Error("--train", "all, norms, attention, last or low-rank", options.part);
  gd::ImageDataset pictures = load_pictures(options.data, options.mirror);
  gd::ImageDataset held_out;
  if (!options.held_out.empty())
    held_out = at_size(load_pictures(options.held_out, false, true), size);
  else if (options.hold_out)
    held_out = at_size(gd::hold_out_tenth(pictures), size);
  if (Net::config.classes > 0)
    throw gd::Error(preset_name, "a network without classes, as pictures in a folder have none",
                    std::to_string(Net::config.classes) + " classes");
  gd::make_run_folder(options.out);
  Exec const exec;
  Net net(exec, options.seed);
  Needs const needs = announce_memory(options, net, exec, *part, pictures.size());

  std::string const checkpoint = (options.out / "checkpoint.safetensors").string();
  bool const resuming = !options.fresh && fs::exists(checkpoint);
  auto const snapshots = resuming ? std::vector<fs::path>{} : snapshots_to_remove(options);
  // Not needed where everything that training moves comes from the checkpoint; the rest always does from
  // here.
  if (!options.init.empty() && !(resuming && *part == gd::TrainedPart::all))
    load_network(options.init, options.weights, net, text);

  gd::TrainOptions train;
  train.seed = options.seed;
  train.batch = options.batch;
  train.microbatch = options.microbatch;
  train.learning_rate = {.peak = options.learning_rate, .warm_up = options.warm_up};
  if (options.decay_to < 1) {
    train.learning_rate.decay = gd::Decay::cosine;
    train.learning_rate.steps = options.steps;
    train.learning_rate.final_fraction = options.decay_to;
  }
  train.adamw.beta2 = options.beta2;
  train.clip_norm = options.clip;
  train.ema_rates = options.ema;
  train.ema_widths = options.widths;
  train.adamw.moments = options.moment_format();
  if (options.ema_on_disk) train.ema_folder = options.out.string();
  Process const process = gd::presets::make_process<Preset>();
  Trainer trainer(exec, net, process, train,
                  gd::make_trainable(exec, net, *part, options.rank, options.seed));

  Forecast forecast = forecast_of(trainer, options, needs, held_out.size());
  if (options.minutes > 0) {
    auto const plan = plan_of_minutes(text, options.out, options.minutes, resuming, [&] {
      return plan_within(options.minutes, forecast, size, options.save_every_said ? options.save_every : 0);
    });
    options.steps = plan.steps, options.save_every = plan.save_every;
    if (options.decay_to < 1) trainer.learning_rate().steps = options.steps;
  }
  forecast.disk += needs.snapshot * double(saves_between(0, options.steps, options.save_every));

  bool const vary = options.vary || (!options.plain && gd::few_letters(pictures.size()));
  gd::KeyValues const identity{
      {"preset", preset_name},
      {"init", options.init.empty() ? "none" : fs::path(options.init).filename().string()},
      {"pictures", fs::canonical(options.data).filename().string() + ", " + std::to_string(pictures.size())},
      {"trained",
       options.part + (*part == gd::TrainedPart::low_rank ? " " + std::to_string(options.rank) : "")},
      {"variation", vary ? "width, slant, weight and contrast" : "none"}};
  if (resuming) {
    gd::load_checkpoint(checkpoint, trainer, identity);
    std::fprintf(text, "going on from step %lld of %s (--fresh starts over)\n", (long long)trainer.steps(),
                 checkpoint.c_str());
  } else {
    start_afresh(options, snapshots);
  }

  gd::KeyValues facts = identity;
  facts.insert(facts.end(),
               {{"network", std::to_string(size) + "x" + std::to_string(size) + ", " +
                                std::to_string(gd::parameter_count<Preset>) + " parameters"},
                {"held out", std::to_string(held_out.size())},
                {"updates", std::to_string(options.steps) + " of " + std::to_string(options.batch)},
                {"learning rate", gd::detail::plot_number(options.learning_rate)},
                {"averages", std::to_string(options.ema.size() + options.widths.size())},
                {"seed", std::to_string(options.seed)}});
  RunWatch watch({.program = "finetune",
                  .out = options.out,
                  .command = options.command,
                  .loss_name = "loss",
                  .steps = options.steps,
                  .batch = options.batch,
                  .channels = channels,
                  .facts = facts,
                  .json = options.json},
                 trainer.steps());
  if (trainer.steps() < options.steps)
    announce(text, options.json, options.out, forecast, trainer.steps(), options.steps,
             saves_between(trainer.steps(), options.steps, options.save_every));
  gd::ImageDataset const training_at_size = at_size(pictures, size);
  gd::LetterBatches batches(std::move(pictures), size, options.batch, options.seed,
                            vary ? std::optional(gd::few_letters_augmentation) : std::nullopt,
                            gd::plain_from(options.steps));

  Process const fast = process.respaced(options.sampling_steps);
  // What `use` makes of the network as it is sampled from: with the first average, if there is one.
  auto const with_average = [&](auto const& use) {
    auto const& averages = trainer.ema().averages();
    trainer.trainable().with(exec, averages.empty() ? trainer.trainable().values() : averages[0].values,
                             [&](gd::Arena<Exec> const& parameters) {
                               Net::Evaluator denoise(net, parameters);
                               use(denoise);
                             });
    trainer.ema().release();
  };
  auto const draw = [&](auto& denoise, int count, std::uint64_t first) {
    return gd::draw_ddim(exec, fast, denoise, count, size, size, channels, options.seed, first,
                         size < 128 ? 32 : 1);
  };
  // Few pictures are evaluated at several times each.
  gd::HostImages const unseen = some_of(held_out, 128), seen = some_of(training_at_size, unseen.extent(0));
  int const repeats = held_out.size() == 0 ? 0 : int(std::max<std::size_t>(1, 64 / unseen.extent(0)));
  auto const look = [&] {
    RunWatch::Save measured;
    with_average([&](auto& denoise) {
      if (options.sheet > 0) {
        auto const samples = draw(denoise, options.sheet, 0);
        gd::write_png(gd::sheet_path(options.out, trainer.steps()), gd::image_grid(samples, options.sheet));
        gd::write_progress(options.out, gd::drawn_sheets(options.out, trainer.steps()), size + 4, channels);
        watch.show(samples, training_at_size);
      }
      if (held_out.size() == 0) return;
      auto const loss = [&](gd::HostImages const& of) {
        return gd::evaluation_loss<Objective>(exec, process, denoise, of, options.seed, repeats,
                                              options.microbatch);
      };
      measured.held_out_loss = loss(unseen);
      measured.training_loss = loss(seen);
      if (channels == 1 && held_out.size() > 2 && options.judged > 1)
        measured.judged = gd::judge_samples(span(draw(denoise, options.judged, 1'000'000)),
                                            span(training_at_size), span(held_out), options.seed);
    });
    watch.pause();
    if (measured.held_out_loss)
      std::fprintf(
          text, "step %lld: held-out loss %.4f%s\n", (long long)trainer.steps(), *measured.held_out_loss,
          measured.judged
              ? (", coverage " + gd::detail::plot_number(measured.judged->samples.coverage) +
                 ", 1-NN accuracy " + gd::detail::plot_number(measured.judged->samples.one_nn_accuracy))
                    .c_str()
              : "");
    watch.record(measured);
    watch.write("training");
  };
  auto const save = [&] {
    gd::save_checkpoint(checkpoint, trainer, identity);
    watch.save_loss();
  };
  auto const snapshot = [&] {
    char name[48];
    std::snprintf(name, sizeof name, "step_%06lld.safetensors", (long long)trainer.steps());
    gd::save_snapshot((options.out / name).string(), trainer, identity, options.full_snapshots);
    return options.out / name;
  };

  if (trainer.steps() == 0) look();
  std::optional<gd::Interrupt> interrupt(std::in_place);
  std::int64_t const first = trainer.steps();
  auto const clock = [] { return std::chrono::steady_clock::now(); };
  auto timed_from = clock();
  UpdateProfile profile(options.profile, options.out, text);
  while (trainer.steps() < options.steps) {
    gd::StepReport report;
    profile.before_update(trainer);
    try {
      report = trainer.step(batches(trainer.steps()));
    } catch (Trainer::NotFinite const&) {
      watch.pause();
      save();
      throw;
    }
    watch.step(report.step, report.loss);
    if (report.step == first + 1)
      timed_from = clock();  // the first one finds its plan and touches its memory
    if (report.step == first + 3) {
      double const each = std::chrono::duration<double>(clock() - timed_from).count() / 2;
      double const left = each * double(options.steps - report.step);
      watch.pause();
      std::fprintf(text, "%.2f s an update: %s for the %lld that are left\n", each,
                   gd::duration_text(left).c_str(), (long long)(options.steps - report.step));
      watch.resume();
    }
    bool const due = report.step % options.save_every == 0 || report.step == options.steps;
    if (due || interrupt->requested()) {
      watch.pause();
      save();
      if (interrupt->requested()) {
        watch.stopped();
        return 130;
      }
      fs::path const file = snapshot();
      look();
      watch.keep_best(file);
      if (options.stop == "auto" && gd::no_better(watch.metrics())) {
        std::fprintf(text, "stopped at step %lld: the last saves were no better than that of step %lld\n",
                     (long long)report.step, (long long)*gd::best_save(watch.metrics()));
        break;
      }
      watch.resume();
    }
  }
  profile.end(trainer);
  watch.write("finished");
  watch.end(trainer.steps() == options.steps ? "finished" : "no better");
  std::fprintf(text, "see %s\n", (options.out / "report.html").c_str());
  return 0;
}

int main(int argc, char** argv) try {
  gd::Runtime const runtime(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // in order with the progress bar, wherever it goes
  Options options;
  cli::App app(std::string("Trains the network ") + preset_name +
               " on pictures, from a checkpoint or from nothing.");
  app.add_option("--data", options.data,
                 "folder of PNG or JPEG pictures, a data set that letters made, or an atlas "
                 "(NAME.png of 64x64 cells beside NAME.tsv)")
      ->required();
  app.add_option("--init", options.init,
                 "checkpoint to begin with: .pt of PyTorch, safetensors, or the folder of a run");
  app.add_option("--weights", options.weights,
                 "which weights of it: model, ema_0.9999, ...; the first average if not said");
  app.add_option("--out", options.out, "folder that everything is written to")->capture_default_str();
  auto const defaults = finetune_defaults(gd::parameter_count<Preset>, false);
  auto const with_init = finetune_defaults(gd::parameter_count<Preset>, true);
  // An option whose default differs with --init: (from nothing), (from a checkpoint).
  std::vector<std::function<void()>> by_init;
  auto const option = [&](char const* name, auto& value, auto FinetuneDefaults::*field,
                          std::string const& what) {
    value = defaults.*field;
    std::ostringstream more;
    if (with_init.*field != defaults.*field) more << "; with --init " << with_init.*field << " if not said";
    cli::Option* const made = app.add_option(name, value, what + more.str())->capture_default_str();
    by_init.emplace_back([&value, field, made, &with_init, &options] {
      if (made->count() == 0 && !options.init.empty()) value = with_init.*field;
    });
    return made;
  };
  cli::Option* const steps = option("--steps", options.steps, &FinetuneDefaults::steps,
                                    "updates; a larger number extends a finished run")
                                 ->check(cli::Range(1, 1'000'000'000));
  app.add_option("--minutes", options.minutes,
                 "as many updates as fit into this time on this machine, instead of --steps")
      ->check(cli::PositiveNumber)
      ->excludes(steps);
  cli::Option* const save_every =
      option("--save-every", options.save_every, &FinetuneDefaults::save_every,
             "updates between saves; with --minutes as many as make five saves or fewer")
          ->check(cli::Range(1, 1'000'000'000));
  option("--batch", options.batch, &FinetuneDefaults::batch, "pictures per update")
      ->check(cli::Range(1, 1'000'000));
  option("--microbatch", options.microbatch, &FinetuneDefaults::microbatch, "pictures at a time in memory")
      ->check(cli::Range(1, 1'000'000));
  option("--lr", options.learning_rate, &FinetuneDefaults::learning_rate, "learning rate")
      ->check(cli::PositiveNumber);
  option("--warm-up", options.warm_up, &FinetuneDefaults::warm_up,
         "updates over which the learning rate rises at the beginning")
      ->check(cli::NonNegativeNumber);
  option("--decay-to", options.decay_to, &FinetuneDefaults::decay_to,
         "share of the learning rate that is left at the end, after half a cosine; 1: constant")
      ->check(cli::Range(0.0, 1.0));
  option("--beta2", options.beta2, &FinetuneDefaults::beta2, "Adam's beta2, its memory of squared gradients")
      ->check(cli::Range(0.0, 0.999999));
  option("--clip", options.clip, &FinetuneDefaults::clip, "largest norm of the gradient; 0: no limit")
      ->check(cli::NonNegativeNumber);
  options.ema = {defaults.ema};
  cli::Option* const ema =
      app.add_option("--ema", options.ema,
                     "rates of moving averages, separated by commas; sheets show the first")
          ->delimiter(',')
          ->check(cli::Range(0.0, 0.9999999))
          ->capture_default_str();
  bool no_ema = false;
  app.add_flag("--no-ema", no_ema, "keep no such averages");
  app.add_option(
         "--ema-widths", options.widths,
         "widths of power-function averages, such as 0.05,0.1, from which sample makes others afterwards")
      ->delimiter(',')
      ->check(cli::Range(0.001, 0.28));
  app.add_flag("--ema-on-disk", options.ema_on_disk,
               "keep the averages on the disk of --out instead of in memory; each update takes longer");
  app.add_option("--moments", options.moments,
                 "how Adam's two moments are kept: float, or bf16 in half the memory")
      ->check(cli::IsMember({"float", "bf16"}))
      ->capture_default_str();
  app.add_option("--train", options.part,
                 "what to train: all, norms (and biases), attention, last (level), low-rank")
      ->check(cli::IsMember({"all", "norms", "attention", "last", "low-rank"}))
      ->capture_default_str();
  app.add_option("--rank", options.rank, "of low-rank corrections")
      ->check(cli::Range(1, 4096))
      ->capture_default_str();
  option("--sheet", options.sheet, &FinetuneDefaults::sheet, "samples drawn at each save; 0: none")
      ->check(cli::Range(0, 1024));
  app.add_option("--sampling-steps", options.sampling_steps, "DDIM steps of each")->capture_default_str();
  app.add_option("--held-out", options.held_out,
                 "pictures (folder or atlas) that are not trained on: their loss, and beside gray ones "
                 "samples are judged");
  app.add_flag("--hold-out", options.hold_out, "hold every tenth picture of --data out for that")
      ->excludes("--held-out");
  app.add_option("--stop", options.stop,
                 "steps: at the last one; auto: when three saves were no better than one before them, by the "
                 "held-out pictures")
      ->check(cli::IsMember({"steps", "auto"}))
      ->capture_default_str();
  app.add_flag("--profile", options.profile,
               "record ten updates: where their time goes, to OUT/profile.txt and OUT/profile.json");
  app.add_flag("--json", options.json, "say what happens as lines of JSON on standard output");
  app.add_option("--judged", options.judged, "samples judged at each save")
      ->check(cli::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of everything random")->capture_default_str();
  app.add_flag("--fresh", options.fresh, "start over instead of going on from the folder's checkpoint");
  app.add_flag("--mirror", options.mirror, "train on mirrored pictures as well: not for letters");
  auto* const vary = app.add_flag("--vary", options.vary,
                                  "vary width, slant, weight and contrast of letters a little, but for the "
                                  "last quarter of the updates; without it fewer than 1,000 are varied");
  app.add_flag("--plain", options.plain, "train on the pictures as they are")->excludes(vary);
  app.add_flag("--full-snapshots", options.full_snapshots,
               "keep the averages of each save in full precision");
  if (auto const status = app.parse(argc, argv)) return *status;
  for (auto const& set : by_init) set();
  if (ema->count() == 0 && !options.init.empty()) options.ema = {with_init.ema};
  if (no_ema) options.ema.clear();
  options.microbatch = std::min(options.microbatch, options.batch);
  options.save_every_said = save_every->count() > 0;
  if (!options.init.empty()) options.init = gd::network_file(options.init).string();
  if (options.json) text = stderr;
  if (options.stop == "auto" && options.held_out.empty()) options.hold_out = true;
  if (options.mirror && options.hold_out)
    throw gd::Error("--mirror", "pictures that are not held out of",
                    "--hold-out, whose mirror images would be trained on");
  options.command = std::string("./run finetune --preset ") + preset_name + (channels == 3 ? " --rgb" : "") +
                    command_options(argc, argv);
  return run(options);
} catch (std::exception const& error) {
  std::cerr << "finetune: " << error.what() << "\n";
  return 2;
}
