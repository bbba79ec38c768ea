// Draws letters of a whole alphabet in one style, and teaches a network styles of your own. `alphabet train`
// goes on from the network that comes with glyphdiff, on a folder that `letters` made; `alphabet draw` writes
// a text in the style of given letters, or in one that it makes up. `alphabet train --help` and `alphabet
// draw --help` list the options.
#include "alphabet_draw.hpp"
#include "alphabet_train.hpp"
#include "command_line.hpp"

#include <glyphdiff/runtime.hpp>

#include <cstdio>
#include <iostream>

int main(int argc, char** argv) try {
  gd::Runtime const runtime(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // in order with the progress bar, wherever it goes
  cli::App app("Draws letters of a whole alphabet in one style.");
  app.require_subcommand();

  TrainingOptions training;
  cli::App& train_command = *app.add_subcommand("train", "teaches the network the style of your letters");
  train_command
      .add_option("--data", training.data, "folder of letters with its manifest, as letters makes it")
      ->required();
  cli::Option* const init = train_command.add_option(
      "--init", training.init,
      "network to begin with, or the folder of a run; the one of glyphdiff if not said");
  train_command.add_flag("--from-nothing", training.from_nothing, "begin with a new network")->excludes(init);
  train_command.add_option("--out", training.out, "folder that everything is written to")
      ->capture_default_str();
  cli::Option* const steps =
      train_command.add_option("--steps", training.steps, "updates; a larger number extends a finished run")
          ->check(cli::Range(1, 1'000'000'000))
          ->capture_default_str();
  train_command
      .add_option("--minutes", training.minutes,
                  "as many updates as fit into this time on this machine, instead of --steps")
      ->check(cli::PositiveNumber)
      ->excludes(steps);
  cli::Option* const save_every =
      train_command.add_option("--save-every", training.save_every, "updates between saves and sheets")
          ->check(cli::Range(1, 1'000'000'000))
          ->capture_default_str();
  train_command.add_option("--batch", training.batch, "letters per update")
      ->check(cli::Range(1, 1'000'000))
      ->capture_default_str();
  train_command.add_option("--lr", training.learning_rate, "learning rate")
      ->check(cli::PositiveNumber)
      ->capture_default_str();
  train_command.add_option("--ema", training.ema, "rate of the moving average that is drawn with")
      ->check(cli::Range(0.0, 0.9999999))
      ->capture_default_str();
  train_command.add_option("--seed", training.seed, "of everything random")->capture_default_str();
  train_command.add_flag("--fresh", training.fresh,
                         "start over instead of going on from the folder's checkpoint");
  train_command.add_flag("--plain", training.plain,
                         "train on the letters as they are, without varying width and slant");

  DrawingOptions drawing;
  cli::App& draw_command =
      *app.add_subcommand("draw", "draws a text in one style, or variations of a letter");
  draw_command.add_option("--text", drawing.text, "what to draw; one character for variations")->required();
  draw_command
      .add_option("--references", drawing.references,
                  "letters in the style to draw in: pictures, and folders that letters made; without them a "
                  "style is made up")
      ->delimiter(',');
  draw_command.add_option(
      "--model", drawing.model,
      "network, or the folder of a run of alphabet train; the one of glyphdiff if not said");
  draw_command.add_option("--out", drawing.out, "folder that everything is written to")
      ->capture_default_str();
  draw_command
      .add_option("--count", drawing.count,
                  "rows of the text, each in another style (of the references, in turn) or from another "
                  "noise; or variations")
      ->check(cli::Range(1, 10'000))
      ->capture_default_str();
  draw_command
      .add_option("--candidates", drawing.candidates,
                  "drawings of each letter of a text, of which the most typical is kept")
      ->check(cli::Range(1, 1000))
      ->capture_default_str();
  draw_command.add_option("--steps", drawing.steps, "of DDIM")
      ->check(cli::Range(1, 10'000))
      ->capture_default_str();
  draw_command
      .add_option("--guidance-scale", drawing.guidance_scale,
                  "how far away from letters of no class and style; 1: not at all")
      ->capture_default_str();
  draw_command
      .add_option("--taught", drawing.taught,
                  "of characters that your letters did not have: how much of what it has learnt of them the "
                  "network keeps; 1 follows them most and knows other characters least")
      ->check(cli::Range(0.0, 1.0))
      ->capture_default_str();
  draw_command.add_option("--seed", drawing.seed, "of everything random")->capture_default_str();
  draw_command.add_flag("--profile", drawing.profile,
                        "record the drawing: where its time goes, to OUT/profile.txt and OUT/profile.json");
  cli::Option* const like =
      draw_command.add_option("--like", drawing.like, "draw more like this picture, in its style");
  cli::Option* const from =
      draw_command.add_option("--from", drawing.from, "start from this picture, such as a sketch")
          ->excludes(like);
  cli::Option* const strength =
      draw_command.add_option("--strength", drawing.strength, "how far to go from it: 1 forgets it")
          ->check(cli::Range(0.001, 1.0))
          ->capture_default_str();
  draw_command.add_option("--mask", drawing.mask, "what of it to draw anew (white) and what to keep (black)")
      ->needs(from)
      ->excludes(strength);
  draw_command.add_option("--between", drawing.between, "draw what lies between these two pictures")
      ->delimiter(',')
      ->expected(2)
      ->excludes(from)
      ->excludes(like)
      ->excludes(strength);
  train_command.add_flag(
      "--profile", training.profile,
      "record ten updates: where their time goes, to OUT/profile.txt and OUT/profile.json");
  train_command.add_flag("--json", training.json, "say what happens as lines of JSON on standard output");
  if (auto const status = app.parse(argc, argv)) return *status;
  training.save_every_said = save_every->count() > 0;
  training.command = "./run alphabet" + command_options(argc, argv);
  return draw_command.parsed() ? draw(drawing) : train(training);
} catch (std::exception const& error) {
  std::cerr << "alphabet: " << error.what() << "\n";
  return 2;
}
