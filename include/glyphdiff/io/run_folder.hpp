#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/io/plot.hpp>
#include <glyphdiff/number_text.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

/// What a training run leaves in its folder for people to look at: sheets of samples from fixed seeds, a
/// strip of them over the steps, and the loss curve.
namespace glyphdiff {

/// Creates the folder, and clears it of the temporary files of runs that were killed. Throws Error unless it
/// can be written to; finding that out after the training would be late.
inline void make_run_folder(std::filesystem::path const& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(folder.string(), "a folder to write to", error.message());
  detail::TemporaryFile const probe(folder / "probe");
  remove_abandoned(folder);
}

/// step_005000.png: the sheet of this step.
inline std::filesystem::path sheet_path(std::filesystem::path const& folder, std::int64_t step) {
  char name[40];
  std::snprintf(name, sizeof name, "step_%06lld.png", static_cast<long long>(step));
  return folder / name;
}

/// The steps of the sheets that are in the folder, up to `last`, in order.
inline std::vector<std::int64_t> drawn_sheets(std::filesystem::path const& folder, std::int64_t last) {
  std::vector<std::int64_t> steps;
  for (std::filesystem::path const& path : list_folder(folder)) {
    long long step = 0;
    if (std::sscanf(path.filename().c_str(), "step_%lld.png", &step) == 1 && step <= last &&
        path == sheet_path(folder, step))
      steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

/// Removes the sheets of an earlier run.
inline void remove_sheets(std::filesystem::path const& folder) {
  for (std::filesystem::path const& path : list_folder(folder)) {
    std::string const name = path.filename().string();
    std::error_code error;
    if (name.starts_with("step_") && name.ends_with(".png")) std::filesystem::remove(path, error);
    if (error) throw Error(path.string(), "a sheet that can be removed", error.message());
  }
}

/// progress.png: the first `height` rows (a row of samples with its frame) of the sheets of these steps, one
/// below the other; sheets that are missing are left out.
inline void write_progress(std::filesystem::path const& folder, std::vector<std::int64_t> const& steps,
                           int height, int channels) {
  std::vector<std::filesystem::path> sheets;
  for (std::int64_t step : steps) {
    std::error_code error;
    if (std::filesystem::exists(sheet_path(folder, step), error)) sheets.push_back(sheet_path(folder, step));
  }
  Image strip;
  for (std::size_t i = 0; i < sheets.size(); ++i) {
    Image const sheet = read_image(sheets[i], channels);
    if (i == 0) strip = Image(height * int(sheets.size()), sheet.width, channels);
    if (sheet.width != strip.width || sheet.height < height)
      throw Error(sheets[i].string(), "a sheet of this run", "one of another size");
    std::copy_n(sheet.at(0, 0), std::size_t(height) * strip.width * channels, strip.at(height * int(i), 0));
  }
  if (sheets.empty()) return;
  write_png(folder / "progress.png", strip);
}

/// The loss of every step, kept as loss.csv and loss.svg.
struct LossLog {
  std::vector<double> step, loss;

  /// Reads the steps up to `last` of an earlier run, if there are any.
  void load(std::filesystem::path const& folder, std::int64_t last) {
    std::ifstream file(folder / "loss.csv");
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      if (line.ends_with('\r')) line.pop_back();
      auto const comma = (std::min)(line.find(','), line.size());
      auto const number = parse_number(std::string_view(line).substr(0, comma)),
                 value = parse_number(std::string_view(line).substr((std::min)(comma + 1, line.size())));
      if (number && value && *number <= double(last)) add(*number, *value);
    }
  }
  void add(double number, double value) {
    step.push_back(number);
    loss.push_back(value);
  }
  /// `quantity`: what the loss is, for the plot's axis.
  void save(std::filesystem::path const& folder, std::string const& quantity) const {
    std::string text = "step,loss\n";
    for (std::size_t i = 0; i < step.size(); ++i)
      text += std::to_string(std::int64_t(step[i])) + "," + number_text(loss[i]) + "\n";
    write_file(folder / "loss.csv", text.data(), text.size());
    std::vector<double> smooth;
    for (double value : loss) smooth.push_back(smooth.empty() ? value : 0.98 * smooth.back() + 0.02 * value);
    write_line_plot_svg(folder / "loss.svg", {{"each step", step, loss}, {"mean of about 50", step, smooth}},
                        {.title = "training loss", .x = "step", .y = quantity, .log_y = true});
  }
};

}  // namespace glyphdiff
