#pragma once

#include <glyphdiff/error.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace glyphdiff {

/// A figure, and where 95 of 100 such figures would lie if as many other samples were drawn.
struct Estimate {
  double value, low, high;
};

inline Estimate normal_interval(double value, double standard_error) {
  return {value, value - 1.96 * standard_error, value + 1.96 * standard_error};
}

/// Standard error of `figure` of the rows 0..count-1 by the grouped jackknife (Quenouille 1956; Tukey 1958):
/// `figure(rows)` is computed without each of `groups` groups of rows in turn, or without each row where
/// there are fewer. No row comes twice, unlike in a bootstrap, in which a covariance of repeated letters has
/// lower rank and Frechet distances scatter more than those of new letters do. What is left is on the safe
/// side (Efron and Stein 1981). Error if count < 2.
template <class Figure>
double jackknife_error(int count, Figure const& figure, int groups = 50) {
  if (count < 2) throw Error("expected at least 2 letters for an interval, found " + std::to_string(count));
  groups = (std::min)(groups, count);
  std::vector<double> figures;
  double mean = 0, squares = 0;
  for (int group = 0; group < groups; ++group) {
    std::vector<int> rows;
    for (int row = 0; row < count; ++row)
      if (row % groups != group) rows.push_back(row);
    figures.push_back(figure(rows));
    mean += figures.back() / groups;
  }
  for (double value : figures) squares += (value - mean) * (value - mean);
  return std::sqrt(squares * (groups - 1) / groups);
}

}  // namespace glyphdiff
