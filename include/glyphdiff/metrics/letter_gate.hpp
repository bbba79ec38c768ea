#pragma once

#include <glyphdiff/metrics/sample_report.hpp>
#include <glyphdiff/number_text.hpp>

#include <string>
#include <vector>

namespace glyphdiff {

/// One line of a gate.
struct GateItem {
  std::string key;  ///< of the figure, as `figures` names it
  double value, limit;
  bool at_least;  ///< the limit is the lowest value that passes, else the highest
  bool passed;
};

/// The limits that samples of letters A must keep, judged beside the held-out ones of the built-in set. From
/// 64 pixels on more letters must have the topology of an A, and the share of mid-gray pixels has no limit:
/// only outlines are gray, and they are a smaller part of a larger picture. NaN never passes.
inline std::vector<GateItem> gate(SampleReport const& report) {
  auto const at_least = [](char const* key, double value, double limit) {
    return GateItem{.key = key, .value = value, .limit = limit, .at_least = true, .passed = value >= limit};
  };
  auto const at_most = [](char const* key, double value, double limit) {
    return GateItem{.key = key, .value = value, .limit = limit, .at_least = false, .passed = value <= limit};
  };
  SetFigures const& samples = report.samples;
  std::vector<GateItem> items{
      at_least("expected_topology", samples.expected_topology, report.height < 64 ? 0.75 : 0.8),
      at_least("coverage", samples.coverage, 0.48), at_most("one_nn_accuracy", samples.one_nn_accuracy, 0.65),
      at_most("copies", samples.copies, 0.05)};
  if (report.height < 64) items.push_back(at_most("mid_gray_share", samples.mid_gray_share, 0.065));
  return items;
}

/// ">= 0.800 passed" for the figure of this key, or nothing if it has no limit.
inline std::string gate_text(std::vector<GateItem> const& items, std::string const& key) {
  for (GateItem const& item : items) {
    if (item.key != key) continue;
    return (item.at_least ? ">= " : "<= ") + fixed_text(item.limit, 3) +
           (item.passed ? " passed" : " FAILED");
  }
  return {};
}

}  // namespace glyphdiff
