#pragma once

#include <glyphdiff/outline/local_fit.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace glyphdiff::detail {

/// A place where a line turns at once.
struct Corner {
  int index;             ///< of the nearest point of the line
  double turn;           ///< angle, in radians
  double strength;       ///< the same, less for a place where its sides don't quite meet
  Point before, after;   ///< directions into it and out of it
  Point through_before;  ///< a point of the line before it, extended up to it
  Point through_after;
};

/// What one side of a place looks like, extended up to it, from points at most `limit` away that are not
/// rounded by the pixel at the place itself: the longest arm that one curve fits. False if there is none.
inline bool extended_arm(MeasuredLine const& line, int i, int step, double limit, LocalFit& fit) {
  constexpr double rounded = 0.9;  // px that antialiasing rounds beside a corner
  bool found = false;
  for (double const reach : {5.5, 4.0, 3.0}) {
    auto const points = line.arm(i, step, rounded, (std::min)(reach, limit));
    if (points.size() < 2) continue;
    fit = local_fit(points, points.size() < 4);
    found = true;
    if (fit.residual < 0.06) break;
  }
  return found;
}

/// The corner at point i, if there is one, from what lies at most so far to either side.
inline bool corner_at(MeasuredLine const& line, int i, double limit_before, double limit_after,
                      Corner& corner) {
  LocalFit before, after;
  if (!extended_arm(line, i, -1, limit_before, before) || !extended_arm(line, i, +1, limit_after, after))
    return false;
  double const turn =
      std::abs(std::atan2(cross(before.tangent, after.tangent), dot(before.tangent, after.tangent)));
  // At a point beside a corner one arm lies across it, and misses the point.
  double const miss = length(before.position - line[i]) + length(after.position - line[i]);
  corner = {i, turn, turn - 0.15 * miss, before.tangent, after.tangent, before.position, after.position};
  return miss <= 4;
}

/// Corners of a closed line: where its two sides, each extended up to the place, meet at an angle of at least
/// `least` radians. A tight bow doesn't, since its sides bend on.
inline std::vector<Corner> find_corners(MeasuredLine const& line, double least = 0.5) {
  int const n = line.size();
  if (n < 8) return {};
  std::vector<Corner> candidates;
  Corner found;
  for (int i = 0; i < n; ++i)
    if (corner_at(line, i, 1e9, 1e9, found) && found.turn >= least) candidates.push_back(found);
  std::sort(candidates.begin(), candidates.end(),
            [&](Corner const& a, Corner const& b) { return a.strength > b.strength; });
  std::vector<Corner> corners;
  for (Corner const& candidate : candidates) {
    // How far it is to the corners beside it, which its arms must not reach across.
    double before = line.total(), after = line.total();
    for (Corner const& other : corners) {
      double const s =
          std::fmod(line.distance(candidate.index) - line.distance(other.index) + line.total(), line.total());
      before = (std::min)(before, s);
      after = (std::min)(after, line.total() - s);
    }
    if ((std::min)(before, after) < 2.6) continue;
    if (!corner_at(line, candidate.index, before - 0.9, after - 0.9, found) || found.turn < least) continue;
    corners.push_back(found);
  }
  std::sort(corners.begin(), corners.end(),
            [](Corner const& a, Corner const& b) { return a.index < b.index; });
  return corners;
}

}  // namespace glyphdiff::detail
