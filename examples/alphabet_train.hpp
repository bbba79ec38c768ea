// alphabet train: teaches the network the styles of a folder of letters.
#pragma once

#include "alphabet_letters.hpp"
#include "forecast.hpp"
#include "load_network.hpp"
#include "profile.hpp"
#include "watch.hpp"

#include <glyphdiff/data/alphabet_batches.hpp>
#include <glyphdiff/train/checkpoint.hpp>
#include <glyphdiff/train/interrupt.hpp>

#include <cstdio>
#include <optional>
#include <set>

struct TrainingOptions {
  fs::path data, init = shipped, out = "out/alphabet";
  std::int64_t steps = 2000, save_every = 500;
  int batch = 32;
  double learning_rate = 3e-4, ema = 0.998, minutes = 0;  // minutes: 0 if not said
  bool save_every_said = false;
  std::uint64_t seed = 1;
  bool from_nothing = false, fresh = false, plain = false, json = false, profile = false;
  std::string command;
};

inline int train(TrainingOptions options) {
  if (!options.from_nothing) options.init = gd::network_file(options.init);
  std::vector<gd::StyledLetter> letters = load_letters(options.data).letters;
  std::string characters;  // that the network is taught
  for (int label = 0; label < int(gd::alphabet.size()); ++label)
    if (std::any_of(letters.begin(), letters.end(),
                    [&](gd::StyledLetter const& letter) { return letter.label == label; }))
      characters += gd::alphabet[std::size_t(label)];
  gd::make_run_folder(options.out);
  std::FILE* const text = options.json ? stderr : stdout;
  Exec const exec;
  Net net(exec, options.seed);
  std::string const checkpoint = (options.out / "checkpoint.safetensors").string(),
                    network = (options.out / "alphabet.safetensors").string();
  bool const resuming = !options.fresh && fs::exists(checkpoint);
  if (!options.from_nothing && !resuming) load_network(options.init.string(), "", net, text);

  gd::TrainOptions how;
  how.seed = options.seed;
  how.batch = options.batch;
  how.learning_rate = {.peak = options.learning_rate,
                       .warm_up = 100,
                       .decay = gd::Decay::cosine,
                       .steps = options.steps,
                       .final_fraction = 0.05};
  how.adamw.beta2 = 0.99;
  how.clip_norm = 1;
  how.ema_rates = {options.ema};
  Preset::Process const process(25);
  gd::Trainer trainer(exec, net, process, how);

  gd::AlphabetBatches::Options mix;
  mix.batch = options.batch;
  mix.references = Letters::places;
  mix.seed = options.seed;
  if (!options.plain) mix.augmentation.emplace();
  // The references of the sheets: different letters of the first one's style.
  std::vector<Picture> shown;
  std::set<int> labels;
  for (gd::StyledLetter const& letter : letters)
    if (letter.style == letters[0].style && shown.size() < std::size_t(Letters::places) &&
        labels.insert(letter.label).second)
      shown.push_back(to_picture(letter.picture));
  std::size_t const letter_count = letters.size();

  Forecast forecast;
  forecast.update = seconds_per_update(trainer, Frame::size);
  // Of a save: two rows of 22 letters, in 25 steps with guidance.
  forecast.save = seconds_to_draw(forecast.update, options.batch, 44 * 25 * 2);
  forecast.memory = double(trainer.memory(Frame::size, Frame::size).total());
  double const parameters = 4.0 * double(gd::parameter_count<Preset>);
  forecast.disk = 2 * 4 * parameters + 2 * parameters / 2 + 5e6;  // checkpoint, network, report
  if (options.minutes > 0) {
    auto const plan = plan_of_minutes(text, options.out, options.minutes, resuming, [&] {
      return plan_within(options.minutes, forecast, Frame::size,
                         options.save_every_said ? options.save_every : 0);
    });
    options.steps = plan.steps, options.save_every = plan.save_every;
    trainer.learning_rate().steps = options.steps;
  }
  gd::AlphabetBatches batches(std::move(letters), mix);
  std::fprintf(text, "%zu letters in %zu styles; %lld parameters; %lld updates of %d\n", letter_count,
               batches.style_count(), (long long)gd::parameter_count<Preset>, (long long)options.steps,
               options.batch);

  gd::KeyValues const identity{
      {"preset", "Alphabet64"},
      {"letters", fs::canonical(options.data).filename().string() + ", " + std::to_string(letter_count)},
      {"characters", characters},
      {"init",
       options.from_nothing ? "none" : options.init.filename().string() + ", " + content_hash(options.init)},
      {"base", options.from_nothing ? "none" : base_of(options.init)},
      {"variation", options.plain ? "none" : "width and slant"}};
  if (resuming) {
    gd::load_checkpoint(checkpoint, trainer, identity);
    std::fprintf(text, "going on from step %lld of %s (--fresh starts over)\n", (long long)trainer.steps(),
                 checkpoint.c_str());
  } else {
    gd::remove_sheets(options.out);
    fs::remove(network);
    if (options.minutes <= 0) fs::remove(gd::plan_path(options.out));
  }

  gd::KeyValues facts = identity;
  facts.insert(facts.end(),
               {{"updates", std::to_string(options.steps) + " of " + std::to_string(options.batch)},
                {"learning rate", gd::detail::plot_number(options.learning_rate)},
                {"seed", std::to_string(options.seed)}});
  RunWatch watch({.program = "alphabet train",
                  .out = options.out,
                  .command = options.command,
                  .loss_name = "mean squared error of v",
                  .steps = options.steps,
                  .batch = options.batch,
                  .facts = facts,
                  .json = options.json},
                 trainer.steps());
  if (trainer.steps() < options.steps)
    announce(text, options.json, options.out, forecast, trainer.steps(), options.steps,
             saves_between(trainer.steps(), options.steps, options.save_every));
  // Two rows: in the style of the references, and in one of the network's own.
  auto const draw_sheet = [&] {
    static constexpr std::string_view text = "HAMBURGhamburgefonstiv";
    auto const classes = gd::alphabet_classes(text);
    Letters artist(exec, net, trainer.ema().averages()[0].values, 1.5);
    std::vector<Picture const*> references;
    for (Picture const& picture : shown) references.push_back(&picture);
    auto rows = artist.draw(process, classes, {classes.size(), references}, {options.seed, 0});
    auto const invented = artist.invent(process, classes, {options.seed, 1});
    rows.insert(rows.end(), invented.begin(), invented.end());
    gd::write_png(gd::sheet_path(options.out, trainer.steps()), picture_grid(rows, int(text.size())));
  };
  auto const save = [&] {
    gd::save_checkpoint(checkpoint, trainer, identity);
    gd::save_snapshot(network, trainer, identity);
    watch.save_loss();
  };

  std::optional<gd::Interrupt> interrupt(std::in_place);
  UpdateProfile profile(options.profile, options.out, text);
  while (trainer.steps() < options.steps) {
    gd::StepReport report;
    profile.before_update(trainer);
    auto const& batch = batches(trainer.steps());
    try {
      report = trainer.step(batch.images, batch.labels, batch.condition);
    } catch (typename decltype(trainer)::NotFinite const&) {
      watch.pause();
      save();
      throw;
    }
    watch.step(report.step, report.loss);
    if (report.step % options.save_every != 0 && report.step != options.steps && !interrupt->requested())
      continue;
    watch.pause();
    save();
    if (interrupt->requested()) {
      watch.stopped();
      return 130;
    }
    draw_sheet();
    watch.record({});
    watch.write("training");
    watch.resume();
  }
  profile.end(trainer);
  watch.write("finished");
  watch.end("finished");
  std::fprintf(text, "see %s\n", (options.out / "report.html").c_str());
  return 0;
}
