#pragma once

#include <glyphdiff/outline/corners.hpp>
#include <glyphdiff/outline/extremes.hpp>
#include <glyphdiff/outline/fit_cubic.hpp>
#include <glyphdiff/outline/level_set.hpp>
#include <glyphdiff/outline/simplified.hpp>
#include <glyphdiff/outline/straight_runs.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

namespace glyphdiff {

/// Lengths in pixels.
struct TraceOptions {
  double tolerance = 0.2;  ///< that curves may miss the edge by
  double least_area = 6;   ///< of a contour; smaller ones are specks
  double straight = 0;     ///< shortest straight line beside a curve; 0: a twentieth of the picture's height
  double snap_degrees = 1.5;  ///< lines this close to horizontal or vertical are made so
};

namespace detail {

/// An on-curve point to be: where it is, and which way the path goes there if it is no corner.
struct OutlineNode {
  int index;  ///< of the nearest point of the line
  Point position;
  bool corner = false;
  std::optional<Point> tangent;  ///< of a smooth node
  bool line_after = false;       ///< the path to the next node is straight
};

/// Finds the nodes of one closed line and the segments between them.
class ContourTracer {
 public:
  ContourTracer(Polyline points, TraceOptions const& options) : line_(std::move(points)), options_(options) {}

  Contour operator()() {
    place_corners();
    place_lines();
    place_extremes();
    settle();
    Contour contour;
    if (nodes_.size() < 2) {  // too small to have a shape
      for (int i = 0; i < line_.size(); ++i) contour.segments.push_back({true, {}, {}, line_[i], false});
      return contour;
    }
    for (std::size_t k = 0; k < nodes_.size(); ++k) {
      OutlineNode const &from = nodes_[k], &to = nodes_[(k + 1) % nodes_.size()];
      int last = to.index;
      if (last <= from.index) last += line_.size();
      if (from.line_after)
        contour.segments.push_back({true, {}, {}, to.position, !to.corner});
      else
        fit(contour, {from.position, from.tangent}, {to.position, to.tangent}, from.index, last, !to.corner,
            0);
    }
    return contour;
  }

 private:
  void place_corners() {
    for (Corner const& c : find_corners(line_)) {
      // The sides, extended, meet where the corner was before antialiasing rounded it.
      double const sine = cross(c.before, c.after);
      Point position = line_[c.index];
      if (std::abs(sine) > 0.2) {
        double const s = cross(c.through_after - c.through_before, c.after) / sine;
        Point const meeting = c.through_before + s * c.before;
        if (length(meeting - position) < 0.6 + 0.6 / std::abs(sine)) position = meeting;
      }
      nodes_.push_back({c.index, position, true, {}, false});
    }
  }

  /// Makes the nodes anew: visit(nodes, first, last, closed) adds to those up to here what belongs between
  /// the last of them, at point `first`, and the next, at point `last`; or, where there are none, on the
  /// whole line.
  template <class Visit>
  void for_each_stretch(Visit const& visit) {
    std::vector<OutlineNode> result;
    std::size_t const n = nodes_.size();
    if (n == 0) visit(result, 0, line_.size(), true);
    for (std::size_t k = 0; k < n; ++k) {
      result.push_back(nodes_[k]);
      int const first = nodes_[k].index, last = nodes_[(k + 1) % n].index;
      visit(result, first, last <= first ? last + line_.size() : last, false);
    }
    nodes_ = std::move(result);
  }

  /// Marks straight pieces between corners, and finds long ones that curves lead into.
  void place_lines() {
    for_each_stretch([&](std::vector<OutlineNode>& result, int first, int last, bool closed) {
      LocalFit whole;
      if (!closed && is_straight(line_, first, last, 1.3, whole)) {
        result.back().line_after = true;
        return;
      }
      for (StraightRun const& run : straight_runs(line_, first, last, closed, options_.straight)) {
        Point const tangent = snapped(run.fit.tangent);
        auto const project = [&](int i) {
          return run.fit.position + dot(line_[i] - run.fit.position, tangent) * tangent;
        };
        bool const from_corner = !closed && line_.distance(run.begin) - line_.distance(first) < 3.5,
                   to_corner = !closed && line_.distance(last) - line_.distance(run.end) < 3.5;
        if (from_corner)
          result.back().line_after = true;
        else
          result.push_back({run.begin, project(run.begin), false, tangent, true});
        if (!to_corner) result.push_back({run.end, project(run.end), false, tangent, false});
      }
    });
  }

  Point snapped(Point tangent) const {
    double const limit = std::sin(options_.snap_degrees * 3.14159265358979323846 / 180);
    if (std::abs(tangent.y) < limit) return {tangent.x > 0 ? 1.0 : -1.0, 0};
    if (std::abs(tangent.x) < limit) return {0, tangent.y > 0 ? 1.0 : -1.0};
    return tangent;
  }

