#include "shapes.hpp"

#include <glyphdiff/metrics/sample_report.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace metrics_sample_report_tests {

using namespace glyphdiff;

namespace {

constexpr int size = 16;

SampleReport judge(Drawings const& samples, int held_out = 40) {
  static Drawings const training = random_letters(size, 120, 1), unseen = random_letters(size, 130, 2);
  ImageSpan few = unseen.span();
  few.count = held_out;
  return judge_samples(samples.span(), training.span(), few, 0);
}

}  // namespace

TEST_CASE("fresh letters measure what real ones do") {
  SampleReport const report = judge(random_letters(size, 60, 3));
  SetFigures const &samples = report.samples, &real = report.real;
  CHECK(report.expected == Topology{.components = 1, .holes = 1});
  CHECK(report.draw_count == 40);
  CHECK(samples.expected_topology > 0.9);
  CHECK(samples.fragmented == 0.0);
  CHECK(samples.stems.size() == 60);
  CHECK(quantile(samples.stems, 0.5) == doctest::Approx(quantile(real.stems, 0.5)).epsilon(0.1));
  CHECK(samples.diversity == doctest::Approx(real.diversity).epsilon(0.1));
  CHECK(samples.coverage > 0.5);
  CHECK(samples.one_nn_accuracy == doctest::Approx(0.5).epsilon(0.2));
  CHECK(samples.kernel.low < real.kernel.high);
  CHECK(real.kernel.low < samples.kernel.high);
  CHECK(report.warning.empty());
  REQUIRE(report.refused.size() == 1);
  CHECK(report.refused[0] ==
        "Frechet distance: expected at least 130 samples and as many held-out letters, found 60 and 40");
  CHECK(std::isnan(samples.frechet.value));
}

TEST_CASE("with enough letters there is a Frechet distance within its interval") {
  SampleReport const report = judge(random_letters(size, 130, 3), 130);
  CHECK(report.refused.empty());
  for (SetFigures const* set : {&report.samples, &report.real}) {
    CHECK(set->frechet.low < set->frechet.value);
    CHECK(set->frechet.value < set->frechet.high);
  }
  CHECK(report.samples.frechet.low < report.real.frechet.high);
}

TEST_CASE("the training letters themselves bring the warning, one letter repeated lacks diversity") {
  CHECK(judge(random_letters(size, 60, 1)).warning.starts_with("warning: 60 of 60 samples are nearer"));
  Drawings collapsed(size);
  for (int n = 0; n < 40; ++n) collapsed.blank().letter_a(0.3, 0.6, 0.1);
  SampleReport const report = judge(collapsed);
  CHECK(report.samples.diversity < 1e-5);
  CHECK(report.samples.coverage < 0.5 * report.real.coverage);
  CHECK(report.samples.kernel.low > report.real.kernel.high);
}

TEST_CASE("rings are not letters, though they have one hole; letters that hop drift") {
  Drawings rings(size), hopping(size);
  for (int n = 0; n < 80; ++n) {
    rings.blank().ring(0.5, 0.5, 0.2 + 0.002 * n, 0.1);
    if (n % 4 == 0) rings.dot(0.07, 0.07, 0.06);
    hopping.blank().letter_a(0.3, 0.6, 0.1, 0.0, n % 2 ? 0.7 : 0.9);
  }
  SampleReport const report = judge(rings);
  CHECK(report.samples.expected_topology == 0.75);
  CHECK(report.samples.coverage < 0.1);
  CHECK(report.samples.one_nn_accuracy > 0.95);
  SetFigures const drifting = judge(hopping).samples;
  CHECK(drifting.baseline_sd > 1.0);
  CHECK(drifting.ink_height_sd > 1.0);
}

TEST_CASE("a seed fixes a report") {
  Drawings const training = random_letters(8, 60, 1), held_out = random_letters(8, 40, 2),
                 samples = random_letters(8, 60, 3);
  auto const with = [&](std::uint64_t seed) {
    return judge_samples(samples.span(), training.span(), held_out.span(), seed).samples;
  };
  CHECK(with(1).kernel.low == with(1).kernel.low);
  CHECK(with(1).coverage == with(1).coverage);
  CHECK(with(1).coverage != with(100).coverage);
}

TEST_CASE("what is expected of a letter is what the training letters have") {
  Drawings bars(size);
  for (int n = 0; n < 30; ++n) {
    bars.blank().stroke(0.2, 0.3, 0.8, 0.3, 0.1 + 0.002 * n);
    if (n > 0) bars.stroke(0.2, 0.7, 0.8, 0.7, 0.1);
  }
  SampleReport const report = judge_samples(bars.span(), bars.span(), bars.span(), 0);
  CHECK(report.expected == Topology{.components = 2, .holes = 0});
  CHECK(report.real.expected_topology == doctest::Approx(29.0 / 30));
  CHECK(report.real.stems.empty());
}

TEST_CASE("bad input to a judge") {
  CHECK_THROWS_WITH_AS(judge(random_letters(size, 1, 3)), "samples: expected at least 2 images, found 1",
                       Error);
  CHECK_THROWS_WITH_AS(judge(random_letters(8, 20, 3)),
                       "samples: expected images of the size of the training letters (16x16), found 8x8",
                       Error);
  Drawings holed = random_letters(size, 20, 3);
  holed.at(3, 0, 0) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(judge(holed), "samples: expected finite pixels, found NaN or infinity in image 3",
                       Error);
  CHECK_THROWS_WITH_AS(judge(random_letters(size, 20, 3), 2),
                       "held-out letters: expected at least 3 images, found 2", Error);
}

}  // namespace metrics_sample_report_tests
