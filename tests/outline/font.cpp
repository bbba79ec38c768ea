#include "../io/temporary_folder.hpp"
#include "shapes.hpp"

#include <glyphdiff/io/file.hpp>
#include <glyphdiff/outline/quadratic.hpp>
#include <glyphdiff/outline/trace.hpp>
#include <glyphdiff/outline/ufo.hpp>
#include <glyphdiff/random.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>

namespace outline_font_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

/// A letter with straight, round, slanted and smooth places.
Outline letter() { return {ellipse({32.2, 31.7}, 20, 23.4), reversed(ellipse({33, 30}, 9, 11))}; }

FontPlacement const placement{12.3, 55.1, 10, 50};

}  // namespace

TEST_CASE("font units are whole, stand on the baseline, and go round as PostScript wants") {
  Outline const units = to_font_units(letter(), placement);
  REQUIRE(units.size() == 2);
  CHECK(signed_area(units[0]) > 0);
  CHECK(signed_area(units[1]) < 0);
  CHECK(signed_area(units[0]) == doctest::Approx(signed_area(letter()[0]) * 12.3 * 12.3).epsilon(0.01));
  for (Contour const& contour : units)
    for (Segment const& s : contour.segments)
      for (Point const p : {s.control1, s.control2, s.end}) {
        CHECK(p.x == std::round(p.x));
        CHECK(p.y == std::round(p.y));
      }
  Box const box = bounds(units);
  CHECK(box.bottom == std::round((55.1 - 55.1) * 12.3));
  CHECK(box.top == std::round((55.1 - 8.3) * 12.3));
  CHECK(box.left == std::round((12.2 - 10) * 12.3));
  CHECK_THROWS_AS(to_font_units(letter(), {.units_per_pixel = 0}), Error);
}

TEST_CASE("smooth joins stay smooth in whole units") {
  // A slanted line that runs into a bow.
  Outline const outline{Contour{{{true, {}, {}, {30, 10}, true},
                                 {false, {36, 22}, {30, 40}, {18, 40}, false},
                                 {true, {}, {}, {20, -10}, false}}}};
  Outline const units = to_font_units(outline, {.units_per_pixel = 10.37, .baseline = 40});
  REQUIRE(units.size() == 1);
  for (std::size_t k = 0; k < units[0].segments.size(); ++k) {
    Segment const& s = units[0].segments[k];
    Segment const& next = units[0].segments[(k + 1) % units[0].segments.size()];
    if (!s.smooth) continue;
    Segment const& before = units[0].segments[(k + units[0].segments.size() - 1) % units[0].segments.size()];
    Point const in = direction(s.end - (s.line ? before.end : s.control2)),
                out = direction((next.line ? next.end : next.control1) - s.end);
    CHECK(cross(in, out) == doctest::Approx(0).epsilon(0.02));
    CHECK(dot(in, out) > 0.99);
  }
}

TEST_CASE("curves that pass beyond their ends are cut at their extremes") {
  // One curve over the top, one that bulges to both sides, and one that stays between its ends.
  Outline const outline{Contour{{{false, {10, 0}, {30, 0}, {40, 20}, false},
                                 {false, {70, 30}, {10, 50}, {40, 60}, false},
                                 {false, {30, 62}, {10, 64}, {0, 70}, false},
                                 {true, {}, {}, {0, 20}, false}}}};
  Outline const units = to_font_units(outline, {.units_per_pixel = 10, .baseline = 70});
  REQUIRE(units.size() == 1);
  CHECK(units[0].segments.size() == 7);
  Point from = units[0].start();
  for (Segment const& s : units[0].segments) {
    for (double t = 0; t < 1 && !s.line; t += 0.01) {
      Point const p = cubic_at(from, s.control1, s.control2, s.end, t);
      CHECK(p.x < std::max(from.x, s.end.x) + 1);
      CHECK(p.x > std::min(from.x, s.end.x) - 1);
      CHECK(p.y < std::max(from.y, s.end.y) + 1);
      CHECK(p.y > std::min(from.y, s.end.y) - 1);
    }
    from = s.end;
  }
  CHECK(signed_area(units[0]) == doctest::Approx(std::abs(signed_area(outline[0])) * 100).epsilon(0.01));
}

