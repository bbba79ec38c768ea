#include "shapes.hpp"

#include <glyphdiff/metrics/letter_report.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

using namespace glyphdiff;

namespace {

constexpr int size = 16;

/// Whether the line of the gate with this name passed.
bool passed(LetterReport const& report, std::string const& name) {
  for (GateItem const& item : gate(report))
    if (item.name == name) return item.passed;
  FAIL("no line of the gate is named " << name);
  return false;
}

LetterReport report_at_the_limits() {
  LetterReport report{};
  report.height = 32;
  report.one_hole_one_component = 0.75;
  report.mid_gray_share = 0.065;
  report.coverage = 0.48;
  report.one_nn_accuracy = 0.65;
  report.copies = 0.05;
  return report;
}

}  // namespace

TEST_CASE("judging letters") {
  Drawings const training = random_letters(size, 200, 1), held_out = random_letters(size, 60, 2);
  auto const judge = [&](Drawings const& samples) {
    return judge_letters(samples.span(), training.span(), held_out.span(), 0);
  };
  LetterReport const real = judge_real(held_out.span(), training.span());
  CHECK(real.count == 60);
  CHECK(real.draw_count == 60);
  CHECK(real.one_hole_one_component > 0.9);
  CHECK(real.copies == doctest::Approx(0.05));
  CHECK(real.coverage > 0.6);
  CHECK(real.one_nn_accuracy == doctest::Approx(0.5).epsilon(0.15));

  SUBCASE("fresh letters look like real ones") {
    Drawings const samples = random_letters(size, 150, 3);
    LetterReport const report = judge(samples);
    CHECK(report.count == 150);
    CHECK(report.draw_count == 60);
    CHECK(report.one_hole_one_component > 0.9);
    CHECK(report.mid_gray_share == doctest::Approx(real.mid_gray_share).epsilon(0.1));
    CHECK(report.nearest_median ==
          quantile(nearest_distances(pairwise_distances(samples.span(), training.span())), 0.5));
    CHECK(report.copies < 0.15);
    CHECK(report.coverage > 0.6);
    CHECK(report.one_nn_accuracy == doctest::Approx(0.5).epsilon(0.15));
    CHECK(report.frechet == doctest::Approx(real.frechet).epsilon(0.3));
  }
  SUBCASE("the training letters themselves are copies") {
    LetterReport const report = judge(training);
    CHECK(report.copies == 1.0);
    CHECK(report.nearest_median < 1e-5);
  }
  SUBCASE("one letter repeated covers little and is told apart") {
    Drawings collapsed(size);
    for (int n = 0; n < 80; ++n) collapsed.blank().letter_a(0.3, 0.6, 0.1);
    LetterReport const report = judge(collapsed);
    CHECK(report.one_hole_one_component == 1.0);
    CHECK(report.coverage < 0.4);
    CHECK(report.one_nn_accuracy > 0.95);
    CHECK(report.frechet > 3 * real.frechet);
    CHECK(report.baseline_sd == 0.0);
    CHECK(report.ink_height_sd == 0.0);
  }
  SUBCASE("rings are not letters, though they have one hole") {
    Drawings rings(size);
    for (int n = 0; n < 80; ++n) {
      rings.blank().ring(0.5, 0.5, 0.2 + 0.002 * n, 0.1);
      if (n % 4 == 0) rings.dot(0.07, 0.07, 0.06);
    }
    LetterReport const report = judge(rings);
    CHECK(report.one_hole == 1.0);
    CHECK(report.one_hole_one_component == 0.75);
    CHECK(report.coverage < 0.1);
    CHECK(report.one_nn_accuracy > 0.95);
  }
  SUBCASE("letters that hop up and down") {
    Drawings hopping(size);
    for (int n = 0; n < 80; ++n) hopping.blank().letter_a(0.3, 0.6, 0.1, 0.0, n % 2 ? 0.7 : 0.9);
    LetterReport const report = judge(hopping);
    CHECK(report.baseline_sd > 1.0);
    CHECK(report.ink_height_sd > 1.0);
  }
  SUBCASE("fewer samples than held-out letters are judged as they are") {
    LetterReport const report = judge(random_letters(size, 20, 3));
    CHECK(report.draw_count == 20);
    CHECK(report.coverage < real.coverage);
  }
  SUBCASE("bad input") {
    Drawings samples = random_letters(size, 20, 3);
    CHECK_THROWS_WITH_AS(judge(random_letters(size, 1, 3)), "samples: expected at least 2 images, found 1",
                         Error);
    CHECK_THROWS_WITH_AS(judge(random_letters(8, 20, 3)),
                         "samples: expected images of the size of the training letters (16x16), found 8x8",
                         Error);
    CHECK_THROWS_AS(judge_letters(samples.span(), training.span(), random_letters(size, 2, 2).span(), 0),
                    Error);
    CHECK_THROWS_AS(judge_real(held_out.span(), random_letters(size, 1, 2).span()), Error);
    samples.at(3, 0, 0) = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_WITH_AS(judge(samples), "samples: expected finite pixels, found NaN or infinity in image 3",
                         Error);
  }
}

