#include <glyphdiff/schedule/continuous_cosine.hpp>

#include <doctest/doctest.h>

using namespace glyphdiff;

TEST_CASE(
    "the continuous cosine schedule keeps the variance and the signal-to-noise ratio within its limits") {
  double previous = 100;
  for (int i = 0; i <= 1000; ++i) {
    NoiseLevel const l = ContinuousCosine::level(i / 1000.0);
    double const log_snr = 2 * std::log(l.alpha / l.sigma);
    CHECK(l.alpha * l.alpha + l.sigma * l.sigma == doctest::Approx(1).epsilon(1e-14));
    CHECK(std::abs(log_snr) <= 20 + 1e-9);
    CHECK(log_snr < previous);
    previous = log_snr;
  }
  CHECK(2 * std::log(ContinuousCosine::level(0).alpha / ContinuousCosine::level(0).sigma) ==
        doctest::Approx(20));
  CHECK(2 * std::log(ContinuousCosine::level(1).alpha / ContinuousCosine::level(1).sigma) ==
        doctest::Approx(-20));
  CHECK(ContinuousCosine::level(0.5).alpha == doctest::Approx(std::sqrt(0.5)).epsilon(1e-14));
  CHECK(ContinuousCosine::level(1.0 / 3).sigma == doctest::Approx(0.5).epsilon(1e-14));
}
