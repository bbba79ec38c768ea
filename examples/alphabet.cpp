// Draws letters of a whole alphabet in one style, and teaches a network styles of your own. `alphabet train`
// goes on from the network that comes with glyphdiff, on a folder that `letters` made; `alphabet draw` writes
// a text in the style of given letters, or in one that it makes up. `alphabet train --help` and `alphabet
// draw --help` list the options.
#include <glyphdiff/data/alphabet.hpp>
#include <glyphdiff/data/alphabet_batches.hpp>
#include <glyphdiff/data/alphabet_letters.hpp>
#include <glyphdiff/data/letter_line.hpp>
#include <glyphdiff/io/grid.hpp>
#include <glyphdiff/io/resize.hpp>
#include <glyphdiff/io/run_folder.hpp>
#include <glyphdiff/metrics/most_typical.hpp>
#include <glyphdiff/presets.hpp>
#include <glyphdiff/runtime.hpp>
#include <glyphdiff/sampler/inpainting.hpp>
#include <glyphdiff/sampler/interpolation.hpp>
#include <glyphdiff/sampler/spacing.hpp>
#include <glyphdiff/sampler/styled_letters.hpp>
#include <glyphdiff/train/checkpoint.hpp>
#include <glyphdiff/train/interrupt.hpp>
#include <glyphdiff/train/progress_bar.hpp>

#include "load_network.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gd = glyphdiff;
namespace fs = std::filesystem;
using Exec = Kokkos::DefaultExecutionSpace;
using Preset = gd::presets::Alphabet64;
using Net = gd::UNet<Preset, Exec>;
using Letters = gd::StyledLetters<Net>;
using Picture = Letters::Picture;
using Frame = gd::AlphabetFrame;

static_assert(Net::config.classes == int(gd::alphabet.size()) && Net::config.image_size == Frame::size);

fs::path const shipped = fs::path(GLYPHDIFF_DATA_DIR) / "alphabet.safetensors";

struct TrainingOptions {
  fs::path data, init = shipped, out = "out/alphabet";
  std::int64_t steps = 2000, save_every = 500;
  int batch = 32;
  double learning_rate = 3e-4, ema = 0.998;
  std::uint64_t seed = 1;
  bool from_nothing = false, fresh = false, plain = false;
};

struct DrawingOptions {
  std::string text;
  fs::path model = shipped, out = "out/text", like, from, mask;
  std::vector<fs::path> references, between;
  int count = 1, candidates = 4, steps = 25;
  double guidance_scale = 1.5, strength = 0.5;
  std::uint64_t seed = 1;
};

gd::AlphabetLetters load_letters(fs::path const& folder) {
  auto loaded = gd::load_alphabet_letters(folder);
  for (std::string const& sentence : loaded.skipped) std::cerr << "skipped: " << sentence << '\n';
  return loaded;
}

Picture to_picture(gd::Image const& image) {
  Picture picture;
  for (std::uint8_t const byte : image.pixels) picture.push_back(float(byte) / 127.5f - 1.0f);
  return picture;
}

gd::Image to_image(Picture const& picture) {
  gd::Image image(Frame::size, Frame::size, 1);
  std::transform(picture.begin(), picture.end(), image.pixels.begin(), gd::to_byte);
  return image;
}

gd::Image picture_grid(std::vector<Picture> const& pictures, int columns) {
  gd::HostImages const host("letters", pictures.size(), Frame::size, Frame::size, 1);
  for (std::size_t i = 0; i < pictures.size(); ++i)
    std::copy(pictures[i].begin(), pictures[i].end(), &host(i, 0, 0, 0));
  return gd::image_grid(host, columns);
}

gd::Images<Exec> to_device(std::vector<Picture> const& pictures) {
  gd::HostImages const host("pictures", pictures.size(), Frame::size, Frame::size, 1);
  for (std::size_t i = 0; i < pictures.size(); ++i)
    std::copy(pictures[i].begin(), pictures[i].end(), &host(i, 0, 0, 0));
  return Kokkos::create_mirror_view_and_copy(typename Exec::memory_space(), host);
}

