#include <glyphdiff/schedule/continuous_cosine.hpp>

#include <doctest/doctest.h>

namespace schedule_continuous_cosine_tests {

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

TEST_CASE("the shifted cosine schedule changes the signal-to-noise ratio by the square of the sizes' ratio") {
  for (double t : {0.01, 0.3, 0.5, 0.9, 0.99}) {
    CAPTURE(t);
    NoiseLevel const plain = ContinuousCosine::level(t), same = ShiftedCosine<64, 64>::level(t),
                     large = ShiftedCosine<96, 32>::level(t), small = ShiftedCosine<16, 32>::level(t);
    double const ratio = plain.sigma / plain.alpha;
    CHECK(same.sigma / same.alpha == doctest::Approx(ratio).epsilon(1e-12));
    CHECK(large.sigma / large.alpha == doctest::Approx(3 * ratio).epsilon(1e-12));
    CHECK(small.sigma / small.alpha == doctest::Approx(ratio / 2).epsilon(1e-12));
    CHECK(large.alpha * large.alpha + large.sigma * large.sigma == doctest::Approx(1).epsilon(1e-14));
  }
  NoiseLevel const image = ShiftedCosine<64, 32>::level(0), noise = ShiftedCosine<64, 32>::level(1);
  CHECK(2 * std::log(image.alpha / image.sigma) == doctest::Approx(20));
  CHECK(2 * std::log(noise.alpha / noise.sigma) == doctest::Approx(-20));
}

}  // namespace schedule_continuous_cosine_tests
