#include <glyphdiff/metrics/letter_gate.hpp>
#include <glyphdiff/metrics/sample_table.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace metrics_letter_gate_tests {

using namespace glyphdiff;

namespace {

/// Whether the line of the gate with this key passed.
bool passed(SampleReport const& report, std::string const& key) {
  for (GateItem const& item : gate(report))
    if (item.key == key) return item.passed;
  FAIL("no line of the gate has the key " << key);
  return false;
}

SampleReport report_at_the_limits() {
  SampleReport report;
  report.height = 32;
  report.samples.expected_topology = 0.75;
  report.samples.mid_gray_share = 0.065;
  report.samples.coverage = 0.48;
  report.samples.one_nn_accuracy = 0.65;
  report.samples.copies = 0.05;
  return report;
}

}  // namespace

TEST_CASE("the gate passes at its limits and fails just beyond them") {
  SampleReport const limits = report_at_the_limits();
  std::vector<GateItem> const items = gate(limits);
  CHECK(items.size() == 5);
  CHECK(std::all_of(items.begin(), items.end(), [](GateItem const& item) { return item.passed; }));

  auto const beyond = [&](double SetFigures::*figure, double step, char const* key) {
    SampleReport report = limits;
    report.samples.*figure += step;
    CHECK_FALSE(passed(report, key));
    report.samples.*figure -= 2 * step;
    CHECK(passed(report, key));
    report.samples.*figure = std::numeric_limits<double>::quiet_NaN();
    CHECK_FALSE(passed(report, key));
  };
  beyond(&SetFigures::expected_topology, -0.001, "expected_topology");
  beyond(&SetFigures::mid_gray_share, 0.001, "mid_gray_share");
  beyond(&SetFigures::coverage, -0.001, "coverage");
  beyond(&SetFigures::one_nn_accuracy, 0.001, "one_nn_accuracy");
  beyond(&SetFigures::copies, 0.001, "copies");

  SampleReport large = limits;
  large.height = 64;
  CHECK_FALSE(passed(large, "expected_topology"));
  large.samples.expected_topology = 0.8;
  CHECK(passed(large, "expected_topology"));
  CHECK(gate(large).size() == 4);
}

TEST_CASE("the table shows every line of the gate beside its figure") {
  SampleReport report = report_at_the_limits();
  report.samples.coverage = 0.32;
  std::istringstream table(format_report(report, gate(report)));
  std::string line;
  int passes = 0, failures = 0;
  while (std::getline(table, line)) {
    CAPTURE(line);
    CHECK((line.size() == 83 || line.substr(83, 3) == "   "));
    passes += line.find("passed") != std::string::npos;
    failures += line.find("FAILED") != std::string::npos;
    if (line.starts_with("coverage")) {
      CHECK(line.find("0.320") != std::string::npos);
      CHECK(line.find(">= 0.480 FAILED") != std::string::npos);
    }
  }
  CHECK(passes == 4);
  CHECK(failures == 1);
}

}  // namespace metrics_letter_gate_tests
