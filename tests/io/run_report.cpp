#include "temporary_folder.hpp"

#include <glyphdiff/io/run_report.hpp>

#include <doctest/doctest.h>

#include <string>

namespace io_run_report_tests {

using namespace glyphdiff;

namespace {

bool contains(std::string const& text, std::string const& part) { return text.find(part) != text.npos; }

RunReport whole_report() {
  RunReport report;
  report.title = "letter_a";
  report.status = "finished";
  report.warnings = {"samples < training"};
  report.samples = {{Image(2, 2, 1), Image(2, 2, 1, 255), 1.5}};
  report.progress = {{40000, Image(2, 8, 1)}};
  report.plots = {{{{.name = "samples", .x = {1, 2}, .y = {3, 4}}}, {.title = "coverage", .x = "", .y = ""}}};
  report.figures = {{"coverage", "0.6", "0.7", ">= 0.480 passed"}};
  report.figures_note = "64 samples";
  report.facts = {{"seed", "1"}};
  report.command = "./run letter_a --data 'my letters'";
  return report;
}

}  // namespace

TEST_CASE("a page has everything, in one file that loads nothing") {
  std::string const page = report_page(whole_report());
  for (char const* part : {"<title>letter_a: finished</title>", "samples &lt; training", "distance 1.50",
                           "<th>40,000</th>", ">coverage</text>", "<td>&gt;= 0.480 passed</td>", "64 samples",
                           "<tr><td>seed</td><td>1</td></tr>", "--data 'my letters'", "name=\"viewport\""}) {
    CAPTURE(part);
    CHECK(contains(page, part));
  }
  CHECK_FALSE(contains(page, "<script"));
  CHECK_FALSE(contains(page, "<link"));
  CHECK_FALSE(contains(page, "url("));
  for (std::size_t at = page.find("src=\""); at != page.npos; at = page.find("src=\"", at + 1))
    CHECK(page.compare(at, 15, "src=\"data:image") == 0);
}

TEST_CASE("what a run doesn't have is left out") {
  std::string const page = report_page({.title = "t", .status = "s"});
  CHECK_FALSE(contains(page, "<h2>"));
  CHECK_FALSE(contains(page, "class=\"warning\""));
  CHECK(contains(page, "<h1>t</h1>"));
}

TEST_CASE("a page is rewritten in place, or an error names it") {
  TemporaryFolder const folder;
  write_report(folder.path(), whole_report());
  write_report(folder.path(), {.title = "again", .status = "s"});
  auto const bytes = read_file(folder / "report.html");
  CHECK(contains({bytes.begin(), bytes.end()}, "<h1>again</h1>"));
  CHECK_THROWS_AS(write_report(folder / "missing", {}), Error);
}

TEST_CASE("a command is what a shell would read") {
  CHECK(shell_command({"a", "--out=b/c.d", "my letters", "it's", ""}) ==
        "a --out=b/c.d 'my letters' 'it'\\''s' ''");
  CHECK(shell_command({"$HOME", "*"}) == "'$HOME' '*'");
}

}  // namespace io_run_report_tests
