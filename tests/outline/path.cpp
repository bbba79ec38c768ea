#include "shapes.hpp"

#include <doctest/doctest.h>

using namespace glyphdiff;
using namespace glyphdiff::test;

TEST_CASE("areas of polygons and curves, signed by direction") {
  Contour const triangle = polygon({{0, 0}, {4, 0}, {0, 3}});
  CHECK(signed_area(triangle) == doctest::Approx(6));
  CHECK(signed_area(reversed(triangle)) == doctest::Approx(-6));
  // The area of the cubic with handles k: 2 (1 + ... ) differs from pi r^2 by 2.8e-4 of it.
  CHECK(signed_area(ellipse({7, 8}, 3, 2)) == doctest::Approx(3.14159265 * 6).epsilon(5e-4));
}

TEST_CASE("a contour the other way round has the same points, and its own direction back") {
  Contour const contour = ellipse({5, 5}, 3, 2), back = reversed(reversed(contour));
  REQUIRE(back.segments.size() == contour.segments.size());
  CHECK(reversed(contour).points() == contour.points());
  double area = signed_area(contour) + signed_area(reversed(contour));
  CHECK(area == doctest::Approx(0));
  CHECK(signed_area(back) == doctest::Approx(signed_area(contour)));
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
