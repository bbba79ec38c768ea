#pragma once

#include <glyphdiff/outline/local_fit.hpp>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace glyphdiff::detail {

/// A straight piece of a line: the points from `begin` to `end`, and the line through them. `end` may go
/// beyond the last point, round to the first.
struct StraightRun {
  int begin, end;
  LocalFit fit;
};

/// Whether a line is straight from point i to point j, but for `margin` pixels at either end, which a corner
/// there may have rounded; and the line.
inline bool is_straight(MeasuredLine const& line, int i, int j, double margin, LocalFit& fit) {
  constexpr double bow = 0.07, off = 0.16;  // px: how far the middle of a curve may rise, or any point lie
  double const begin = line.distance(i) + margin, end = line.distance(j) - margin, middle = (begin + end) / 2;
  std::vector<std::pair<double, Point>> points;
  for (int k = i; k <= j; ++k)
    if (double const s = line.distance(k); s >= begin && s <= end) points.emplace_back(s - middle, line[k]);
  if (points.size() < 2) return false;
  if (points.size() >= 4) {
    double const half = (end - begin) / 2;
    if (length(local_fit(points, false).bend) * half * half / 2 > bow) return false;
  }
  fit = local_fit(points, true);
  return std::none_of(points.begin(), points.end(), [&](auto const& point) {
    return std::abs(cross(point.second - fit.position, fit.tangent)) > off;
  });
}

/// Takes off a run's ends what bends away already, as seen from the line through its middle.
inline void trim(MeasuredLine const& line, StraightRun& run) {
  double const total = line.distance(run.end) - line.distance(run.begin),
               middle = line.distance(run.begin) + total / 2;
  std::vector<std::pair<double, Point>> points;
  for (int k = run.begin; k <= run.end; ++k)
    if (double const s = line.distance(k) - middle; std::abs(s) < 0.3 * total)
      points.emplace_back(s, line[k]);
  run.fit = local_fit(points, true);
  auto const off = [&](int k) { return std::abs(cross(line[k] - run.fit.position, run.fit.tangent)) > 0.05; };
  while (run.end - run.begin > 4 && off(run.begin)) ++run.begin;
  while (run.end - run.begin > 4 && off(run.end)) --run.end;
}

/// The straight runs longer than `least` pixels that begin in [first, last), longest first where they would
/// overlap, in the line's order. `closed`: the whole line is searched, and a run may pass its first point.
inline std::vector<StraightRun> straight_runs(MeasuredLine const& line, int first, int last, bool closed,
                                              double least) {
  std::vector<StraightRun> runs;
  int const end = closed ? last + line.size() : last;
  auto const extent = [&](int i, int j) { return line.distance(j) - line.distance(i); };
  LocalFit fit;
  for (int i = first, j = first; i < last; ++i) {
    j = (std::max)(j, i);
    while (j < (std::min)(end, i + line.size() - 1) &&
           (extent(i, j + 1) <= least || is_straight(line, i, j + 1, 0, fit)))
      ++j;
    if (extent(i, j) > least && is_straight(line, i, j, 0, fit)) runs.push_back({i, j, fit});
  }
  std::stable_sort(runs.begin(), runs.end(), [&](StraightRun const& a, StraightRun const& b) {
    return extent(a.begin, a.end) > extent(b.begin, b.end);
  });
  std::vector<StraightRun> chosen;
  for (StraightRun const& run : runs) {
    bool const overlaps = std::any_of(chosen.begin(), chosen.end(), [&](StraightRun const& other) {
      auto const overlap = [&](int shift) {
        return run.begin + shift < other.end + 2 && other.begin < run.end + shift + 2;
      };
      return overlap(0) || (closed && (overlap(line.size()) || overlap(-line.size())));
    });
    if (!overlaps) chosen.push_back(run);
  }
  std::sort(chosen.begin(), chosen.end(),
            [](StraightRun const& a, StraightRun const& b) { return a.begin < b.begin; });
  for (StraightRun& run : chosen) trim(line, run);
  return chosen;
}

}  // namespace glyphdiff::detail
