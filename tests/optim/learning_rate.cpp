#include <glyphdiff/optim/learning_rate.hpp>

#include <cmath>

#include <doctest/doctest.h>

namespace optim_learning_rate_tests {

using glyphdiff::Decay;
using glyphdiff::LearningRate;

TEST_CASE("without warm-up or decay the learning rate is constant") {
  LearningRate const lr{.peak = 3e-4};
  CHECK(lr(0) == 3e-4);
  CHECK(lr(1000000) == 3e-4);
}

TEST_CASE("the warm-up is a straight line that reaches the peak at its last update") {
  LearningRate const lr{.peak = 1.0, .warm_up = 4};
  CHECK(lr(0) == 0.25);
  CHECK(lr(1) == 0.5);
  CHECK(lr(3) == 1.0);
  CHECK(lr(4) == 1.0);
}

TEST_CASE("the linear anneal is that of ADM and IDDPM: lr (1 - step / steps)") {
  LearningRate const lr{.peak = 2.0, .decay = Decay::linear, .steps = 10};
  for (int step = 0; step <= 10; ++step) CHECK(lr(step) == doctest::Approx(2.0 * (1 - step / 10.0)));
  CHECK(lr(11) == 0.0);
}

TEST_CASE("the cosine starts after the warm-up and ends at its fraction") {
  LearningRate const lr{
      .peak = 1.0, .warm_up = 10, .decay = Decay::cosine, .steps = 110, .final_fraction = 0.1};
  CHECK(lr(9) == 1.0);
  CHECK(lr(10) == 1.0);
  CHECK(lr(60) == doctest::Approx(0.55));
  CHECK(lr(35) == doctest::Approx(0.1 + 0.9 * 0.5 * (1 + 0.7071067811865476)));
  CHECK(lr(110) == doctest::Approx(0.1));
  CHECK(lr(5000) == doctest::Approx(0.1));
}

TEST_CASE("a warm-up longer than the run is still a warm-up") {
  LearningRate const lr{.peak = 1.0, .warm_up = 10, .decay = Decay::linear, .steps = 5};
  CHECK(lr(4) == 0.5);
  CHECK(lr(10) == 0.0);
}

TEST_CASE("a decay without the length of the run, or a rate that is no number, is refused") {
  for (Decay decay : {Decay::linear, Decay::cosine}) {
    CHECK_THROWS_WITH_AS(
        (LearningRate{.peak = 1e-3, .decay = decay}(0)),
        "learning rate that decays: expected `steps`, the length of the run in updates, found 0",
        glyphdiff::Error);
    CHECK((LearningRate{.peak = 1e-3, .decay = decay, .steps = 1}(0)) == 1e-3);
  }
  CHECK_THROWS_AS((LearningRate{.peak = -1}.require_valid()), glyphdiff::Error);
  CHECK_THROWS_AS((LearningRate{.warm_up = -1}.require_valid()), glyphdiff::Error);
  CHECK_THROWS_AS((LearningRate{.peak = std::nan("")}.require_valid()), glyphdiff::Error);
  CHECK_THROWS_AS((LearningRate{.final_fraction = std::nan("")}.require_valid()), glyphdiff::Error);
}

}  // namespace optim_learning_rate_tests
