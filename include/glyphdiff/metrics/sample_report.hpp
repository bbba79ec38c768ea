#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/metrics/diversity.hpp>
#include <glyphdiff/metrics/fragments.hpp>
#include <glyphdiff/metrics/frechet.hpp>
#include <glyphdiff/metrics/image_span.hpp>
#include <glyphdiff/metrics/ink.hpp>
#include <glyphdiff/metrics/interval.hpp>
#include <glyphdiff/metrics/kernel_distance.hpp>
#include <glyphdiff/metrics/memorisation.hpp>
#include <glyphdiff/metrics/neighbours.hpp>
#include <glyphdiff/metrics/strokes.hpp>
#include <glyphdiff/metrics/topology.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace glyphdiff {

/// What a set of letters of any one character measures, each figure to be read beside that of real letters.
/// Pixels and distances are those of the pictures' own size.
struct SetFigures {
  int count = 0;                 ///< letters
  double expected_topology = 0;  ///< share with the components and holes that most training letters have
  double fragmented = 0;         ///< share with fragments
  double mid_gray_share = 0;     ///< share of pixels in 0.2..0.8 on the 0..1 scale
  double baseline_sd = 0;        ///< of the last row of ink, pixels
  double ink_height_sd = 0;      ///< pixels
  std::vector<double> stems, contrasts;  ///< of the letters that have stems, and bars
  std::vector<double> nearest;           ///< distance of each letter to its nearest training letter
  double copies = 0;             ///< share nearer to training than the held-out letters' 5th percentile
  double diversity = 0;          ///< mean distance of two letters
  double coverage = 0;           ///< share of held-out letters near a letter; mean over draws
  double one_nn_accuracy = 0;    ///< against held-out letters; 0.5 when they can't be told apart
  Estimate kernel{}, frechet{};  ///< distances to training in its principal components, or NaN
};

/// Samples beside real letters: the held-out ones, of which coverage and 1-NN accuracy are those of training
/// letters taken as if they were samples.
struct SampleReport {
  Topology expected;   ///< the most frequent one of the training letters
  int components = 0;  ///< principal components of both distances
  int height = 0;      ///< of the pictures, pixels
  int draw_count = 0;  ///< letters in a draw for coverage, 1-NN accuracy and Frechet distance
  SetFigures samples, real;
  std::string warning;               ///< of memorisation, or empty
  std::vector<std::string> refused;  ///< one sentence for each figure that the letters are too few for
};

/// Fewest letters, of samples and held-out ones alike, for a Frechet distance in 64 components: with fewer
/// it says more about their number than about them.
inline constexpr int smallest_frechet_set = 130;

/// Fewest letters for a kernel distance with an interval.
inline constexpr int smallest_kernel_set = 20;

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

inline constexpr Estimate no_estimate{std::numeric_limits<double>::quiet_NaN(),
                                      std::numeric_limits<double>::quiet_NaN(),
                                      std::numeric_limits<double>::quiet_NaN()};

/// Figures of single letters.
inline SetFigures figures_of_letters(ImageSpan letters, Topology expected) {
  SetFigures figures;
  figures.count = letters.count;
  figures.expected_topology = topology_rate(letter_topology(letters), expected);
  figures.fragmented = fragmented_rate(letter_fragments(letters));
  figures.mid_gray_share = mid_gray_share(letters);
  figures.baseline_sd = baseline_sd(letters);
  figures.ink_height_sd = ink_height_sd(letters);
  for (StrokeWidths const& widths : stroke_widths(letters)) {
    if (is_finite(widths.stem)) figures.stems.push_back(widths.stem);
    if (is_finite(widths.contrast())) figures.contrasts.push_back(widths.contrast());
  }
  return figures;
}

/// Mean of `figure` over draws of `count` rows.
template <class Figure>
double mean_of_draws(RowMatrix const& from, int count, std::uint64_t seed, Figure const& figure) {
  return mean_over_draws(static_cast<int>(from.rows()), count, seed,
                         [&](std::vector<int> const& draw) { return figure(select_rows(from, draw)); });
}

/// Coverage and 1-NN accuracy of `drawn` letters beside held-out ones, equally many of both.
inline void compare_draws(SetFigures& figures, RowMatrix const& drawn, RowMatrix const& held_out, int count,
                          std::uint64_t seed) {
  RowMatrix const among = pairwise_distances(held_out, held_out);
  figures.coverage = mean_of_draws(drawn, count, seed, [&](RowMatrix const& draw) {
    return coverage(among, pairwise_distances(held_out, draw), letter_coverage_neighbours);
  });
  figures.one_nn_accuracy = mean_of_draws(drawn, count, seed, [&](RowMatrix const& draw) {
    return one_nn_accuracy(draw, select_rows(held_out, draw_without_replacement(
                                                           static_cast<int>(held_out.rows()), count, seed)));
  });
}

