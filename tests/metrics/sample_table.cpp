#include <glyphdiff/metrics/sample_table.hpp>

#include <doctest/doctest.h>

#include <sstream>
#include <string>

namespace metrics_sample_table_tests {

using namespace glyphdiff;

namespace {

std::string single_spaces(std::string const& text) {
  std::string words;
  for (char c : text)
    if (c != ' ' || !words.ends_with(' ')) words += c;
  return words;
}

}  // namespace

TEST_CASE("the table shows every figure with its interval, refusals and the warning") {
  SampleReport report;
  report.expected = {.components = 1, .holes = 2};
  report.components = 64;
  report.samples.stems = {1, 2, 3, 4};
  report.samples.kernel = {0.5, 0.25, 0.75};
  report.samples.frechet = report.real.frechet = detail::no_estimate;
  report.refused = {"Frechet distance: expected more"};
  report.warning = "warning: copies";
  std::string const table = format_report(report);
  std::istringstream lines(table);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    if (count < 2 + figures(report).size()) CHECK(line.size() == 83);
  CHECK(count == 2 + figures(report).size() + 2);
  auto const contains = [&, words = single_spaces(table)](char const* part) {
    return words.find(part) != std::string::npos;
  };
  CHECK(contains("1 piece, 2 holes 0.000 0.000\n"));
  CHECK(contains("stem width, px, median 3.000 -\n"));
  CHECK(contains("kernel distance, PCA-64 0.500 [0.250, 0.750] 0.000 [0.000, 0.000]\n"));
  CHECK(contains("Frechet distance, PCA-64 - -\n"));
  CHECK(table.ends_with("Frechet distance: expected more\nwarning: copies\n"));
}

}  // namespace metrics_sample_table_tests
