#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/metrics/neighbours.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace glyphdiff {

/// A figure, and where 95 of 100 such figures would lie if as many other samples were drawn.
struct Estimate {
  double value, low, high;
};

/// Bootstrap interval (Efron 1979) of a figure of `value`: `figure(rows)` is computed of `resamples` draws
/// of `count` of the rows 0..population-1 with replacement. What resampling adds in the mean (a Frechet
/// distance rises with every letter that comes twice) is taken off again, so the interval says how the figure
/// scatters, not how it is biased. The same for a seed on every platform.
template <class Figure>
Estimate bootstrap(double value, int population, int count, std::uint64_t seed, Figure const& figure,
                   int resamples = 200) {
  if (population < 2 || count < 2)
    throw Error("expected at least 2 letters to resample, found " + std::to_string(population));
  std::mt19937_64 bits(seed);
  std::vector<double> figures;
  double mean = 0;
  for (int resample = 0; resample < resamples; ++resample) {
    std::vector<int> rows(static_cast<std::size_t>(count));
    for (int& row : rows) row = static_cast<int>(bits() % static_cast<std::uint64_t>(population));
    figures.push_back(figure(rows));
    mean += figures.back() / resamples;
  }
  return {.value = value,
          .low = value + quantile(figures, 0.025) - mean,
          .high = value + quantile(figures, 0.975) - mean};
}

}  // namespace glyphdiff
