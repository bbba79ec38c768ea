#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/io/plot.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace glyphdiff {

/// Values to show the distribution of.
struct Distribution {
  std::string name;
  std::vector<double> values;
  bool dashed = false;
};

/// Outlines of histograms of several sets in the same bins, for `line_plot_svg`: the share of each set's
/// values that lie in a bin. There are twice as many bins as the cube root of the smallest set (Rice's rule),
/// 6 to 24 of them, and they reach from the 1st to the 99th percentile of all values; those beyond are
/// counted in the outermost bins. Values that are not finite are left out, as are sets that have no others.
inline std::vector<PlotSeries> histograms(std::vector<Distribution> sets) {
  std::vector<double> all;
  std::size_t smallest = 0;
  for (Distribution& set : sets) {
    std::erase_if(set.values, [](double value) { return !is_finite(value); });
    if (set.values.empty()) continue;
    all.insert(all.end(), set.values.begin(), set.values.end());
    smallest = smallest == 0 ? set.values.size() : (std::min)(smallest, set.values.size());
  }
  if (all.empty()) return {};
  std::sort(all.begin(), all.end());
  auto const at = [&](double share) {
    return all[static_cast<std::size_t>(std::lround(share * static_cast<double>(all.size() - 1)))];
  };
  double low = at(0.01), high = at(0.99);
  double const least = 1e-6 * std::fmax(1, std::fmax(std::abs(low), std::abs(high)));
  if (high - low < least) low -= 0.5 * least, high += 0.5 * least;
  auto const bins =
      static_cast<std::size_t>(std::clamp(2 * std::cbrt(static_cast<double>(smallest)), 6., 24.));
  double const width = (high - low) / static_cast<double>(bins);

  std::vector<PlotSeries> lines;
  for (Distribution const& set : sets) {
    if (set.values.empty()) continue;
    std::vector<double> shares(bins, 0.0);
    for (double value : set.values) {
      double const bin = std::clamp(std::floor((value - low) / width), 0.0, static_cast<double>(bins - 1));
      shares[static_cast<std::size_t>(bin)] += 1 / static_cast<double>(set.values.size());
    }
    PlotSeries line{.name = set.name, .x = {low}, .y = {0}, .dashed = set.dashed};
    for (std::size_t bin = 0; bin < bins; ++bin)
      for (std::size_t edge : {bin, bin + 1}) {
        line.x.push_back(low + width * static_cast<double>(edge));
        line.y.push_back(shares[bin]);
      }
    line.x.push_back(high);
    line.y.push_back(0);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace glyphdiff