int train(TrainingOptions const& options) {
  std::vector<gd::StyledLetter> letters = load_letters(options.data).letters;
  gd::make_run_folder(options.out);
  Exec const exec;
  Net net(exec, options.seed);
  std::string const checkpoint = (options.out / "checkpoint.safetensors").string();
  bool const resuming = !options.fresh && fs::exists(checkpoint);
  if (!options.from_nothing && !resuming) load_network(options.init.string(), "", net);

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
  // The references of the sheets: what the style of the first letter has.
  std::vector<Picture> shown;
  for (std::size_t i = 0; i < letters.size() && shown.size() < std::size_t(Letters::places); ++i)
    if (letters[i].style == letters[0].style) shown.push_back(to_picture(letters[i].picture));
  std::size_t const letter_count = letters.size();
  gd::AlphabetBatches batches(std::move(letters), mix);
  std::printf("%zu letters in %zu styles; %lld parameters; %lld updates of %d; %.0f MB of memory\n",
              letter_count, batches.style_count(), (long long)gd::parameter_count<Preset>,
              (long long)options.steps, options.batch,
              trainer.memory(Frame::size, Frame::size).total() / 1e6);

  gd::KeyValues const identity{
      {"preset", "Alphabet64"},
      {"letters", fs::canonical(options.data).filename().string() + ", " + std::to_string(letter_count)},
      {"init", options.from_nothing ? "none" : options.init.filename().string()},
      {"variation", options.plain ? "none" : "width and slant"}};
  gd::LossLog log;
  if (resuming) {
    gd::load_checkpoint(checkpoint, trainer, identity);
    log.load(options.out, trainer.steps());
    std::printf("going on from step %lld of %s (--fresh starts over)\n", (long long)trainer.steps(),
                checkpoint.c_str());
  } else {
    gd::remove_sheets(options.out);
  }

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
    log.save(options.out, "mean squared error of v");
  };

  std::optional<gd::Interrupt> interrupt(std::in_place);
  gd::ProgressBar bar(trainer.steps(), options.steps, options.batch);
  while (trainer.steps() < options.steps) {
    gd::StepReport report;
    auto const& batch = batches(trainer.steps());
    try {
      report = trainer.step(batch.images, batch.labels, batch.condition);
    } catch (typename decltype(trainer)::NotFinite const&) {
      bar.pause();
      save();
      throw;
    }
    log.add(double(report.step), report.loss);
    bar.update(report.step, report.loss);
    if (report.step % options.save_every != 0 && report.step != options.steps && !interrupt->requested())
      continue;
    bar.pause();
    save();
    if (interrupt->requested()) {
      std::printf("stopped at step %lld; the same command goes on from there\n", (long long)report.step);
      return 130;
    }
    draw_sheet();
    bar.resume();
  }
  gd::save_snapshot((options.out / "alphabet.safetensors").string(), trainer, identity);
  std::printf("see %s\n", options.out.c_str());
  return 0;
}

/// What to draw a style from: letters that have it.
struct Reference {
  Picture picture;
  int label = gd::no_class;
  std::optional<gd::SideBearings> bearings;
};

Picture read_letter(fs::path const& path) {
  gd::Image image = gd::read_image(path, 1);
  if (image.height != Frame::size || image.width != Frame::size)
    throw gd::Error(path.string(), "a letter of 64x64 pixels, as letters makes them",
                    std::to_string(image.height) + "x" + std::to_string(image.width));
  if (gd::is_white_on_black(image)) image = gd::inverted(std::move(image));
  return to_picture(image);
}

/// Pictures, and folders of letters with a manifest.
std::vector<Reference> load_references(std::vector<fs::path> const& paths) {
  std::vector<Reference> references;
  for (fs::path const& path : paths) {
    if (!fs::is_directory(path)) {
      references.push_back({read_letter(path), gd::no_class, {}});
      continue;
    }
    auto const loaded = load_letters(path);
    for (std::size_t i = 0; i < loaded.letters.size(); ++i) {
      gd::StyledLetter const& letter = loaded.letters[i];
      Reference reference{to_picture(letter.picture), letter.label, {}};
      if (loaded.entries[i].advance > 0)
        reference.bearings = gd::side_bearings(letter.picture, loaded.entries[i]);
      references.push_back(std::move(reference));
    }
  }
  return references;
}

/// As many references of other classes as the network reads, chosen by the seed and `draw`.
std::vector<Picture const*> choose(std::vector<Reference> const& references, int label, std::uint64_t seed,
                                   std::uint64_t draw) {
  std::vector<Picture const*> chosen;
  for (Reference const& reference : references)
    if (reference.label != label || label == gd::no_class) chosen.push_back(&reference.picture);
  std::size_t const count = std::min(chosen.size(), std::size_t(Letters::places));
  for (std::size_t k = 0; k < count; ++k) {
    auto const r = gd::bits4({seed, gd::Stream::user, draw}, gd::random_index(std::uint64_t(label), k));
    std::swap(chosen[k], chosen[k + r[0] % (chosen.size() - k)]);
  }
  chosen.resize(count);
  return chosen;
}

