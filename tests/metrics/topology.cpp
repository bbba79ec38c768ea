#include "shapes.hpp"

#include <glyphdiff/metrics/topology.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

namespace metrics_topology_tests {

using namespace glyphdiff;

namespace {

/// Topology of a picture of '#' (ink) and '.' (paper); nothing is a speck.
Topology topology_of(std::vector<std::string> const& rows) {
  std::vector<float> pixels;
  for (std::string const& row : rows)
    for (char mark : row) pixels.push_back(mark == '#' ? -1.0F : 1.0F);
  return image_topology(pixels.data(), static_cast<int>(rows.size()), static_cast<int>(rows[0].size()), 1);
}

}  // namespace

TEST_CASE("ink is 8-connected and paper 4-connected") {
  CHECK(topology_of({"....", "....", "...."}) == Topology{0, 0});
  CHECK(topology_of({"####", "####", "####"}) == Topology{1, 0});
  CHECK(topology_of({"#..", ".#.", "..#"}) == Topology{1, 0});
  CHECK(topology_of({"#.#", "...", "#.#"}) == Topology{4, 0});
  CHECK(topology_of({".#.", "#.#", ".#."}) == Topology{1, 1});  // a diagonal hairline does not leak
  CHECK(topology_of({"####", "#.##", "##.#", "####"}) == Topology{1, 2});
  CHECK(topology_of({"####", "#..#", "#..#", "#.##"}) == Topology{1, 0});  // open to the border
  CHECK(topology_of({"#####", "#...#", "#.#.#", "#...#", "#####"}) == Topology{2, 1});
}

TEST_CASE("shapes have the topology that a reader sees") {
  for (int size : {32, 64}) {
    CAPTURE(size);
    Drawings shapes(size);
    shapes.blank();
    shapes.blank().letter_a(0.3, 0.6, 0.1);
    shapes.blank().ring(0.25, 0.5, 0.15, 0.1).ring(0.75, 0.5, 0.15, 0.1);
    shapes.blank().dot(0.5, 0.5, 0.3);
    shapes.blank().ring(0.5, 0.5, 0.35, 0.1).dot(0.5, 0.5, 0.1);
    shapes.blank().letter_a(0.3, 0.6, 0.1).dot(0.12, 0.2, 0.08);
    shapes.blank().letter_a(0.3, 0.85, 0.1);
    shapes.blank().stroke(0.5, 0.15, 0.2, 0.85, 0.1).stroke(0.5, 0.15, 0.8, 0.85, 0.1);
    std::vector<Topology> const found = letter_topology(shapes.span());
    CHECK(found == std::vector<Topology>{{0, 0}, {1, 1}, {2, 2}, {1, 0}, {2, 1}, {2, 1}, {1, 1}, {1, 0}});
    CHECK(one_hole_rate(found) == 4.0 / 8);
    CHECK(one_hole_one_component_rate(found) == 2.0 / 8);
  }
}

TEST_CASE("specks of ink and of paper are left out, the smallest counted area is not") {
  for (int size : {32, 64}) {
    int const area = smallest_counted_area(size, size);
    CAPTURE(size);
    Drawings shapes(size);
    for (int extra : {0, 1}) {  // a row of ink of one pixel too few, then of just enough
      shapes.blank().dot(0.5, 0.7, 0.2);
      for (int x = 0; x < area - 1 + extra; ++x) shapes.at(extra, 2, 2 + x) = -1.0F;
    }
    for (int extra : {0, 1}) {
      shapes.blank().dot(0.5, 0.5, 0.4);
      for (int x = 0; x < area - 1 + extra; ++x) shapes.at(2 + extra, size / 2, size / 2 - 4 + x) = 1.0F;
    }
    CHECK(letter_topology(shapes.span()) == std::vector<Topology>{{1, 0}, {2, 0}, {1, 0}, {1, 1}});
  }
}

TEST_CASE("rates of no letters are not a number") {
  CHECK(std::isnan(one_hole_rate({})));
  CHECK(std::isnan(one_hole_one_component_rate({})));
}

TEST_CASE("the most frequent topology, and its share") {
  std::vector<Topology> const letters{{1, 1}, {2, 0}, {2, 0}, {1, 0}};
  CHECK(most_frequent_topology(letters) == Topology{.components = 2, .holes = 0});
  CHECK(most_frequent_topology({{2, 1}, {1, 1}}) == Topology{.components = 1, .holes = 1});
  CHECK(topology_rate(letters, {.components = 2, .holes = 0}) == 0.5);
  CHECK_THROWS_AS(most_frequent_topology({}), Error);
}

}  // namespace metrics_topology_tests