TEST_CASE("in whole units no curve turns round between its points, and little is moved for that") {
  // Round shapes of smooth curves that waver: nodes on a circle whose tangents lean.
  for (int seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    auto const random = [&](int i) { return uniform4({std::uint64_t(seed), Stream::augmentation}, i)[0]; };
    int const n = 5 + seed % 6;
    std::vector<Point> nodes, tangents;
    for (int k = 0; k < n; ++k) {
      double const turn = 6.283185307179586 * (k + 0.4 * random(k)) / n, radius = 20 + 4 * random(k + 20),
                   lean = turn + 0.3 * (random(k + 40) - 0.5);
      nodes.push_back({32 + radius * std::cos(turn), 32 + radius * std::sin(turn)});
      tangents.push_back({-std::sin(lean), std::cos(lean)});
    }
    Contour contour;
    for (int k = 0; k < n; ++k) {
      Point const from = nodes[k], to = nodes[(k + 1) % n];
      double const reach = length(to - from) * (0.25 + 0.2 * random(k + 60));
      contour.segments.push_back(
          {false, from + reach * tangents[k], to - reach * tangents[(k + 1) % n], to, true});
    }
    Outline const units = to_font_units({contour}, {.units_per_pixel = 11.3, .baseline = 50});
    REQUIRE(units.size() == 1);
    CHECK(std::abs(signed_area(units[0])) ==
          doctest::Approx(std::abs(signed_area(contour)) * 11.3 * 11.3).epsilon(0.008));
    Point from = units[0].start();
    for (Segment const& s : units[0].segments) {
      CHECK_FALSE(detail::turns(from, s));
      from = s.end;
    }
  }
}

TEST_CASE("quadratics keep to the cubics within the tolerance, and need few points") {
  Contour const contour = letter()[0];
  for (double const tolerance : {0.5, 0.05, 0.005}) {
    CAPTURE(tolerance);
    QuadraticContour const quadratic = to_quadratics(contour, tolerance);
    CHECK(quadratic.back().end == contour.start());
    // Every point of the quadratics lies near the ellipse's four cubics, which are sampled finely.
    std::vector<Point> cubic;
    Point last = contour.start();
    for (Segment const& s : contour.segments) {
      for (int k = 0; k <= 2000; ++k)
        cubic.push_back(cubic_at(last, s.control1, s.control2, s.end, k / 2000.0));
      last = s.end;
    }
    double worst = 0;
    last = contour.start();
    for (QuadraticSegment const& s : quadratic) {
      for (double const t : {0.1, 0.25, 0.4, 0.5, 0.75, 0.9}) {
        Point const p = (1 - t) * (1 - t) * last + 2 * t * (1 - t) * s.control + t * t * s.end;
        double nearest = 1e9;
        for (Point const c : cubic) nearest = std::min(nearest, length(c - p));
        worst = std::max(worst, nearest);
      }
      last = s.end;
    }
    CHECK(worst < tolerance);
    CHECK(quadratic.size() <= (tolerance > 0.1 ? 8 : tolerance > 0.01 ? 12 : 24));
  }
  QuadraticContour const straight = to_quadratics(polygon({{0, 0}, {4, 0}, {0, 3}}), 0.1);
  CHECK(straight.size() == 3);
  for (QuadraticSegment const& s : straight) CHECK(s.line);
}

TEST_CASE("an SVG shows the outline in the picture's coordinates") {
  CHECK(svg_path({polygon({{1, 2}, {3.456, 2}, {3, -0.001}})}) == "M3 0L1 2L3.46 2Z");
  CHECK(svg_path({ellipse({0, 0}, 1, 1)}).starts_with("M1 0C1 0.55 0.55 1 0 1C"));
  TemporaryFolder const folder;
  write_svg(folder / "a.svg", letter(), 64, 48);
  pugi::xml_document document;
  REQUIRE(document.load_file((folder / "a.svg").c_str()));
  CHECK(std::string(document.child("svg").attribute("viewBox").value()) == "0 0 64 48");
  CHECK(std::string(document.child("svg").child("path").attribute("d").value()) == svg_path(letter()));
  CHECK_THROWS_AS(write_svg(folder / "nowhere" / "a.svg", letter(), 64, 48), Error);
}

