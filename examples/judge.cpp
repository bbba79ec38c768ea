// Says how good samples of a letter are: figures of them beside those of real letters that were held out, and
// with --out plots of what is distributed, and the samples beside the training letters that they are nearest
// to. `--help` lists the options; docs/judging.md says what the figures mean.
#include <glyphdiff/data/judged_letters.hpp>
#include <glyphdiff/io/grid.hpp>
#include <glyphdiff/io/histogram.hpp>
#include <glyphdiff/io/run_folder.hpp>
#include <glyphdiff/metrics/sample_table.hpp>

#include "command_line.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace gd = glyphdiff;
namespace fs = std::filesystem;

struct Options {
  fs::path samples, training, held_out, out;
  std::string character;
  int size = 0;
  bool json = false;
  std::uint64_t seed = 0;
};

/// Of a side; more tell no more of letters and take gigabytes.
constexpr int most_pixels = 256;

/// The samples and what they are compared with, of one size, and a sentence that says what that is.
struct Sets {
  gd::ImageDataset samples, training, held_out;
  std::string sentence;
  bool built_in;
};

gd::JudgedLetters load(fs::path const& source, int size, Options const& options, gd::LetterSplit split) {
  gd::JudgedLetters letters = gd::load_letters(source, size, options.character, split);
  for (std::string const& sentence : letters.skipped) std::cerr << "skipped: " << sentence << '\n';
  return letters;
}

Sets load_sets(Options const& options) {
  Sets sets;
  sets.built_in = options.training.empty();
  if (sets.built_in && !options.held_out.empty())
    throw gd::Error("--training", "letters to compare with, as --held-out is given", "none");
  if (sets.built_in && !options.character.empty() && options.character != "A")
    throw gd::Error(
        "--character",
        "A, the letter of the set that comes along, or --training with letters " + options.character,
        options.character);
  fs::path const source = sets.built_in ? fs::path(GLYPHDIFF_DATA_DIR) / "letters_a.png" : options.training;

  sets.samples = load(options.samples, options.size, options, gd::LetterSplit::held_out).letters;
  int const size = int(sets.samples.images.shape(1));
  if (size > most_pixels)
    throw gd::Error(options.samples.string(),
                    "letters of at most " + std::to_string(most_pixels) + " pixels per side, or --size",
                    std::to_string(size));
  gd::JudgedLetters training = load(source, size, options, gd::LetterSplit::train);
  std::string rule;
  if (!options.held_out.empty()) {
    sets.held_out = load(options.held_out, size, options, gd::LetterSplit::held_out).letters;
    rule = "those of " + options.held_out.string();
  } else if (!fs::is_directory(source) && fs::exists(fs::path(source).replace_extension("tsv"))) {
    sets.held_out = load(source, size, options, gd::LetterSplit::held_out).letters;
    rule = "those that its list holds out";
  } else {
    std::tie(sets.held_out, rule) = gd::hold_out_letters(training);
    rule += ", which the model must not have been trained on";
  }
  sets.training = std::move(training.letters);
  sets.sentence = std::to_string(sets.samples.size()) + " samples of " + std::to_string(size) + "x" +
                  std::to_string(size) + " pixels beside " + std::to_string(sets.training.size()) +
                  " training letters of " + source.filename().string() + " and " +
                  std::to_string(sets.held_out.size()) + " held-out ones: " + rule + ".";
  return sets;
}

gd::ImageSpan span(gd::ImageDataset const& letters) {
  auto const& shape = letters.images.shape();
  return {letters.images.data(), int(shape[0]), int(shape[1]), int(shape[2])};
}

/// What the two distances are measured in.
std::string feature_space(gd::SampleReport const& report) {
  return std::to_string(report.components) + " principal components of the training letters' pixels";
}

nlohmann::ordered_json to_json(gd::SampleReport const& report, std::vector<gd::GateItem> const& gate,
                               Sets const& sets) {
  auto const number = [](double value) {
    return gd::is_finite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
  };
  nlohmann::ordered_json figures = nlohmann::ordered_json::object();
  for (gd::NamedFigure const& figure : gd::figures(report)) {
    auto& entry = figures[figure.key];
    entry = {{"samples", number(figure.samples.value)}, {"real", number(figure.real.value)}};
    if (!figure.interval) continue;
    entry["samples_interval"] = {number(figure.samples.low), number(figure.samples.high)};
    entry["real_interval"] = {number(figure.real.low), number(figure.real.high)};
  }
  nlohmann::ordered_json json{{"samples", sets.samples.size()},
                              {"training", sets.training.size()},
                              {"held_out", sets.held_out.size()},
                              {"size", report.height},
                              {"topology", {report.expected.components, report.expected.holes}},
                              {"features", feature_space(report)},
                              {"figures", figures},
                              {"refused", report.refused},
                              {"warning", report.warning}};
  if (!gate.empty())
    json["passed"] =
        std::all_of(gate.begin(), gate.end(), [](gd::GateItem const& item) { return item.passed; });
  return json;
}

