#pragma once

#include <glyphdiff/metrics/frechet.hpp>
#include <glyphdiff/metrics/image_span.hpp>
#include <glyphdiff/metrics/ink.hpp>
#include <glyphdiff/metrics/neighbours.hpp>
#include <glyphdiff/metrics/topology.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// What judges a set of letters without a human eye. Pixels and distances are those of the images' own size.
/// Coverage, accuracy and Frechet distance depend on how many letters are compared, so each is the mean over
/// 7 draws of `draw_count` letters, as many as were held out: the figures of 200 and of 1,024 samples mean
/// the same.
struct LetterReport {
  int count = 0;       ///< letters judged
  int height = 0;      ///< of their pictures, pixels
  int draw_count = 0;  ///< letters in a draw; fewer than the held-out ones only if there are no more samples
  double one_hole_one_component = 0;  ///< share with the topology of an A
  double one_hole = 0;                ///< share with exactly one hole
  double mid_gray_share = 0;          ///< share of pixels in 0.2..0.8 on the 0..1 scale
  double nearest_median = 0;          ///< median distance to the nearest training letter
  double copies = 0;                  ///< share nearer to training than the held-out letters' 5th percentile
  double coverage = 0;                ///< share of held-out letters that a draw covers
  double one_nn_accuracy = 0;         ///< a draw against held-out letters; 0.5 when they can't be told apart
  double frechet = 0;                 ///< squared, of a draw to training, in 64 principal components
  double baseline_sd = 0;             ///< of the last row of ink, pixels
  double ink_height_sd = 0;           ///< pixels
};

namespace detail {

inline constexpr int letter_draws = 7;

/// Neighbours that set the balls of coverage. The 5 of the paper make it saturate: draws of real letters A
/// get 0.96 then, and 20 letters repeated still get 0.58. With 2 they get 0.72 and 0.29.
inline constexpr int letter_coverage_neighbours = 2;

/// The mean of `figure` over draws of `count` of the rows 0..population-1.
template <class Figure>
double mean_over_draws(int population, int count, std::uint64_t seed, Figure const& figure) {
  double sum = 0;
  for (std::uint64_t draw = 0; draw < letter_draws; ++draw)
    sum += figure(draw_without_replacement(population, count, seed + draw));
  return sum / letter_draws;
}

/// All figures: of single letters and the Frechet distance from `letters`; coverage and 1-NN accuracy from
/// `drawn`.
inline LetterReport judge(ImageSpan letters, ImageSpan drawn, ImageSpan training, ImageSpan held_out,
                          std::uint64_t seed) {
  require_images(training, "training letters", 2);
  require_images(held_out, "held-out letters", letter_coverage_neighbours + 1);
  require_same_size(held_out, "held-out letters", training, "training letters");
  require_images(letters, "samples", 2);
  require_same_size(letters, "samples", training, "training letters");

  LetterReport report;
  report.count = letters.count;
  report.height = letters.height;
  report.draw_count = std::min(drawn.count, held_out.count);
  report.mid_gray_share = mid_gray_share(letters);
  report.baseline_sd = baseline_sd(letters);
  report.ink_height_sd = ink_height_sd(letters);
  std::vector<Topology> const topology = letter_topology(letters);
  report.one_hole_one_component = one_hole_one_component_rate(topology);
  report.one_hole = one_hole_rate(topology);

  RowMatrix const ink = ink_matrix(letters), drawn_ink = ink_matrix(drawn);
  RowMatrix const training_ink = ink_matrix(training), held_out_ink = ink_matrix(held_out);
  std::vector<double> const nearest = nearest_distances(pairwise_distances(ink, training_ink));
  report.nearest_median = quantile(nearest, 0.5);
  report.copies = copies_rate(nearest, nearest_distances(pairwise_distances(held_out_ink, training_ink)));

  RowMatrix const among_held_out = pairwise_distances(held_out_ink, held_out_ink);
  RowMatrix const to_held_out = pairwise_distances(drawn_ink, held_out_ink);
  report.coverage = mean_over_draws(drawn.count, report.draw_count, seed, [&](std::vector<int> const& draw) {
    return coverage(among_held_out, select_rows(to_held_out, draw).transpose(), letter_coverage_neighbours);
  });
  report.one_nn_accuracy = one_nn_accuracy(drawn, held_out, seed, letter_draws);

  Pca const pca = fit_pca(training_ink);
  Gaussian const target = fit_gaussian(pca.project(training_ink));
  RowMatrix const points = pca.project(ink);
  int const count = std::min(letters.count, held_out.count);
  report.frechet = mean_over_draws(letters.count, count, seed, [&](std::vector<int> const& draw) {
    return frechet_distance(fit_gaussian(select_rows(points, draw)), target);
  });
  return report;
}

}  // namespace detail

