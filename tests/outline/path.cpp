#include "shapes.hpp"

#include <doctest/doctest.h>

namespace outline_path_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

TEST_CASE("areas of polygons and curves, signed by direction") {
  Contour const triangle = polygon({{0, 0}, {4, 0}, {0, 3}});
  CHECK(signed_area(triangle) == doctest::Approx(6));
  CHECK(signed_area(reversed(triangle)) == doctest::Approx(-6));
  // Four cubics are not quite an ellipse: 2.8e-4 of its area more.
  CHECK(signed_area(ellipse({7, 8}, 3, 2)) == doctest::Approx(3.14159265 * 6).epsilon(5e-4));
}

TEST_CASE("a contour the other way round has the same points, and its own direction back") {
  Contour const contour = ellipse({5, 5}, 3, 2), back = reversed(reversed(contour));
  REQUIRE(back.segments.size() == contour.segments.size());
  CHECK(signed_area(reversed(contour)) == doctest::Approx(-signed_area(contour)));
  for (std::size_t k = 0; k < contour.segments.size(); ++k) {
    CHECK(back.segments[k].control1 == contour.segments[k].control1);
    CHECK(back.segments[k].control2 == contour.segments[k].control2);
    CHECK(back.segments[k].end == contour.segments[k].end);
    CHECK(back.segments[k].smooth == contour.segments[k].smooth);
  }
}

TEST_CASE("rendering gives exact areas, in every pixel between 0 and 1") {
  Ink const square = render({polygon({{1.25, 1.5}, {3.5, 1.5}, {3.5, 3.25}, {1.25, 3.25}})}, 5, 6);
  CHECK(total(square) == doctest::Approx(2.25 * 1.75));
  CHECK(square.at(1, 1) == doctest::Approx(0.375));
  CHECK(square.at(2, 2) == 1.0f);
  CHECK(square.at(3, 3) == doctest::Approx(0.125));
  CHECK(square.at(0, 0) == 0.0f);
  Ink const ring = render({ellipse({20, 20}, 15, 12), reversed(ellipse({20, 20}, 6, 5))}, 40, 40);
  CHECK(total(ring) == doctest::Approx(3.14159265 * (15 * 12 - 6 * 5)).epsilon(2e-3));
  CHECK(ring.at(20, 20) < 1e-6f);
  CHECK(ring.at(20, 10) == 1.0f);
  // What lies outside the picture is cut off.
  CHECK(total(render({polygon({{-3, -3}, {2, -3}, {2, 9}, {-3, 9}})}, 4, 4)) == doctest::Approx(8));
}

TEST_CASE("ink is exact where a slanted outline leaves the picture") {
  Outline const triangle{polygon({{-10, 0}, {10, 1}, {-10, 1}})};
  Ink const left = render(triangle, 1, 12);
  for (int x = 0; x < 10; ++x) CHECK(left.coverage[x] == doctest::Approx(1 - (x + 10.5) / 20));
  CHECK(left.coverage[11] == doctest::Approx(0));
  Ink const right = render(triangle, 1, 4);
  for (int x = 0; x < 4; ++x) CHECK(right.coverage[x] == doctest::Approx(left.coverage[x]));
}

}  // namespace outline_path_tests
