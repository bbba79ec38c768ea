#include "shapes.hpp"

#include <glyphdiff/outline/trace.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace outline_trace_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

/// The outline's corners and joins, in order from the one with the smallest sum of coordinates.
std::vector<Point> ends(Contour const& contour) {
  std::vector<Point> points;
  for (Segment const& s : contour.segments) points.push_back(s.end);
  auto const sum = [](Point a, Point b) { return a.x + a.y < b.x + b.y; };
  std::rotate(points.begin(), std::min_element(points.begin(), points.end(), sum), points.end());
  return points;
}

void check_near(std::vector<Point> const& found, std::vector<Point> const& expected, double tolerance) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(found[i].x - expected[i].x) < tolerance);
    CHECK(std::abs(found[i].y - expected[i].y) < tolerance);
  }
}

}  // namespace

TEST_CASE("an upright rectangle comes back with its four corners, wherever it lies between pixels") {
  for (double const shift : {0.0, 0.1, 0.37, 0.5, 0.83}) {
    CAPTURE(shift);
    double const l = 9 + shift, r = 41 + 1.7 * shift, t = 8 + 0.6 * shift, b = 50 - shift;
    Outline const outline = trace(render({polygon({{l, t}, {r, t}, {r, b}, {l, b}})}, 64, 64));
    REQUIRE(outline.size() == 1);
    check_near(ends(outline[0]), {{l, t}, {r, t}, {r, b}, {l, b}}, 0.02);
    for (Segment const& s : outline[0].segments) CHECK(s.line);
    CHECK(signed_area(outline[0]) > 0);
  }
}

TEST_CASE("slanted lines and sharp tips are where they were before antialiasing") {
  Outline const letter{polygon({{36, 6}, {58, 58}, {50, 58}, {44, 44}, {20, 44}, {14, 58}, {6, 58}, {28, 6}}),
                       reversed(polygon({{32, 14}, {41, 37}, {23, 37}}))};
  Outline const outline = trace(render(letter, 64, 64));
  REQUIRE(outline.size() == 2);
  bool const outer_first = signed_area(outline[0]) > 0;
  Contour const &outer = outline[outer_first ? 0 : 1], &hole = outline[outer_first ? 1 : 0];
  CHECK(signed_area(hole) < 0);
  check_near(ends(outer), ends(letter[0]), 0.06);
  check_near(ends(hole), ends(letter[1]), 0.06);
}

TEST_CASE("strokes of one to three pixels keep their ink and grow no spikes") {
  for (double const width : {1.2, 2.0, 2.6, 3.0})
    for (double const slope : {0.0, 0.1, 0.7}) {
      CAPTURE(width);
      CAPTURE(slope);
      Point const from{12, 16}, along = direction(Point{1, slope}), across{-along.y, along.x};
      Point const end = from + 40.0 * along, side = width * across;
      Ink const ink = render({polygon({from, end, end + side, from + side})}, 64, 64);
      Outline const outline = trace(ink);
      REQUIRE(outline.size() == 1);
      CHECK(signed_area(outline[0]) == doctest::Approx(40 * width).epsilon(0.12));
      CHECK(difference(ink, render(outline, 64, 64)) < 0.2);
      for (Segment const& s : outline[0].segments) CHECK(std::abs(dot(s.end - from, along) - 20) < 21.5);
    }
}

TEST_CASE("round shapes are four curves between their extremes") {
  Point const centre{32.2, 31.7};
  Outline const outline = trace(render({ellipse(centre, 20, 14), reversed(ellipse(centre, 9, 6))}, 64, 64));
  REQUIRE(outline.size() == 2);
  for (Contour const& contour : outline) {
    double const sign = signed_area(contour) > 0 ? 1 : -1, rx = sign > 0 ? 20 : 9, ry = sign > 0 ? 14 : 6;
    REQUIRE(contour.segments.size() == 4);
    CHECK(std::abs(signed_area(contour)) == doctest::Approx(3.14159 * rx * ry).epsilon(4e-3));
    Point last = contour.start();
    for (Segment const& s : contour.segments) {
      CHECK(!s.line);
      CHECK(s.smooth);
      Point const from = s.end - centre;
      bool const upright = std::abs(from.x) < std::abs(from.y) * rx / ry;  // top or bottom
      CHECK(std::abs(upright ? from.x : from.y) < 0.25);
      CHECK(std::abs(std::abs(upright ? from.y : from.x) - (upright ? ry : rx)) < 0.05);
      // Its handle is exactly horizontal there, or vertical.
      CHECK((upright ? s.control2.y == s.end.y : s.control2.x == s.end.x));
      bool const from_upright = std::abs(last.x - centre.x) < std::abs(last.y - centre.y) * rx / ry;
      CHECK((from_upright ? s.control1.y == last.y : s.control1.x == last.x));
      last = s.end;
    }
  }
}