/// Judges sampled letters against the letters a model was trained on and letters it has never seen.
/// Errors: fewer than 2 samples, 2 training or 3 held-out letters; different sizes; pixels that aren't
/// finite.
inline LetterReport judge_letters(ImageSpan samples, ImageSpan training, ImageSpan held_out,
                                  std::uint64_t seed) {
  return detail::judge(samples, samples, training, held_out, seed);
}

/// The figures that real letters get, to print beside those of samples: the held-out letters', except that
/// coverage and 1-NN accuracy compare draws of training letters, as if they were samples, with the held-out
/// ones. Since a family of fonts is never split between the two sets, that accuracy is above 0.5. `copies` is
/// just below 5 % by definition.
inline LetterReport judge_real(ImageSpan held_out, ImageSpan training, std::uint64_t seed = 0) {
  return detail::judge(held_out, training, training, held_out, seed);
}

/// One line of a gate.
struct GateItem {
  std::string name;
  double value, limit;
  bool at_least;  ///< the limit is the lowest value that passes, else the highest
  bool passed;
};

/// The limits that samples must keep. From 64 pixels on more letters must have the topology of an A, and the
/// share of mid-gray pixels has no limit: only outlines are gray, and they are a smaller part of a larger
/// picture. NaN never passes.
inline std::vector<GateItem> gate(LetterReport const& report) {
  auto const at_least = [](char const* name, double value, double limit) {
    return GateItem{.name = name, .value = value, .limit = limit, .at_least = true, .passed = value >= limit};
  };
  auto const at_most = [](char const* name, double value, double limit) {
    return GateItem{
        .name = name, .value = value, .limit = limit, .at_least = false, .passed = value <= limit};
  };
  std::vector<GateItem> items{
      at_least("one hole and one component", report.one_hole_one_component, report.height < 64 ? 0.75 : 0.8),
      at_least("coverage of held-out letters", report.coverage, 0.48),
      at_most("1-NN accuracy", report.one_nn_accuracy, 0.65), at_most("copies", report.copies, 0.05)};
  if (report.height < 64) items.push_back(at_most("mid-gray share", report.mid_gray_share, 0.065));
  return items;
}

/// The figures of a report by name, as tables show them.
inline std::vector<std::pair<char const*, double>> figures(LetterReport const& report) {
  return {{"one hole and one component", report.one_hole_one_component},
          {"one hole", report.one_hole},
          {"mid-gray share", report.mid_gray_share},
          {"nearest training letter, median", report.nearest_median},
          {"copies", report.copies},
          {"coverage of held-out letters", report.coverage},
          {"1-NN accuracy", report.one_nn_accuracy},
          {"Frechet distance, PCA-64", report.frechet},
          {"baseline SD, px", report.baseline_sd},
          {"ink height SD, px", report.ink_height_sd}};
}

/// Table of the samples' figures beside those of real letters, with the gate's limits; one line each,
/// aligned.
inline std::string format_report(LetterReport const& samples, LetterReport const& real) {
  std::vector<GateItem> const limits = gate(samples);
  std::array<char, 128> text{};
  std::string table;
  std::snprintf(text.data(), text.size(), "%-32s %9s %9s   %s\n", "measure", "samples", "real", "gate");
  table += text.data();
  auto const line = [&](char const* name, double sampled, double held_out) {
    std::snprintf(text.data(), text.size(), "%-32s %9.3f %9.3f", name, sampled, held_out);
    table += text.data();
    for (GateItem const& item : limits)
      if (item.name == name) {
        std::snprintf(text.data(), text.size(), "   %s %.3f %s", item.at_least ? ">=" : "<=", item.limit,
                      item.passed ? "passed" : "FAILED");
        table += text.data();
      }
    table += '\n';
  };
  auto const of_samples = figures(samples), of_real = figures(real);
  for (std::size_t i = 0; i < of_samples.size(); ++i)
    line(of_samples[i].first, of_samples[i].second, of_real[i].second);
  return table;
}

}  // namespace glyphdiff
