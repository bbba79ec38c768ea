#include "../golden/golden.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>

#include <doctest/doctest.h>

namespace diffusion_discrete_tests {

using namespace glyphdiff;

namespace {

template <class Schedule>
void follows(char const* name) {
  CAPTURE(name);
  auto const expected = golden::json("schedules.json")[name];
  Diffusion<Schedule> const diffusion;
  REQUIRE(diffusion.steps() == Schedule::steps);
  for (std::size_t i = 0; i < expected["t"].size(); ++i) {
    int const t = expected["t"][i];
    CAPTURE(t);
    auto const near = [&](double ours, char const* table) {
      return golden::near(ours, expected[table][i], 1e-12);
    };
    CHECK(near(diffusion.beta(t), "betas"));
    CHECK(near(diffusion.alpha_bar(t), "alphas_cumprod"));
    CHECK(near(diffusion.alpha_bar_previous(t), "alphas_cumprod_prev"));
    CHECK(near(diffusion.posterior_variance(t), "posterior_variance"));
    CHECK(near(diffusion.log_variance_small(t), "posterior_log_variance_clipped"));
    CHECK(near(diffusion.posterior_mean_x0(t), "posterior_mean_coef1"));
    CHECK(near(diffusion.posterior_mean_x(t), "posterior_mean_coef2"));
    Mix const x0 = Epsilon::x0(diffusion.level(t));
    CHECK(near(x0.first, "sqrt_recip_alphas_cumprod"));
    // 1 - alpha_bar and 1 / alpha_bar - 1 lose the same digits where alpha_bar is almost 1, each in its own
    // way.
    double const lost = 1e-16 / (1 - diffusion.alpha_bar(t));
    CHECK(golden::near(-x0.second, expected["sqrt_recipm1_alphas_cumprod"][i], 1e-12 + lost));
  }
}

using Linear = Diffusion<LinearSchedule<1000>>;

}  // namespace

TEST_CASE("the tables of a discrete diffusion") {
  follows<LinearSchedule<1000>>("linear1000");
  follows<LinearSchedule<4000>>("linear4000");
  follows<CosineSchedule<1000>>("cosine1000");
  follows<CosineSchedule<4000>>("cosine4000");
}

TEST_CASE("respacing keeps the noise levels and what the network is given") {
  Linear const full;
  Linear const few = full.respaced("25");
  REQUIRE(few.steps() == 25);
  CHECK(few.original_timestep(1) == 42);
  for (int t = 0; t < 25; ++t) {
    CHECK(golden::near(few.alpha_bar(t), full.alpha_bar(few.original_timestep(t)), 1e-12));
    CHECK(few.network_timestep(t) == few.original_timestep(t));
  }
  CHECK(golden::near(few.beta(1), 1 - full.alpha_bar(42) / full.alpha_bar(0), 1e-12));
  CHECK(few.respaced("2").original_timestep(1) == 999);
  CHECK_THROWS_AS(few.respaced("26"), Error);

  auto const same = full.respaced("1000");
  for (int t : {0, 1, 500, 999}) CHECK(golden::near(same.beta(t), full.beta(t), 1e-10));

  auto const one = full.respaced("1");
  CHECK(one.steps() == 1);
  CHECK(one.log_variance_small(0) == doctest::Approx(std::log(1e-4)));
}

TEST_CASE("rescaled timesteps") {
  Diffusion<LinearSchedule<4000>> const rescaled(true), plain;
  CHECK(rescaled.network_timestep(3) == 0.75);
  CHECK(plain.network_timestep(3) == 3);
  CHECK(rescaled.respaced("ddim40").network_timestep(2) == 50);
}

TEST_CASE("variances of the ancestral step") {
  Diffusion<LinearSchedule<1000>, Epsilon, FixedLarge> const large;
  Diffusion<LinearSchedule<1000>, Epsilon, FixedSmall> const low;
  Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange> const learned;
  CHECK(large.log_variance_large(0) == std::log(large.posterior_variance(1)));
  CHECK(large.log_variance_large(1) == std::log(large.beta(1)));
  CHECK(low.log_variance_large(7) == std::log(low.posterior_variance(7)));
  CHECK(learned.log_variance_large(0) == std::log(1e-4));
  CHECK(learned.log_variance_small(0) == std::log(learned.posterior_variance(1)));
}

TEST_CASE("sampling steps go from noise to image") {
  auto const diffusion = Linear().respaced("ddim10");
  auto const steps = diffusion.sampling_steps();
  REQUIRE(steps.size() == 10);
  CHECK(steps[0].timestep == 900);
  CHECK(steps[9].timestep == 0);
  CHECK(steps[9].last);
  CHECK(!steps[8].last);
  CHECK(steps[9].next.alpha == 1);
  CHECK(steps[9].next.sigma == 0);
  CHECK(steps[3].next.alpha == steps[4].here.alpha);
  CHECK(steps[9].mean_x0 == doctest::Approx(1).epsilon(1e-12));
  CHECK(steps[9].mean_x == 0);
}

}  // namespace diffusion_discrete_tests
