#pragma once

#include <glyphdiff/outline/corners.hpp>
#include <glyphdiff/outline/fit_cubic.hpp>
#include <glyphdiff/outline/level_set.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
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
        if (length(meeting - position) < 4) position = meeting;
      }
      nodes_.push_back({c.index, position, true, {}, false});
    }
  }

  /// Whether the line is straight from point i to point j, without what corners round at its ends.
  bool is_straight(int i, int j, double margin, LocalFit& fit) const {
    double const begin = line_.distance(i) + margin, end = line_.distance(j) - margin,
                 middle = (begin + end) / 2;
    std::vector<std::pair<double, Point>> points;
    for (int k = i; k <= j; ++k)
      if (double const s = line_.distance(k); s >= begin && s <= end)
        points.emplace_back(s - middle, line_[k]);
    if (points.size() < 2) return false;
    if (points.size() >= 4) {
      double const half = (end - begin) / 2;
      if (length(local_fit(points, false).bend) * half * half / 2 > 0.07) return false;  // a bow's height
    }
    fit = local_fit(points, true);
    for (auto const& [s, p] : points)
      if (std::abs(cross(p - fit.position, fit.tangent)) > 0.16) return false;
    return true;
  }

  /// Marks straight pieces between corners, and finds long ones that curves lead into.
  void place_lines() {
    std::vector<OutlineNode> result;
    std::size_t const corners = nodes_.size();
    for (std::size_t k = 0; k < std::max<std::size_t>(corners, 1); ++k) {
      int const first = corners > 0 ? nodes_[k].index : 0;
      int last = corners > 0 ? nodes_[(k + 1) % corners].index : line_.size();
      if (last <= first) last += line_.size();
      OutlineNode begin = corners > 0 ? nodes_[k] : OutlineNode{};
      LocalFit whole;
      if (corners > 0 && is_straight(first, last, 1.3, whole)) {
        begin.line_after = true;
        result.push_back(begin);
        continue;
      }
      if (corners > 0) result.push_back(begin);
      place_runs(result, first, last, corners > 0);
    }
    nodes_ = std::move(result);
  }

  /// The longest straight runs between two points, none of which overlap.
  void place_runs(std::vector<OutlineNode>& result, int first, int last, bool between_corners) {
    struct Run {
      int begin, end;
    };
    std::vector<Run> runs;
    int const end_of_search = between_corners ? last : last + line_.size();
    LocalFit fit;
    for (int i = first, j = first; i < last; ++i) {
      j = std::max(j, i);
      double const margin_here = 0;
      while (j < std::min(end_of_search, i + line_.size() - 1)) {
        if (line_.distance(j + 1) - line_.distance(i) > options_.straight &&
            !is_straight(i, j + 1, margin_here, fit))
          break;
        ++j;
      }
      if (line_.distance(j) - line_.distance(i) > options_.straight && is_straight(i, j, margin_here, fit))
        runs.push_back({i, j});
    }
    std::sort(runs.begin(), runs.end(), [&](Run const& a, Run const& b) {
      return line_.distance(a.end) - line_.distance(a.begin) >
             line_.distance(b.end) - line_.distance(b.begin);
    });
    std::vector<Run> chosen;
    for (Run const& run : runs) {
      bool const overlaps = std::any_of(chosen.begin(), chosen.end(), [&](Run const& other) {
        auto const overlap = [&](int shift) {
          return run.begin + shift < other.end + 2 && other.begin < run.end + shift + 2;
        };
        return overlap(0) || (!between_corners && (overlap(line_.size()) || overlap(-line_.size())));
      });
      if (!overlaps) chosen.push_back(run);
    }
    std::sort(chosen.begin(), chosen.end(), [](Run const& a, Run const& b) { return a.begin < b.begin; });
    for (Run run : chosen) {
      fit = core_of(run.begin, run.end);
      Point const tangent = snapped(fit.tangent);
      auto const project = [&](int i) {
        return fit.position + dot(line_[i] - fit.position, tangent) * tangent;
      };
      bool const from_corner = between_corners && line_.distance(run.begin) - line_.distance(first) < 3.5,
                 to_corner = between_corners && line_.distance(last) - line_.distance(run.end) < 3.5;
      if (from_corner)
        result.back().line_after = true;
      else
        result.push_back({run.begin, project(run.begin), false, tangent, true});
      if (!to_corner) result.push_back({run.end, project(run.end), false, tangent, false});
    }
  }

  /// The line through a straight run's middle, and the run without the ends that bend away from it already.
  LocalFit core_of(int& begin, int& end) const {
    double const total = line_.distance(end) - line_.distance(begin),
                 middle = line_.distance(begin) + total / 2;
    std::vector<std::pair<double, Point>> points;
    for (int k = begin; k <= end; ++k)
      if (double const s = line_.distance(k) - middle; std::abs(s) < 0.3 * total)
        points.emplace_back(s, line_[k]);
    LocalFit const fit = local_fit(points, true);
    auto const off = [&](int k) { return std::abs(cross(line_[k] - fit.position, fit.tangent)) > 0.05; };
    while (end - begin > 4 && off(begin)) ++begin;
    while (end - begin > 4 && off(end)) --end;
    return fit;
  }

  Point snapped(Point tangent) const {
    double const limit = std::sin(options_.snap_degrees * 3.14159265358979323846 / 180);
    if (std::abs(tangent.y) < limit) return {tangent.x > 0 ? 1.0 : -1.0, 0};
    if (std::abs(tangent.x) < limit) return {0, tangent.y > 0 ? 1.0 : -1.0};
    return tangent;
  }

  LocalFit around(int i, double reach) const {
    auto points = line_.arm(i, +1, 0, reach);
    for (auto const& point : line_.arm(i, -1, 0.01, reach)) points.push_back(point);
    return local_fit(points, points.size() < 4);
  }

  /// Nodes where curves are highest, lowest, or farthest to a side.
  void place_extremes() {
    std::vector<OutlineNode> result;
    std::size_t const n = nodes_.size();
    for (std::size_t k = 0; k < std::max<std::size_t>(n, 1); ++k) {
      int const first = n > 0 ? nodes_[k].index : 0;
      int last = n > 0 ? nodes_[(k + 1) % n].index : line_.size();
      if (last <= first) last += line_.size();
      if (n > 0) result.push_back(nodes_[k]);
      if (n > 0 && nodes_[k].line_after) continue;
      for (bool const vertical : {false, true})
        for (int const sign : {+1, -1}) extremes(result, first, last, vertical, sign, n == 0);
      std::sort(result.end() - std::ptrdiff_t(added_), result.end(),
                [](OutlineNode const& a, OutlineNode const& b) { return a.index < b.index; });
      added_ = 0;
    }
    nodes_ = std::move(result);
    for (OutlineNode& node : nodes_) node.index = line_.wrapped(node.index);
    std::sort(nodes_.begin(), nodes_.end(),
              [](OutlineNode const& a, OutlineNode const& b) { return a.index < b.index; });
  }

  /// Maxima (sign 1) or minima of one coordinate inside a curve that both sides fall off from.
  void extremes(std::vector<OutlineNode>& result, int first, int last, bool vertical, int sign, bool closed) {
    constexpr double prominence = 0.35, from_end = 2.0;  // px
    auto const value = [&](int i) { return sign * (vertical ? line_[i].y : line_[i].x); };
    int const begin = first, end = closed ? last + line_.size() : last;
    // The highest so far since the last valley, and the lowest since.
    int top = begin;
    double valley = value(begin);
    bool risen = false;
    for (int i = begin; i <= end; ++i) {
      if (value(i) > value(top)) top = i;
      if (!risen) {
        valley = std::min(valley, value(i));
        if (value(i) > valley + prominence) risen = true, top = i;
      } else if (value(i) < value(top) - prominence) {
        add_extreme(result, top, first, last, vertical, from_end, closed);
        risen = false;
        valley = value(i);
        top = i;
      }
    }
  }

  void add_extreme(std::vector<OutlineNode>& result, int top, int first, int last, bool vertical,
                   double from_end, bool closed) {
    if (!closed && (line_.distance(top) - line_.distance(first) < from_end ||
                    line_.distance(last) - line_.distance(top) < from_end))
      return;
    int const index = closed ? line_.wrapped(top) : top;
    for (std::size_t k = result.size() - added_; k < result.size();
         ++k) {  // on a second turn, or of the other axis
      double const s = std::abs(line_.distance(result[k].index) - line_.distance(index));
      if (std::min(s, line_.total() - s) < 1.5) return;
    }
    LocalFit const fit = around(index, 3.5);
    Point const t = fit.tangent;
    Point tangent = vertical ? Point{t.x > 0 ? 1.0 : -1.0, 0} : Point{0, t.y > 0 ? 1.0 : -1.0};
    // The parabola's own extreme.
    double const slope = vertical ? fit.velocity.y : fit.velocity.x,
                 bend = vertical ? fit.bend.y : fit.bend.x;
    Point const position = fit.at(std::abs(bend) > 1e-6 ? std::clamp(-slope / bend, -2.0, 2.0) : 0.0);
    result.push_back({index, position, false, tangent, false});
    ++added_;
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
      if (!is_straight(from.index, last, margin, fit))
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
    LocalFit const local = around(indices[at], 3.0);
    CurveEnd const middle{local.position, local.tangent};
    fit(contour, from, middle, first, indices[at], true, depth + 1);
    fit(contour, middle, to, indices[at], last, smooth, depth + 1);
  }

  MeasuredLine line_;
  TraceOptions options_;
  std::vector<OutlineNode> nodes_;
  std::size_t added_ = 0;
};

}  // namespace detail

/// The outline of a gray letter in pixel coordinates (y down): the level at which half a pixel is ink, in
/// straight lines and cubics. Corners are where they were before antialiasing rounded them; curves have
/// points at their extremes; almost horizontal and vertical lines are exactly so. Around ink signed_area is
/// positive. Error if the ink's numbers don't fit its size.
inline Outline trace(Ink const& ink, TraceOptions options = {}) {
  if (options.straight <= 0) options.straight = std::max(5.0, ink.height / 20.0);
  Outline outline;
  for (Polyline& points : level_set(ink)) {
    double twice = 0;
    for (std::size_t i = 0; i < points.size(); ++i)
      twice += cross(points[i], points[(i + 1) % points.size()]);
    if (std::abs(twice) / 2 < options.least_area) continue;
    outline.push_back(detail::ContourTracer(std::move(points), options)());
  }
  return outline;
}

}  // namespace glyphdiff
