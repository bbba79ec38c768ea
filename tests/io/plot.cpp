#include "temporary_folder.hpp"

#include <glyphdiff/io/plot.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace io_plot_tests {

using namespace glyphdiff;

namespace {

std::string plot(std::vector<PlotSeries> const& series, PlotLabels const& labels) {
  TemporaryFolder folder;
  write_line_plot_svg(folder / "a.svg", series, labels);
  auto const bytes = read_file(folder / "a.svg");
  return {bytes.begin(), bytes.end()};
}

bool contains(std::string const& text, std::string const& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a linear plot places its points and numbers its ticks") {
  std::string const svg = plot({{"loss", {0, 50, 100}, {0, 1, 2}}}, {"A <title>", "step", "loss"});
  CHECK(contains(svg, "points=\"76.0,364.0 388.0,204.0 700.0,44.0 \""));
  CHECK(contains(svg, ">A &lt;title&gt;<"));
  CHECK(contains(svg, ">20</text>"));
  CHECK(contains(svg, ">1.5</text>"));
  CHECK(svg.starts_with("<svg "));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(svg.find("nan") == svg.npos);
}

TEST_CASE("a logarithmic plot: equal ratios, equal distances; what has no logarithm is left out") {
  std::string const svg = plot({{"a", {0, 1, 2, 3}, {100, 10, 1, 0}}, {"b", {0}, {-1}}}, {"", "", "", true});
  CHECK(contains(svg, "points=\"76.0,44.0 388.0,204.0 700.0,364.0 \""));
  CHECK(contains(svg, "points=\"\""));
  CHECK(contains(svg, ">100</text>"));
  CHECK(contains(svg, ">5</text>"));
}

TEST_CASE("a logarithmic plot of less than a decade still has several ticks") {
  std::string const svg = plot({{"a", {0, 1}, {0.011, 0.019}}}, {"", "", "", true});
  CHECK(contains(svg, ">0.012</text>"));
  CHECK(contains(svg, ">0.018</text>"));
}

TEST_CASE("nothing to draw, one point, equal values, infinities and NaN are all drawn without a fuss") {
  double const infinity = std::numeric_limits<double>::infinity();
  for (bool log_y : {false, true})
    for (std::vector<double> const& y : std::vector<std::vector<double>>{
             {}, {3}, {2, 2, 2}, {infinity, 1, std::nan("")}, {1e-300, 1e300}, {-1, -2}, {0, 0}}) {
      std::vector<double> x;
      while (x.size() < y.size()) x.push_back(static_cast<double>(x.size()));
      std::string const svg = plot({{"a", x, y}}, {"t", "x", "y", log_y});
      CHECK(svg.find("nan") == svg.npos);
      CHECK(svg.find("inf") == svg.npos);
      CHECK(svg.size() < 20'000);
    }
}

TEST_CASE("long series are thinned, unequal ones refused") {
  std::vector<double> x(100'000), y(100'000, 1.0);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i);
  CHECK(plot({{"a", x, y}}, {}).size() < 100'000);
  CHECK_THROWS_AS(plot({{"a", {1, 2}, {1}}}, {}), Error);
}

TEST_CASE("a plot of another size, dashed, with its points marked, and room for the names of its lines") {
  std::vector<PlotSeries> series{{"a", {0, 1}, {0, 1}, true, true}, {"b", {0, 1}, {1, 1}}};
  std::string const svg =
      line_plot_svg(series, {.title = "t", .x = "x", .y = "y", .width = 360, .height = 240});
  CHECK(contains(svg, "viewBox=\"0 0 360 240\""));
  CHECK(contains(svg, "stroke-dasharray"));
  CHECK(contains(svg, "<circle cx=\"340.0\" cy=\"44.0\""));
  series.push_back({"c", {0}, {0}});
  CHECK(contains(line_plot_svg(series, {}), "points=\"76.0,364.0 700.0,59.0 \""));
  series[2].x.clear();
  CHECK_THROWS_AS(line_plot_svg(series, {}), Error);
}

}  // namespace io_plot_tests
