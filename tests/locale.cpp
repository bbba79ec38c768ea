#include "decimal_comma.hpp"

#include <glyphdiff/checkpoint/config_description.hpp>
#include <glyphdiff/checkpoint/safetensors.hpp>
#include <glyphdiff/checkpoint/training_state.hpp>
#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/io/histogram.hpp>
#include <glyphdiff/io/metrics_log.hpp>
#include <glyphdiff/io/plot.hpp>
#include <glyphdiff/io/run_folder.hpp>
#include <glyphdiff/io/run_report.hpp>
#include <glyphdiff/metrics/letter_gate.hpp>
#include <glyphdiff/metrics/memorisation.hpp>
#include <glyphdiff/metrics/sample_table.hpp>
#include <glyphdiff/optim/power_profile.hpp>
#include <glyphdiff/outline/svg.hpp>
#include <glyphdiff/outline/ufo.hpp>
#include <glyphdiff/train/progress_bar.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <map>

namespace locale_tests {

using namespace glyphdiff;
namespace fs = std::filesystem;

namespace {

LetterEntry const entry{"u0041.png", "A", "family", "A.otf", 1234.5, 50.25, 0.125, -1.5, 40.75};
UNetConfig const config{.image_size = 64, .model_channels = 1024, .dropout = 0.125};

Outline triangle() {
  Contour contour;
  contour.segments = {{true, {}, {}, {1200.25, 0.5}, false},
                      {false, {10.75, 20.5}, {30.25, 1000.5}, {600.5, 1234.25}, true},
                      {true, {}, {}, {0.25, 0.5}, false}};
  return {contour};
}

SampleReport report() {
  SampleReport figures;
  figures.height = 32;
  figures.samples.stems = {1.25, 2.5, 3.75};
  figures.samples.kernel = {0.5, 0.25, 0.75};
  figures.samples.expected_topology = 0.875;
  return figures;
}

/// What a program writes to stdout meanwhile.
std::string printed_by(std::function<void()> const& work, fs::path const& file) {
  std::fflush(stdout);
  int const kept = ::dup(STDOUT_FILENO), to = ::open(file.c_str(), O_CREAT | O_WRONLY, 0600);
  ::dup2(to, STDOUT_FILENO);
  work();
  std::fflush(stdout);
  ::dup2(kept, STDOUT_FILENO);
  ::close(kept);
  ::close(to);
  auto const bytes = read_file(file);
  return {bytes.begin(), bytes.end()};
}

void write_logs(fs::path const& out) {
  MetricsLog metrics;
  metrics.add(1000, {{"held_out_loss", 0.0625}, {"stems", 1234.5}});
  metrics.add(2000, {{"held_out_loss", 0.03125}});
  metrics.save(out);
  LossLog loss;
  for (int step = 1; step <= 1500; ++step) loss.add(step, 1.5 / step);
  loss.save(out, "loss");
}

void write_pages(fs::path const& out) {
  auto const lines = histograms({{"a", {0.25, 0.5, 1.5, 2.75, 1234.5}, false}, {"b", {0.5, 0.75}, true}});
  PlotLabels const labels{.title = "title", .x = "x", .y = "y"};
  write_line_plot_svg(out / "histogram.svg", lines, labels);
  RunReport page{.title = "run", .status = "finished"};
  page.samples.push_back({Image(2, 2, 1, 0), Image(2, 2, 1, 255), 12.25});
  page.progress.push_back({12345, Image(2, 2, 1, 0)});
  page.plots.push_back({lines, labels});
  write_report(out, page);

  std::string summary = format_report(report(), gate(report()));
  summary += memorisation_warning(std::vector<double>(40, 0.125), std::vector<double>(40, 10.5));
  write_file(out / "summary.txt", summary.data(), summary.size());
}

void write_letters(fs::path const& out) {
  fs::create_directory(out / "letters");
  write_png(out / "letters/u0041.png", Image(8, 8, 1, 200));
  save_manifest(out / "letters", {entry});
  write_svg(out / "A.svg", triangle(), 1234.5, 0.75);
  Font font;
  font.family = "Family";
  font.glyphs = {{"A", {U'A'}, 1234, triangle()}};
  write_ufo(out / "Family-Regular.ufo", font);
}

void write_checkpoint(fs::path const& out) {
  KeyValues metadata = describe(config);
  metadata.emplace_back(average_prefix(0.9999), average_prefix(0, 0.05));
  write_safetensors((out / "checkpoint.safetensors").string(), {}, metadata);
  std::string const json = nlohmann::json{{"loss", 0.125}, {"step", 12345}, {"large", 1234567.5}}.dump();
  write_file(out / "figures.json", json.data(), json.size());
}

/// A file of each kind that the library writes, by name.
std::map<std::string, std::string> files(fs::path const& out) {
  fs::create_directory(out);
  write_logs(out);
  write_pages(out);
  write_letters(out);
  write_checkpoint(out);
  std::map<std::string, std::string> all;
  for (auto const& item : fs::recursive_directory_iterator(out)) {
    if (!item.is_regular_file()) continue;
    auto const bytes = read_file(item.path());
    all[item.path().lexically_relative(out).string()] = {bytes.begin(), bytes.end()};
  }
  return all;
}

}  // namespace

TEST_CASE("every file is the same with a decimal comma as without") {
  TemporaryFolder const folder;
  auto const expected = files(folder / "plain");
  for (char const* name :
       {"loss.csv", "loss.svg", "metrics.csv", "histogram.svg", "report.html", "summary.txt", "A.svg",
        "figures.json", "letters/letters.tsv", "Family-Regular.ufo/glyphs/A_.glif", "checkpoint.safetensors"})
    REQUIRE_MESSAGE(expected.count(name) == 1, name);
  std::map<std::string, std::string> written;
  {
    DecimalComma const comma;
    written = files(folder / "comma");
  }
  REQUIRE(written.size() == expected.size());
  for (auto const& [name, content] : expected) {
    CAPTURE(name);
    CHECK(written[name] == content);
  }
}

TEST_CASE("files are read back with a decimal comma") {
  TemporaryFolder const folder;
  DecimalComma const comma;
  fs::path const out = folder / "out";
  files(out);
  CHECK(load_manifest(out / "letters") == std::vector<LetterEntry>{entry});
  CHECK(load_letter_set(out / "letters").entries.size() == 1);
  MetricsLog metrics;
  metrics.load(out, 2000);
  CHECK(metrics.series("held_out_loss", "").x == std::vector<double>{1000, 2000});
  CHECK(metrics.series("held_out_loss", "").y == std::vector<double>{0.0625, 0.03125});
  CHECK(metrics.series("stems", "").y == std::vector<double>{1234.5});
  LossLog loss;
  loss.load(out, 1500);
  REQUIRE(loss.step.size() == 1500);
  CHECK(loss.step.back() == 1500);
  CHECK(loss.loss[1] == 0.75);
  SafetensorsTensors const file((out / "checkpoint.safetensors").string());
  CHECK(describe(parse_unet_config(file.metadata())) == describe(config));
  CHECK(find_value(file.metadata(), "ema_0.9999.") != nullptr);
  auto const bytes = read_file(out / "figures.json");
  CHECK(nlohmann::json::parse(bytes.begin(), bytes.end())["large"] == 1234567.5);
}

TEST_CASE("lines for programs and sentences for people have no comma in a number") {
  TemporaryFolder const folder;
  DecimalComma const comma;
  std::string const line =
      printed_by([] { ProgressBar(0, 2000, 16, true).update(2000, 0.125); }, folder / "line");
  auto const json = nlohmann::json::parse(line, nullptr, false);
  REQUIRE_MESSAGE(json.is_object(), line);
  CHECK(json["steps"] == 2000);
  CHECK(json["loss"].is_number());
  CHECK_THROWS_WITH_AS(power_exponent(0.5), doctest::Contains("found 0.5"), Error);
  CHECK(figure_text({.key = "", .name = "", .samples = {}, .real = {}, .interval = true},
                    {0.5, 0.25, 0.75}) == "0.500 [0.250, 0.750]");
}

}  // namespace locale_tests