/// The mean side bearings of a class among the references; else of all of them; else an eighth of the height
/// of capitals.
gd::SideBearings bearings_of(std::vector<Reference> const& references, int label) {
  for (bool const any : {false, true}) {
    gd::SideBearings sum;
    int count = 0;
    for (Reference const& reference : references)
      if (reference.bearings && (any || reference.label == label)) {
        sum.left += reference.bearings->left;
        sum.right += reference.bearings->right;
        ++count;
      }
    if (count > 0) return {sum.left / count, sum.right / count};
  }
  return {Frame::cap_height / 8.0, Frame::cap_height / 8.0};
}

/// One letter for each class: of `candidates` drawings in the style of the references the most typical one.
std::vector<Picture> draw_letters(Letters& artist, Preset::Process const& process,
                                  std::vector<int> const& classes, std::vector<Reference> const& references,
                                  DrawingOptions const& options, int row) {
  static constexpr std::size_t batch = 32;
  std::vector<std::vector<Picture>> candidates(classes.size());
  for (int k = 0; k < options.candidates; ++k) {
    std::uint64_t const number = std::uint64_t(row) * std::uint64_t(options.candidates) + std::uint64_t(k);
    for (std::size_t first = 0; first < classes.size(); first += batch) {
      std::span<int const> const some(&classes[first], std::min(batch, classes.size() - first));
      std::vector<std::vector<Picture const*>> shown;
      for (int const label : some) shown.push_back(choose(references, label, options.seed, number));
      auto drawn = artist.draw(process, some, shown, {options.seed, number});
      for (std::size_t i = 0; i < drawn.size(); ++i) candidates[first + i].push_back(std::move(drawn[i]));
    }
  }
  std::vector<Picture> letters;
  for (auto& drawings : candidates) letters.push_back(std::move(drawings[gd::most_typical(drawings)]));
  return letters;
}

/// A folder of letters with its manifest, which `trace` makes a font of.
std::vector<gd::LetterEntry> write_letters(fs::path const& folder, std::vector<int> const& classes,
                                           std::vector<gd::Image> const& pictures,
                                           std::vector<Reference> const& references) {
  gd::make_run_folder(folder);
  std::vector<gd::LetterEntry> entries;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    char const character = gd::alphabet[std::size_t(classes[i])];
    char name[32];
    std::snprintf(name, sizeof name, "u%04x.png", unsigned(character));
    gd::InkColumns const ink = gd::ink_columns(pictures[i]);
    gd::SideBearings const bearings = bearings_of(references, classes[i]);
    gd::write_png(folder / name, pictures[i]);
    entries.push_back({.file = name,
                       .character = std::string(1, character),
                       .family = "alphabet",
                       .source = "alphabet",
                       .scale = 1,
                       .baseline = Frame::baseline,
                       .cap_height = Frame::cap_height,
                       .origin = ink.left - bearings.left,
                       .advance = ink.right - ink.left + bearings.left + bearings.right});
  }
  gd::save_manifest(folder, entries);
  return entries;
}

/// Sets the text on a line with one picture for each class.
gd::Image set_text(std::string const& text, std::vector<int> const& classes,
                   std::vector<gd::Image> const& pictures, std::vector<gd::LetterEntry> const& entries) {
  std::vector<gd::Image const*> line;
  std::vector<gd::LetterEntry> places;
  for (char const character : text) {
    auto const at = std::find(classes.begin(), classes.end(), gd::alphabet_class({&character, 1}));
    std::size_t const i = std::size_t(at - classes.begin());
    line.push_back(character == ' ' ? nullptr : &pictures[i]);
    places.push_back(character == ' ' ? gd::LetterEntry{.advance = Frame::cap_height / 2.5} : entries[i]);
  }
  return gd::letter_line(line, places);
}

gd::Image one_below_the_other(std::vector<gd::Image> const& lines) {
  int height = 0, width = 0;
  for (gd::Image const& line : lines) height += line.height, width = std::max(width, line.width);
  gd::Image all(height, width, 1, 255);
  int top = 0;
  for (gd::Image const& line : lines) {
    for (int y = 0; y < line.height; ++y) std::copy_n(line.at(y, 0), line.width, all.at(top + y, 0));
    top += line.height;
  }
  return all;
}