  /// Nodes at the extremes of curves.
  void place_extremes() {
    for_each_stretch([&](std::vector<OutlineNode>& result, int first, int last, bool closed) {
      if (!closed && result.back().line_after) return;
      for (Extreme const& e : find_extremes(line_, first, last, closed))
        result.push_back({e.index, e.position, false, e.tangent, false});
    });
    for (OutlineNode& node : nodes_) node.index = line_.wrapped(node.index);
    std::sort(nodes_.begin(), nodes_.end(),
              [](OutlineNode const& a, OutlineNode const& b) { return a.index < b.index; });
  }

  /// Puts nodes where their straight lines want them: corners on the meeting of two lines, and nearly
  /// horizontal or vertical ones exactly so.
  void settle() {
    std::size_t const n = nodes_.size();
    struct Line {
      Point through, tangent;
    };
    std::vector<std::optional<Line>> lines(n);
    for (std::size_t k = 0; k < n; ++k) {
      OutlineNode const &from = nodes_[k], &to = nodes_[(k + 1) % n];
      if (!from.line_after) continue;
      int const last = to.index <= from.index ? to.index + line_.size() : to.index;
      LocalFit fit;
      double const margin = line_.distance(last) - line_.distance(from.index) > 4 ? 0.9 : 0;
      if (!is_straight(line_, from.index, last, margin, fit))
        fit = {from.position, direction(to.position - from.position), 0, {}, {}};
      Point const tangent = snapped(fit.tangent);
      if (tangent == Point{}) continue;
      lines[k] = Line{fit.position, tangent};
    }
    auto const meet = [](Line const& a, Line const& b) -> std::optional<Point> {
      double const sine = cross(a.tangent, b.tangent);
      if (std::abs(sine) < 0.1) return {};
      return a.through + cross(b.through - a.through, b.tangent) / sine * a.tangent;
    };
    for (std::size_t k = 0; k < n; ++k) {
      OutlineNode& node = nodes_[k];
      auto const &before = lines[(k + n - 1) % n], &after = lines[k];
      std::optional<Point> place;
      if (before && after)
        place = meet(*before, *after);
      else if (before || after) {
        Line const& line = before ? *before : *after;
        place = line.through + dot(node.position - line.through, line.tangent) * line.tangent;
        if (!node.corner) node.tangent = line.tangent;
      }
      if (place && length(*place - node.position) < 4) node.position = *place;
    }
  }

  /// Curves from one node to another, as few as the tolerance allows.
  void fit(Contour& contour, CurveEnd const& from, CurveEnd const& to, int first, int last, bool smooth,
           int depth) {
    // Points that a corner has rounded tell nothing of the curve.
    double const begin = line_.distance(first) + (from.tangent ? 0.3 : 0.9),
                 end = line_.distance(last) - (to.tangent ? 0.3 : 0.9);
    std::vector<Point> points;
    std::vector<int> indices;
    for (int i = first; i <= last; ++i)
      if (double const s = line_.distance(i); s > begin && s < end)
        points.push_back(line_[i]), indices.push_back(i);
    FittedCubic const cubic = fit_cubic(from, to, points);
    bool const divisible = points.size() >= 5 && depth < 8;
    if (cubic.error <= options_.tolerance || !divisible) {
      contour.segments.push_back({false, cubic.control1, cubic.control2, to.position, smooth});
      return;
    }
    std::size_t const at = std::clamp<std::size_t>(cubic.at, 2, points.size() - 3);
    LocalFit const local = fit_around(line_, indices[at], 3.0);
    CurveEnd const middle{local.position, local.tangent};
    fit(contour, from, middle, first, indices[at], true, depth + 1);
    fit(contour, middle, to, indices[at], last, smooth, depth + 1);
  }

  MeasuredLine line_;
  TraceOptions options_;
  std::vector<OutlineNode> nodes_;
};

}  // namespace detail

/// The outline of a gray letter in pixel coordinates (y down): the level at which half a pixel is ink, in
/// straight lines and cubics. Corners are where they were before antialiasing rounded them; curves have
/// points at their extremes; almost horizontal and vertical lines are exactly so. Around ink signed_area is
/// positive. Strokes of one to three pixels become polygons. Error if the ink's numbers don't fit its size.
inline Outline trace(Ink const& ink, TraceOptions options = {}) {
  if (options.straight <= 0) options.straight = (std::max)(5.0, ink.height / 20.0);
  Outline outline;
  for (Polyline const& points : level_set(ink)) {
    double twice = 0, around = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      Point const next = points[(i + 1) % points.size()];
      twice += cross(points[i], next);
      around += length(next - points[i]);
    }
    if (std::abs(twice) / 2 < options.least_area) continue;
    Contour contour = detail::ContourTracer(points, options)();
    // The corners of strokes of one to three pixels lie too close together to be told apart: lines would end
    // in spikes, or nothing be left.
    double const lost = std::abs(signed_area(contour) - twice / 2);
    if (!(lost < 2 + 0.02 * around)) contour = detail::simplified(points, 0.3);
    outline.push_back(std::move(contour));
  }
  return outline;
}

}  // namespace glyphdiff