TEST_CASE("straight stems run into bows without a corner") {
  // A stadium: two straight sides and two half circles.
  Contour const stadium{{{true, {}, {}, {44, 20}, true},
                         {false, {50.6274, 20}, {56, 25.3726}, {56, 32}, true},
                         {false, {56, 38.6274}, {50.6274, 44}, {44, 44}, true},
                         {true, {}, {}, {20, 44}, true},
                         {false, {13.3726, 44}, {8, 38.6274}, {8, 32}, true},
                         {false, {8, 25.3726}, {13.3726, 20}, {20, 20}, true}}};
  Ink const ink = render({stadium}, 64, 64);
  Outline const outline = trace(ink);
  REQUIRE(outline.size() == 1);
  int lines = 0;
  Point last = outline[0].start();
  for (Segment const& s : outline[0].segments) {
    CHECK(s.smooth);
    if (s.line) {
      ++lines;
      CHECK(s.end.y == last.y);
    }
    last = s.end;
  }
  CHECK(lines == 2);
  CHECK(outline[0].points() <= 16);
  CHECK(difference(ink, render(outline, 64, 64)) < 0.003);
}

TEST_CASE("almost upright stems become upright; truly slanted ones stay") {
  auto const lean = [](double by) {
    return trace(render({polygon({{20, 8}, {30, 8}, {30 + by, 56}, {20 + by, 56}})}, 64, 64));
  };
  auto const upright = ends(lean(0.5)[0]), slanted = ends(lean(6)[0]);
  CHECK(upright[0].x == doctest::Approx(upright[3].x).epsilon(1e-9));
  CHECK(slanted[3].x - slanted[0].x == doctest::Approx(6).epsilon(0.03));
}

TEST_CASE("specks are left out, and pictures without an edge have no outline") {
  Ink ink{16, 16, std::vector<float>(256, 0.0f)};
  CHECK(trace(ink).empty());
  ink.coverage[100] = 1;
  CHECK(trace(ink).empty());
  CHECK(trace(ink, {.least_area = 0.1}).size() == 1);
  CHECK(trace({0, 0, {}}).empty());
  // Full of ink: its edge is the picture's.
  Outline const full = trace({16, 16, std::vector<float>(256, 1.0f)});
  REQUIRE(full.size() == 1);
  check_near(ends(full[0]), {{0, 0}, {16, 0}, {16, 16}, {0, 16}}, 0.02);
}

TEST_CASE("where two diagonal pixels touch, lines never cross") {
  for (float const other : {0.1f, 0.45f}) {
    CAPTURE(other);
    Ink ink{12, 12, std::vector<float>(144, 0.0f)};
    for (int y = 0; y < 12; ++y)
      for (int x = 0; x < 12; ++x)
        ink.coverage[std::size_t(y * 12 + x)] = (x < 6) == (y < 6) ? 0.75f : x == 5 || x == 6 ? other : 0.0f;
    auto const lines = level_set(ink);
    double area = 0;
    for (Polyline const& line : lines)
      for (std::size_t i = 0; i < line.size(); ++i) area += cross(line[i], line[(i + 1) % line.size()]) / 2;
    CHECK(lines.size() == (other > 0.4f ? 1 : 2));
    CHECK(area == doctest::Approx(72).epsilon(0.15));
  }
}

TEST_CASE("any picture gives closed paths of finite numbers near its own ink") {
  std::uint32_t state = 1;
  for (int trial = 0; trial < 60; ++trial) {
    CAPTURE(trial);
    int const height = 3 + trial % 20, width = 2 + trial % 27;
    Ink ink{height, width, {}};
    for (int i = 0; i < height * width; ++i) {
      state = state * 1664525u + 1013904223u;
      float const value = float(state >> 8) / float(1 << 24);
      ink.coverage.push_back(trial % 3 == 0 ? std::round(value) : value);
    }
    for (Contour const& contour : trace(ink, {.least_area = 0})) {
      REQUIRE(!contour.segments.empty());
      for (Segment const& s : contour.segments) {
        REQUIRE(std::isfinite(s.end.x + s.end.y + s.control1.x + s.control1.y + s.control2.x + s.control2.y));
        REQUIRE(std::abs(s.end.x) < width + 5);
        REQUIRE(std::abs(s.end.y) < height + 5);
      }
    }
  }
}

TEST_CASE("ink that doesn't fit its picture is refused") {
  CHECK_THROWS_WITH_AS(trace({4, 4, std::vector<float>(15, 0.0f)}), doctest::Contains("15"), Error);
  CHECK_THROWS_AS(trace({1, 1, {1.5f}}), Error);
  CHECK_THROWS_AS(trace({1, 1, {NAN}}), Error);
}

}  // namespace outline_trace_tests
