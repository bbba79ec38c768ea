#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/plot.hpp>
#include <glyphdiff/number_text.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// Figures of every save, kept as metrics.csv: a line for each save, a column for each figure. NaN and what a
/// save has not measured stay empty.
class MetricsLog {
 public:
  using Figures = std::vector<std::pair<std::string, double>>;  ///< key, without commas, and value

  /// Reads the saves up to step `last` of an earlier run, if there are any.
  void load(std::filesystem::path const& folder, std::int64_t last) {
    std::ifstream file(folder / "metrics.csv");
    std::string line, cell;
    auto const next = [&] {
      bool const read = bool(std::getline(file, line));
      if (line.ends_with('\r')) line.pop_back();
      return read;
    };
    next();
    std::istringstream header(line);
    std::getline(header, cell, ',');
    while (std::getline(header, cell, ',')) keys_.push_back(cell);
    while (next()) {
      std::istringstream cells(line);
      std::getline(cells, cell, ',');
      char* end = nullptr;
      std::int64_t const step = std::strtoll(cell.c_str(), &end, 10);
      if (end == cell.c_str() || *end != 0 || step > last) continue;
      Figures figures;
      for (std::size_t i = 0; std::getline(cells, cell, ',') && i < keys_.size(); ++i)
        if (auto const value = parse_number(cell)) figures.emplace_back(keys_[i], *value);
      add(step, figures);
    }
  }

  /// A save that is there already is measured anew.
  void add(std::int64_t step, Figures const& figures) {
    auto& row = rows_[step];
    row.clear();
    for (auto const& [key, value] : figures) {
      if (std::find(keys_.begin(), keys_.end(), key) == keys_.end()) keys_.push_back(key);
      if (is_finite(value)) row[key] = value;
    }
  }

  void save(std::filesystem::path const& folder) const {
    std::string text = "step";
    for (std::string const& key : keys_) text += "," + key;
    text += '\n';
    for (auto const& [step, row] : rows_) {
      text += std::to_string(step);
      for (std::string const& key : keys_) {
        text += ',';
        if (auto const found = row.find(key); found != row.end()) text += number_text(found->second);
      }
      text += '\n';
    }
    write_file(folder / "metrics.csv", text.data(), text.size());
  }

  /// The steps that have this figure, and its values.
  PlotSeries series(std::string const& key, std::string const& name) const {
    PlotSeries series{.name = name, .x = {}, .y = {}, .dots = true};
    for (auto const& [step, row] : rows_)
      if (auto const found = row.find(key); found != row.end()) {
        series.x.push_back(double(step));
        series.y.push_back(found->second);
      }
    return series;
  }

 private:
  std::vector<std::string> keys_;
  std::map<std::int64_t, std::map<std::string, double>> rows_;
};

/// The save with the lowest held-out loss among those that have one (column held_out_loss) and do not repeat
/// what they were trained on (column memorised is not 1), or among all if every one does; nothing if no save
/// has one.
inline std::optional<std::int64_t> best_save(MetricsLog const& log) {
  PlotSeries const losses = log.series("held_out_loss", ""), memorised = log.series("memorised", "");
  auto const repeats = [&](double step) {
    auto const found = std::find(memorised.x.begin(), memorised.x.end(), step);
    return found != memorised.x.end() && memorised.y[std::size_t(found - memorised.x.begin())] == 1;
  };
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < losses.x.size(); ++i) {
    auto const rank = [&](std::size_t k) { return std::pair(repeats(losses.x[k]), losses.y[k]); };
    if (!best || rank(i) < rank(*best)) best = i;
  }
  return best ? std::optional(std::int64_t(losses.x[*best])) : std::nullopt;
}

/// Whether the last `patience` saves were no better than one before them.
inline bool no_better(MetricsLog const& log, int patience = 3) {
  auto const best = best_save(log);
  auto const steps = log.series("held_out_loss", "").x;
  return best && std::count_if(steps.begin(), steps.end(),
                               [&](double step) { return step > double(*best); }) >= patience;
}

}  // namespace glyphdiff