/// The text in one style a row.
void draw_text(Letters& artist, Preset::Process const& process, DrawingOptions const& options) {
  std::vector<int> classes = gd::alphabet_classes(options.text);
  std::vector<int> distinct;
  for (int const label : classes)
    if (std::find(distinct.begin(), distinct.end(), label) == distinct.end()) distinct.push_back(label);
  std::vector<Reference> const given = load_references(options.references);
  std::vector<gd::Image> lines;
  for (int row = 0; row < options.count; ++row) {
    std::vector<Reference> references = given;
    std::vector<Picture> letters;
    if (given.empty()) {
      std::size_t const first = std::min(distinct.size(), std::size_t(Letters::places));
      letters = artist.invent(process, std::span(distinct).first(first), {options.seed, std::uint64_t(row)});
      for (std::size_t i = 0; i < first; ++i) references.push_back({letters[i], distinct[i], {}});
    }
    auto const rest =
        draw_letters(artist, process, {distinct.begin() + std::ptrdiff_t(letters.size()), distinct.end()},
                     references, options, row);
    letters.insert(letters.end(), rest.begin(), rest.end());
    std::vector<gd::Image> pictures;
    for (Picture const& letter : letters) pictures.push_back(to_image(letter));
    auto const entries =
        write_letters(options.out / ("letters_" + std::to_string(row + 1)), distinct, pictures, references);
    lines.push_back(set_text(options.text, distinct, pictures, entries));
    std::fprintf(stderr, "%d of %d\n", row + 1, options.count);
  }
  gd::write_png(options.out / "text.png", one_below_the_other(lines));
}

/// `count` pictures of one letter: from a picture, around what a mask keeps, or between two pictures.
void draw_variations(Exec const& exec, Letters& artist, Preset::Process const& process,
                     DrawingOptions options) {
  auto const classes = gd::alphabet_classes(options.text);
  if (classes.size() != 1)
    throw gd::Error("--text", "one character, which the pictures show", "\"" + options.text + "\"");
  std::vector<Reference> references = load_references(options.references);
  if (!options.like.empty()) {
    references.push_back({read_letter(options.like), gd::no_class, {}});
    options.from = options.like;
  }
  std::vector<int> const labels(std::size_t(options.count), classes[0]);
  std::vector<std::vector<Picture const*>> shown;
  for (int i = 0; i < options.count; ++i)
    shown.push_back(choose(references, classes[0], options.seed, std::uint64_t(i)));
  std::vector<Picture> drawn;
  artist.draw(labels, shown, [&](auto& model, int n) {
    gd::Images<Exec> const x("letters", n, Frame::size, Frame::size, 1);
    gd::SeededNoise const noise{options.seed, 0};
    if (!options.between.empty()) {
      std::vector<double> fractions;
      for (int i = 0; i < n; ++i) fractions.push_back(n > 1 ? double(i) / (n - 1) : 0.5);
      gd::ddim_interpolate(exec, process, model, to_device({read_letter(options.between[0])}),
                           to_device({read_letter(options.between[1])}), fractions, x);
    } else if (!options.mask.empty()) {
      gd::Image const mask = gd::fit_to_square(gd::read_image(options.mask, 1), Frame::size);
      Picture open;
      for (std::uint8_t const byte : mask.pixels) open.push_back(byte > 127 ? 1.0f : 0.0f);
      std::size_t const count(static_cast<std::size_t>(n));
      auto const plan = gd::repeated(process, 5);
      gd::ddim_sample(
          exec, plan, model, x, noise, {.eta = 1},
          gd::Inpainting<Exec>(exec, plan, to_device(std::vector<Picture>(count, read_letter(options.from))),
                               to_device(std::vector<Picture>(count, open)), {options.seed, 0}));
    } else {
      auto const plan = gd::last_steps(process, options.strength);
      auto const start = to_device(std::vector<Picture>(std::size_t(n), read_letter(options.from)));
      gd::ddim_sample(exec, plan, model, x, gd::noised_to_start(exec, plan, start, noise));
    }
    drawn = Letters::pictures(x);
  });
  gd::write_png(options.out / "letters.png", picture_grid(drawn, 8));
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "u%04x_%03zu.png", unsigned(options.text[0]), i + 1);
    gd::write_png(options.out / name, to_image(drawn[i]));
  }
}