/// Frechet distance of draws of `count` points to a Gaussian: its mean, with its interval, which is on the
/// wide side: measured at 64 components, 1.0 to 1.4 times what such figures of new samples scatter over.
inline Estimate frechet_estimate(RowMatrix const& points, Gaussian const& target, int count,
                                 std::uint64_t seed) {
  auto const distance = [&](RowMatrix const& of) { return frechet_distance(target, fit_gaussian(of)); };
  auto const error = [&](RowMatrix const& of) {
    return jackknife_error(static_cast<int>(of.rows()),
                           [&](std::vector<int> const& rows) { return distance(select_rows(of, rows)); });
  };
  // The mean varies with the points that there are, and with which of them are drawn.
  auto const population = static_cast<int>(points.rows());
  double const left = 1 - static_cast<double>(count) / population;
  double of_draws = 0;
  if (left > 0) of_draws = error(select_rows(points, draw_without_replacement(population, count, seed)));
  return normal_interval(mean_of_draws(points, count, seed, distance),
                         std::hypot(error(points), of_draws * std::sqrt(left / letter_draws)));
}

}  // namespace detail

/// Judges samples of any one character against the letters a model was trained on and letters it has never
/// seen. Errors: fewer than 2 samples, 2 training or 3 held-out letters; different sizes; pixels that aren't
/// finite.
inline SampleReport judge_samples(ImageSpan samples, ImageSpan training, ImageSpan held_out,
                                  std::uint64_t seed) {
  require_images(training, "training letters", 2);
  require_images(held_out, "held-out letters", detail::letter_coverage_neighbours + 1);
  require_same_size(held_out, "held-out letters", training, "training letters");
  require_images(samples, "samples", 2);
  require_same_size(samples, "samples", training, "training letters");

  SampleReport report;
  report.expected = most_frequent_topology(letter_topology(training));
  report.height = samples.height;
  report.draw_count = (std::min)({samples.count, held_out.count, training.count});
  report.samples = detail::figures_of_letters(samples, report.expected);
  report.real = detail::figures_of_letters(held_out, report.expected);

  RowMatrix const sample_ink = ink_matrix(samples), training_ink = ink_matrix(training),
                  held_out_ink = ink_matrix(held_out);
  report.samples.nearest = nearest_distances(pairwise_distances(sample_ink, training_ink));
  report.real.nearest = nearest_distances(pairwise_distances(held_out_ink, training_ink));
  for (SetFigures* set : {&report.samples, &report.real})
    set->copies = copies_rate(set->nearest, report.real.nearest);
  report.warning = memorisation_warning(report.samples.nearest, report.real.nearest);
  report.samples.diversity = diversity(pairwise_distances(sample_ink, sample_ink));
  report.real.diversity = diversity(pairwise_distances(held_out_ink, held_out_ink));
  detail::compare_draws(report.samples, sample_ink, held_out_ink, report.draw_count, seed);
  detail::compare_draws(report.real, training_ink, held_out_ink, report.draw_count, seed);

  Pca const pca = fit_pca(training_ink);
  report.components = static_cast<int>(pca.axes.cols());
  RowMatrix const target = pca.project(training_ink), sample_points = pca.project(sample_ink),
                  held_out_points = pca.project(held_out_ink);
  int const fewest = (std::min)(samples.count, held_out.count);
  auto const enough = [&](int needed, char const* figure) {
    if (fewest < needed)
      report.refused.push_back(std::string(figure) + ": expected at least " + std::to_string(needed) +
                               " samples and as many held-out letters, found " +
                               std::to_string(samples.count) + " and " + std::to_string(held_out.count));
    return fewest >= needed;
  };
  bool const kernel = enough(smallest_kernel_set, "kernel distance"),
             frechet = enough(smallest_frechet_set, "Frechet distance");
  auto const distances = [&](SetFigures& set, RowMatrix const& points) {
    set.kernel = kernel ? kernel_distance(points, target) : detail::no_estimate;
    set.frechet =
        frechet ? detail::frechet_estimate(points, fit_gaussian(target), fewest, seed) : detail::no_estimate;
  };
  distances(report.samples, sample_points);
  distances(report.real, held_out_points);
  return report;
}

}  // namespace glyphdiff