TEST_CASE("a seed fixes a report") {
  Drawings const training = random_letters(8, 60, 1), held_out = random_letters(8, 20, 2),
                 samples = random_letters(8, 50, 3);
  auto const judge = [&](std::uint64_t seed) {
    return judge_letters(samples.span(), training.span(), held_out.span(), seed);
  };
  CHECK(judge(1).frechet == judge(1).frechet);
  CHECK(judge(1).coverage == judge(1).coverage);
  CHECK(judge(1).frechet != judge(2).frechet);
}

TEST_CASE("the gate passes at its limits and fails just beyond them") {
  LetterReport const limits = report_at_the_limits();
  std::vector<GateItem> const items = gate(limits);
  CHECK(items.size() == 5);
  CHECK(std::all_of(items.begin(), items.end(), [](GateItem const& item) { return item.passed; }));

  auto const beyond = [&](double LetterReport::*figure, double step, char const* name) {
    LetterReport report = limits;
    report.*figure += step;
    CHECK_FALSE(passed(report, name));
    report.*figure -= 2 * step;
    CHECK(passed(report, name));
    report.*figure = std::numeric_limits<double>::quiet_NaN();
    CHECK_FALSE(passed(report, name));
  };
  beyond(&LetterReport::one_hole_one_component, -0.001, "one hole and one component");
  beyond(&LetterReport::mid_gray_share, 0.001, "mid-gray share");
  beyond(&LetterReport::coverage, -0.001, "coverage of held-out letters");
  beyond(&LetterReport::one_nn_accuracy, 0.001, "1-NN accuracy");
  beyond(&LetterReport::copies, 0.001, "copies");

  LetterReport large = limits;
  large.height = 64;
  CHECK_FALSE(passed(large, "one hole and one component"));
  large.one_hole_one_component = 0.8;
  CHECK(passed(large, "one hole and one component"));
  CHECK(gate(large).size() == 4);
}

TEST_CASE("the table is aligned and shows every line of the gate") {
  LetterReport samples = report_at_the_limits();
  samples.coverage = 0.32;
  std::istringstream table(format_report(samples, report_at_the_limits()));
  std::string line;
  int lines = 0, passes = 0, failures = 0;
  while (std::getline(table, line)) {
    CAPTURE(line);
    ++lines;
    CHECK(line.size() >= 52);
    CHECK(line[31] == ' ');                                     // between the name and the samples' figure
    CHECK(line.find_last_not_of(' ', 51) == 51);                // the real figure ends here
    CHECK((line.size() == 52 || line.substr(52, 3) == "   "));  // then the gate, if any
    passes += line.find("passed") != std::string::npos;
    failures += line.find("FAILED") != std::string::npos;
    if (line.find("coverage") == 0) {
      CHECK(line.find("0.320") != std::string::npos);
      CHECK(line.find(">= 0.480 FAILED") != std::string::npos);
    }
  }
  CHECK(lines == 11);
  CHECK(passes == 4);
  CHECK(failures == 1);
}