int draw(DrawingOptions const& options) {
  if (!options.mask.empty() && options.from.empty())
    throw gd::Error("--mask", "the picture that it belongs to, as --from", "none");
  gd::make_run_folder(options.out);
  Exec const exec;
  Net net(exec);
  load_network(options.model.string(), "", net);
  Letters artist(exec, net, net.parameters(), options.guidance_scale);
  Preset::Process const process(options.steps);
  if (options.from.empty() && options.like.empty() && options.between.empty())
    draw_text(artist, process, options);
  else
    draw_variations(exec, artist, process, options);
  std::printf("see %s\n", options.out.c_str());
  return 0;
}

int main(int argc, char** argv) try {
  gd::Runtime const runtime(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // in order with the progress bar, wherever it goes
  CLI::App app("Draws letters of a whole alphabet in one style.");
  app.require_subcommand(1);

  TrainingOptions training;
  CLI::App& train_command = *app.add_subcommand("train", "teaches the network the style of your letters");
  train_command
      .add_option("--data", training.data, "folder of letters with its manifest, as letters makes it")
      ->required();
  CLI::Option* const init = train_command.add_option(
      "--init", training.init, "network to begin with; the one of glyphdiff if not said");
  train_command.add_flag("--from-nothing", training.from_nothing, "begin with a new network")->excludes(init);
  train_command.add_option("--out", training.out, "folder that everything is written to")
      ->capture_default_str();
  train_command.add_option("--steps", training.steps, "updates; a larger number extends a finished run")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  train_command.add_option("--save-every", training.save_every, "updates between saves and sheets")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  train_command.add_option("--batch", training.batch, "letters per update")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  train_command.add_option("--lr", training.learning_rate, "learning rate")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  train_command.add_option("--ema", training.ema, "rate of the moving average that is drawn with")
      ->check(CLI::Range(0.0, 0.9999999))
      ->capture_default_str();
  train_command.add_option("--seed", training.seed, "of everything random")->capture_default_str();
  train_command.add_flag("--fresh", training.fresh,
                         "start over instead of going on from the folder's checkpoint");
  train_command.add_flag("--plain", training.plain,
                         "train on the letters as they are, without varying width and slant");

  DrawingOptions drawing;
  CLI::App& draw_command =
      *app.add_subcommand("draw", "draws a text in one style, or variations of a letter");
  draw_command.add_option("--text", drawing.text, "what to draw; one character for variations")->required();
  draw_command
      .add_option("--references", drawing.references,
                  "letters in the style to draw in: pictures, and folders that letters made; without them a "
                  "style is made up")
      ->delimiter(',');
  draw_command.add_option("--model", drawing.model, "network; the one of glyphdiff if not said");
  draw_command.add_option("--out", drawing.out, "folder that everything is written to")
      ->capture_default_str();
  draw_command
      .add_option("--count", drawing.count,
                  "rows of the text, each in another style or from another noise; or variations")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  draw_command
      .add_option("--candidates", drawing.candidates,
                  "drawings of each letter, of which the most typical is kept")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  draw_command.add_option("--steps", drawing.steps, "of DDIM")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  draw_command
      .add_option("--guidance-scale", drawing.guidance_scale,
                  "how far away from letters of no class and style; 1: not at all")
      ->capture_default_str();
  draw_command.add_option("--seed", drawing.seed, "of everything random")->capture_default_str();
  CLI::Option* const like =
      draw_command.add_option("--like", drawing.like, "draw more like this picture, in its style");
  CLI::Option* const from =
      draw_command.add_option("--from", drawing.from, "start from this picture, such as a sketch")
          ->excludes(like);
  draw_command.add_option("--strength", drawing.strength, "how far to go from it: 1 forgets it")
      ->check(CLI::Range(0.001, 1.0))
      ->capture_default_str();
  draw_command.add_option("--mask", drawing.mask, "what of it to draw anew (white) and what to keep (black)")
      ->needs(from);
  draw_command.add_option("--between", drawing.between, "draw what lies between these two pictures")
      ->expected(2)
      ->excludes(from)
      ->excludes(like);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    int const code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return draw_command.parsed() ? draw(drawing) : train(training);
} catch (std::exception const& error) {
  std::cerr << "alphabet: " << error.what() << "\n";
  return 2;
}
