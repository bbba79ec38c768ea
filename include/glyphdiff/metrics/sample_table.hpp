#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/metrics/letter_gate.hpp>
#include <glyphdiff/metrics/sample_report.hpp>
#include <glyphdiff/number_text.hpp>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace glyphdiff {

/// A figure by name, of samples and of real letters; NaN where it could not be computed. `interval` says
/// whether low and high hold.
struct NamedFigure {
  std::string key, name;  ///< for programs, and for readers
  Estimate samples, real;
  bool interval;
};

/// All figures of a report, in the order that tables show them.
inline std::vector<NamedFigure> figures(SampleReport const& report) {
  std::vector<NamedFigure> all;
  SetFigures const &s = report.samples, &r = report.real;
  auto const number = [&](char const* key, std::string const& name, double samples, double real) {
    all.push_back({key, name, {samples, samples, samples}, {real, real, real}, false});
  };
  auto const quantiles = [&](std::string const& key, std::string const& name,
                             std::vector<double> SetFigures::*values) {
    number((key + "_lower_quartile").c_str(), name + ", lower quartile", quantile(s.*values, 0.25),
           quantile(r.*values, 0.25));
    number((key + "_median").c_str(), name + ", median", quantile(s.*values, 0.5), quantile(r.*values, 0.5));
    number((key + "_upper_quartile").c_str(), name + ", upper quartile", quantile(s.*values, 0.75),
           quantile(r.*values, 0.75));
  };
  std::string const components = "PCA-" + std::to_string(report.components);
  std::string const topology =
      std::to_string(report.expected.components) + " piece" + (report.expected.components == 1 ? "" : "s") +
      ", " + std::to_string(report.expected.holes) + " hole" + (report.expected.holes == 1 ? "" : "s");
  number("expected_topology", topology, s.expected_topology, r.expected_topology);
  number("fragmented", "with fragments", s.fragmented, r.fragmented);
  number("mid_gray_share", "mid-gray share", s.mid_gray_share, r.mid_gray_share);
  number("baseline_sd", "baseline SD, px", s.baseline_sd, r.baseline_sd);
  number("ink_height_sd", "ink height SD, px", s.ink_height_sd, r.ink_height_sd);
  quantiles("stem", "stem width, px", &SetFigures::stems);
  quantiles("contrast", "contrast, stem / bar", &SetFigures::contrasts);
  number("nearest_median", "nearest training letter, median", quantile(s.nearest, 0.5),
         quantile(r.nearest, 0.5));
  number("copies", "copies", s.copies, r.copies);
  number("diversity", "diversity", s.diversity, r.diversity);
  number("coverage", "coverage of held-out letters", s.coverage, r.coverage);
  number("one_nn_accuracy", "1-NN accuracy", s.one_nn_accuracy, r.one_nn_accuracy);
  all.push_back({"kernel_distance", "kernel distance, " + components, s.kernel, r.kernel, true});
  all.push_back({"frechet_distance", "Frechet distance, " + components, s.frechet, r.frechet, true});
  return all;
}

/// The value, with its 95 % interval in brackets where there is one; "-" for NaN.
inline std::string figure_text(NamedFigure const& figure, Estimate const& of) {
  if (is_nan(of.value)) return "-";
  if (!figure.interval) return fixed_text(of.value, 3);
  return fixed_text(of.value, 3) + " [" + fixed_text(of.low, 3) + ", " + fixed_text(of.high, 3) + "]";
}

/// Table of the samples' figures beside those of real letters, with the limits of a gate; then a sentence for
/// each figure that could not be had, and the warning, if there are any.
inline std::string format_report(SampleReport const& report, std::vector<GateItem> const& limits = {}) {
  std::string table;
  auto const line = [&](std::string const& name, std::string const& samples, std::string const& real,
                        std::string const& limit) {
    char text[200];
    std::snprintf(text, sizeof text, "%-37s %22s %22s%s%s\n", name.c_str(), samples.c_str(), real.c_str(),
                  limit.empty() ? "" : "   ", limit.c_str());
    table += text;
  };
  line("measure", "samples", "real", limits.empty() ? "" : "gate");
  line("letters", std::to_string(report.samples.count), std::to_string(report.real.count), "");
  for (NamedFigure const& figure : figures(report))
    line(figure.name, figure_text(figure, figure.samples), figure_text(figure, figure.real),
         gate_text(limits, figure.key));
  for (std::string const& sentence : report.refused) table += sentence + '\n';
  if (!report.warning.empty()) table += report.warning + '\n';
  return table;
}

}  // namespace glyphdiff
