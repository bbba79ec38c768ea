#include "../golden/golden.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>

#include <doctest/doctest.h>

namespace diffusion_continuous_tests {

using namespace glyphdiff;

namespace {

/// Takes its noise levels from a discrete schedule, so that both kinds of diffusion can be compared.
struct LinearLevels {
  static NoiseLevel level(double t) {
    static Diffusion<LinearSchedule<1000>> const diffusion;
    return diffusion.level(static_cast<int>(std::lround(t * 1000)) - 1);
  }
};

}  // namespace

TEST_CASE("a continuous diffusion on a discrete one's noise levels has the same posterior") {
  Diffusion<LinearSchedule<1000>, V, FixedSmall> const discrete;
  ContinuousDiffusion<LinearLevels, V, FixedSmall> const low(1000);
  ContinuousDiffusion<LinearLevels, V, FixedLarge> const large(1000);
  auto const expected = discrete.sampling_steps(), steps = low.sampling_steps(),
             large_steps = large.sampling_steps();
  REQUIRE(steps.size() == 1000);
  for (int i = 0; i < 999; ++i) {
    CHECK(golden::near(steps[i].mean_x0, expected[i].mean_x0, 1e-8));
    CHECK(golden::near(steps[i].mean_x, expected[i].mean_x, 1e-8));
    CHECK(golden::near(steps[i].log_variance_large, expected[i].log_variance_small, 1e-8));
    CHECK(golden::near(large_steps[i].log_variance_large, std::log(discrete.beta(999 - i)), 1e-8));
  }
  CHECK(golden::near(steps[999].mean_x0, 1, 1e-12));
  CHECK(steps[999].mean_x == 0);
}

TEST_CASE("sampling steps walk an even grid to the image") {
  ContinuousDiffusion<ContinuousCosine, V> const diffusion;
  CHECK(diffusion.steps() == 50);
  auto const steps = diffusion.respaced("4").sampling_steps();
  REQUIRE(steps.size() == 4);
  CHECK(steps[0].timestep == 1000);
  CHECK(steps[3].timestep == 250);
  CHECK(steps[1].here.sigma == ContinuousCosine::level(0.75).sigma);
  CHECK(steps[1].next.sigma == steps[2].here.sigma);
  CHECK(steps[3].next.sigma == 0);
  CHECK(steps[3].last);
  for (auto const& s : steps) CHECK(std::isfinite(s.log_variance_large));
  CHECK_THROWS_AS(diffusion.respaced("ddim4"), Error);
  CHECK_THROWS_AS(diffusion.respaced("0"), Error);
}

}  // namespace diffusion_continuous_tests