TEST_CASE("a UFO says of every glyph what font editors need") {
  TemporaryFolder const folder;
  Font font;
  font.family = "A & B";
  font.glyphs.push_back({"A", {U'A'}, 640, to_font_units(letter(), placement)});
  font.glyphs.push_back({"a", {U'a'}, 500, {}});
  add_required_glyphs(font);
  add_required_glyphs(font);
  CHECK(font.glyphs.size() == 4);
  write_ufo(folder / "f.ufo", font);
  write_ufo(folder / "f.ufo", font);  // in place of the older one

  pugi::xml_document document;
  REQUIRE(document.load_file((folder / "f.ufo" / "glyphs" / "A_.glif").c_str()));
  pugi::xml_node const glyph = document.child("glyph");
  CHECK(std::string(glyph.attribute("name").value()) == "A");
  CHECK(glyph.attribute("format").as_int() == 2);
  CHECK(glyph.child("advance").attribute("width").as_int() == 640);
  CHECK(std::string(glyph.child("unicode").attribute("hex").value()) == "0041");
  int points = 0, on_curve = 0;
  for (pugi::xml_node const contour : glyph.child("outline"))
    for (pugi::xml_node const point : contour) {
      ++points;
      on_curve += std::string(point.attribute("type").value()) == "curve";
    }
  CHECK(points == 24);
  CHECK(on_curve == 8);
  CHECK(std::filesystem::exists(folder / "f.ufo" / "glyphs" / "a.glif"));
  CHECK(!std::filesystem::exists(folder / "f.ufo.part"));
  REQUIRE(document.load_file((folder / "f.ufo" / "fontinfo.plist").c_str()));
  CHECK(std::string(document.child("plist").child("dict").child("string").text().get()) == "A & B");
  REQUIRE(document.load_file((folder / "f.ufo" / "glyphs" / "contents.plist").c_str()));
  auto const bytes = read_file(folder / "f.ufo" / "metainfo.plist");
  CHECK(std::string(bytes.begin(), bytes.end()).find("<integer>3</integer>") != std::string::npos);
}

TEST_CASE("a UFO that can't be written leaves what was there") {
  TemporaryFolder const folder;
  Font font;
  font.glyphs = {{"A", {}, 1, {}}, {"A", {}, 2, {}}};
  CHECK_THROWS_WITH_AS(write_ufo(folder / "f.ufo", font), doctest::Contains("twice"), Error);
  font.glyphs[1].name.clear();
  CHECK_THROWS_AS(write_ufo(folder / "f.ufo", font), Error);
  CHECK(!std::filesystem::exists(folder / "f.ufo"));
  font.glyphs.pop_back();
  folder.write("mine", "not a font");
  CHECK_THROWS_AS(write_ufo(folder / "mine", font), Error);
  CHECK(read_file(folder / "mine").size() == 10);
}

TEST_CASE("what lies beside a UFO is not touched, and a name may end in a slash") {
  TemporaryFolder const folder;
  for (char const* beside : {"f.ufo.old", "f.ufo.part"}) {
    std::filesystem::create_directory(folder / beside);
    folder.write(std::string(beside) + "/mine", "");
  }
  Font font;
  font.glyphs = {{"A", {U'A'}, 500, {}}};
  write_ufo(folder / "f.ufo/", font);
  write_ufo(folder / "f.ufo/", font);
  CHECK(std::filesystem::exists(folder / "f.ufo/metainfo.plist"));
  CHECK(std::filesystem::exists(folder / "f.ufo.old/mine"));
  CHECK(std::filesystem::exists(folder / "f.ufo.part/mine"));
  std::size_t const count = std::size_t(std::distance(std::filesystem::directory_iterator(folder.path()),
                                                      std::filesystem::directory_iterator()));
  CHECK(count == 3);
}

TEST_CASE("glyphs have files that no disk takes for each other, and names that XML can hold") {
  TemporaryFolder const folder;
  Font font;
  font.glyphs = {{"A", {}, 1, {}}, {"a_", {}, 1, {}}, {"e\xCC\x81", {}, 1, {}}, {"e\xCC\x80", {}, 1, {}}};
  write_ufo(folder / "f.ufo", font);
  for (char const* file : {"A_.glif", "a_2.glif", "e__.glif", "e__2.glif"})
    CHECK(std::filesystem::exists(folder / "f.ufo/glyphs" / file));
  font.family = "A\x01";
  CHECK_THROWS_AS(write_ufo(folder / "f.ufo", font), Error);
  font.family = "A";
  font.glyphs[0].name = "\xFF";
  CHECK_THROWS_AS(write_ufo(folder / "f.ufo", font), Error);
}

TEST_CASE("an outline beyond all font units is refused, and one of few units has no point twice") {
  CHECK_THROWS_WITH_AS(to_font_units(letter(), {.units_per_pixel = 1e12}), doctest::Contains("32767"), Error);
  for (double const scale : {0.05, 0.2, 0.4, 0.7})
    for (Contour const& contour : to_font_units(letter(), {.units_per_pixel = scale, .baseline = 55.1})) {
      Point end = contour.start();
      for (Segment const& s : contour.segments) {
        CHECK_FALSE((s.end == end && s.line));
        end = s.end;
      }
    }
}

}  // namespace outline_font_tests