/// nearest.png: up to 64 pairs of a sample and the training letter that it is nearest to, the nearest first.
void write_nearest(fs::path const& path, Sets const& sets) {
  auto pairs = gd::nearest_pairs(gd::pairwise_distances(span(sets.samples), span(sets.training)));
  pairs.resize(std::min<std::size_t>(pairs.size(), 64));
  auto shape = sets.samples.images.shape();
  std::size_t const each = shape[1] * shape[2];
  shape[0] = 2 * pairs.size();
  xt::xtensor<float, 4> shown(shape);
  float* to = shown.data();
  for (gd::NearestPair const& pair : pairs) {
    to = std::copy_n(sets.samples.images.data() + std::size_t(pair.sample) * each, each, to);
    to = std::copy_n(sets.training.images.data() + std::size_t(pair.training) * each, each, to);
  }
  gd::write_png(path, gd::image_grid(shown, 16));
}

void write_pictures(fs::path const& out, gd::SampleReport const& report, Sets const& sets) {
  auto const plot = [&](char const* file, char const* title, char const* x,
                        std::vector<double> gd::SetFigures::*values) {
    auto const lines = gd::histograms(
        {{"samples (" + std::to_string(sets.samples.size()) + ")", report.samples.*values},
         {"held-out letters (" + std::to_string(sets.held_out.size()) + ")", report.real.*values, true}});
    gd::write_line_plot_svg(
        out / file, lines,
        {.title = title, .x = x, .y = "share of the letters", .width = 560, .height = 360});
  };
  plot("stems.svg", "Stem width", "pixels", &gd::SetFigures::stems);
  plot("contrast.svg", "Contrast", "width of stems / height of bars", &gd::SetFigures::contrasts);
  plot("nearest.svg", "Distance to the nearest training letter", "Euclidean, pixels from 0 to 1",
       &gd::SetFigures::nearest);
  write_nearest(out / "nearest.png", sets);
}

int run(Options const& options) {
  if (!options.out.empty()) gd::make_run_folder(options.out);
  Sets const sets = load_sets(options);
  gd::SampleReport const report =
      gd::judge_samples(span(sets.samples), span(sets.training), span(sets.held_out), options.seed);
  std::vector<gd::GateItem> const gate = sets.built_in ? gd::gate(report) : std::vector<gd::GateItem>();
  std::string const json = to_json(report, gate, sets).dump(2) + "\n";
  if (options.json)
    std::printf("%s", json.c_str());
  else
    std::printf("%s\n%sDistances are measured in %s.\n", sets.sentence.c_str(),
                gd::format_report(report, gate).c_str(), feature_space(report).c_str());
  if (options.out.empty()) return 0;
  gd::write_file(options.out / "figures.json", json.data(), json.size());
  write_pictures(options.out, report, sets);
  if (!options.json) std::printf("see %s\n", (options.out / "nearest.png").c_str());
  return 0;
}

int main(int argc, char** argv) try {
  Options options;
  cli::App app("Says how good samples of a letter are, beside real letters.");
  app.footer(
      "Letters are a folder of pictures, a data set that `letters` made, an atlas with its list beside it, "
      "or "
      "a contact sheet.");
  app.add_option("samples", options.samples, "letters to judge")->required();
  app.add_option("--training", options.training,
                 "letters that the model was trained on; the letters A that come along if not said");
  app.add_option("--held-out", options.held_out,
                 "letters that it was not trained on; a tenth of --training if not said, or what an atlas' "
                 "list holds out");
  app.add_option("--character", options.character, "of a data set of several");
  app.add_option("--size", options.size, "bring all letters to this many pixels per side")
      ->check(cli::Range(8, most_pixels));
  app.add_option("--out", options.out, "folder for plots, figures.json and nearest.png");
  app.add_flag("--json", options.json, "print the figures for programs");
  app.add_option("--seed", options.seed, "of the draws that some figures are means over")
      ->capture_default_str();
  if (auto const status = app.parse(argc, argv)) return *status;
  return run(options);
} catch (std::exception const& error) {
  std::cerr << "judge: " << error.what() << "\n";
  return 2;
}
