// What holds for every sampler.
#include "../arenas.hpp"
#include "../golden/golden.hpp"
#include "mixture.hpp"
#include "samplers.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/sampler/draw.hpp>
#include <glyphdiff/sampler/spacing.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace sampler_every_sampler_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

namespace {

using Exec = Kokkos::DefaultHostExecutionSpace;

NoiseLevel cosine_level(float t) { return ContinuousCosine::level(t / 1000.0); }

/// The level of a timestep of a discrete schedule, also between two.
template <class Schedule>
auto discrete_level() {
  Diffusion<Schedule> const diffusion;
  return [=](float t) {
    int const below = std::min(int(t), diffusion.steps() - 2);
    double const part = double(t) - below;
    return NoiseLevel::of_ratio(std::exp((1 - part) * std::log(diffusion.level(below).ratio()) +
                                         part * std::log(diffusion.level(below + 1).ratio())));
  };
}

/// The share of the pictures above 0, and the mean and deviation of those: of the mixture 0.65, 0.5 and 0.15.
struct Upper {
  double share, mean, deviation;
};
Upper upper(Images<Exec> const& x) {
  double count = 0, sum = 0, squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    double const value = x.data()[i];
    if (value > 0) count += 1, sum += value, squares += value * value;
  }
  return {count / double(x.size()), sum / count, std::sqrt(squares / count - sum / count * sum / count)};
}

template <class D>
void check_distribution(D const& diffusion, std::function<NoiseLevel(float)> level, float rest = 0) {
  for_each_sampler([&](std::string const& name, bool, auto const& sample) {
    CAPTURE(name);
    Images<Exec> const x("x", 1, 32, 32, 2);
    MixtureDenoiser<typename D::Prediction> const model{level, rest};
    sample(Exec(), diffusion, model, x, SeededNoise{1}, false, NoProgress{});
    auto const found = upper(x);
    CAPTURE(found.share);
    CAPTURE(found.mean);
    CAPTURE(found.deviation);
    CHECK(std::abs(found.share - 0.65) < 0.035);
    CHECK(std::abs(found.mean - 0.5) < 0.02);
    CHECK(std::abs(found.deviation - 0.15) < 0.02);
  });
}

}  // namespace

TEST_CASE("every sampler draws from a mixture of two Gaussians") {
  SUBCASE("continuous v") { check_distribution(ContinuousDiffusion<ContinuousCosine, V>(60), cosine_level); }
  SUBCASE("discrete eps, linear, respaced") {
    check_distribution(Diffusion<LinearSchedule<1000>, Epsilon, FixedSmall>().respaced("250"),
                       discrete_level<LinearSchedule<1000>>());
  }
  SUBCASE("learned variance, cosine") {
    check_distribution(Diffusion<CosineSchedule<1000>, Epsilon, LearnedRange>().respaced("200"),
                       discrete_level<CosineSchedule<1000>>(), -1);
  }
  SUBCASE("x0") {
    check_distribution(Diffusion<LinearSchedule<1000>, X0, FixedSmall>().respaced("ddim250"),
                       discrete_level<LinearSchedule<1000>>());
  }
  SUBCASE("even in lambda") {
    check_distribution(log_snr_spaced(Diffusion<LinearSchedule<1000>, Epsilon, FixedSmall>(), 100),
                       discrete_level<LinearSchedule<1000>>());
  }
  SUBCASE("Karras et al.'s spacing") {
    check_distribution(karras_spaced(ContinuousDiffusion<ContinuousCosine, V>(1000), 250), cosine_level);
    check_distribution(karras_spaced(Diffusion<LinearSchedule<1000>, Epsilon, FixedSmall>(), 250),
                       discrete_level<LinearSchedule<1000>>());
  }
}

TEST_CASE("the same picture at any batch size, another with another seed") {
  ContinuousDiffusion<ContinuousCosine, V> const diffusion(7);
  MixtureDenoiser<V> const model{cosine_level};
  for_each_sampler([&](std::string const& name, bool, auto const& sample) {
    CAPTURE(name);
    Images<Exec> const three("three", 3, 5, 5, 2), one("one", 1, 5, 5, 2), other("other", 1, 5, 5, 2);
    sample(Exec(), diffusion, model, three, SeededNoise{5, 30}, true, NoProgress{});
    sample(Exec(), diffusion, model, one, SeededNoise{5, 32}, true, NoProgress{});
    sample(Exec(), diffusion, model, other, SeededNoise{6, 32}, true, NoProgress{});
    CHECK(golden::from_images(three)[2].values == golden::from_images(one)[0].values);
    CHECK(golden::from_images(other)[0].values != golden::from_images(one)[0].values);
  });
}

TEST_CASE("drawing to the host, in batches of any size") {
  ContinuousDiffusion<ContinuousCosine, V> const diffusion(5);
  MixtureDenoiser<V> const model{cosine_level};
  auto const pictures = [&](int count, int batch, std::uint64_t first) {
    DrawOptions const options{count, 3, 4, 2, /*seed=*/7, first, batch};
    return golden::from_images(draw(Exec(), options, [&](Images<Exec> const& x, SeededNoise const& noise) {
      dpm_solver_sample(Exec(), diffusion, model, x, noise, {.stochastic = true});
    }));
  };
  auto const whole = pictures(5, 5, 10);
  CHECK(whole.shape == std::vector{5, 2, 3, 4});
  CHECK(pictures(5, 2, 10).values == whole.values);
  CHECK(pictures(1, 64, 13).values == whole[3].values);
}

TEST_CASE("samplers draw noise once per step, report each, and add none if they are deterministic") {
  struct Counted {
    float value;
    int started = 0;
    std::vector<int> steps{};
    void start(Exec const&, Images<Exec> const& x) { Kokkos::deep_copy(x, 1.0f), ++started; }
    void step(Exec const&, int number, Images<Exec> const& x) {
      Kokkos::deep_copy(x, value), steps.push_back(number);
    }
  };
  ContinuousDiffusion<ContinuousCosine, V> const diffusion(5);
  MixtureDenoiser<V> const model{cosine_level};
  for_each_sampler([&](std::string const& name, bool deterministic, auto const& sample) {
    CAPTURE(name);
    auto const run = [&](Counted& noise) {
      Images<Exec> const x("x", 1, 1, 1, 1);
      int reports = 0;
      sample(Exec(), diffusion, model, x, noise, false, [&](int done, int steps, Images<Exec> const&) {
        CHECK(steps == 5);
        CHECK(done == ++reports);
      });
      CHECK(reports == 5);
      CHECK(noise.started == 1);
      CHECK(noise.steps == std::vector{0, 1, 2, 3, 4});
      return x(0, 0, 0, 0);
    };
    Counted none{0}, some{0.5f};
    CHECK((run(none) == run(some)) == deterministic);
  });
}

TEST_CASE("estimates are clipped where that is asked for") {
  // A network that sees x_0 = 3 everywhere.
  auto const model = [](Exec const&, Images<Exec> const&, std::span<float const>, Images<Exec> const& out) {
    Kokkos::deep_copy(out, 3.0f);
  };
  Diffusion<LinearSchedule<1000>, X0, FixedSmall> const full;
  auto const diffusion = full.respaced("12");
  for_each_sampler([&](std::string const& name, bool, auto const& sample) {
    CAPTURE(name);
    Images<Exec> const x("x", 1, 1, 1, 1);
    sample(Exec(), diffusion, model, x, SeededNoise{1}, true, NoProgress{});
    CHECK(x(0, 0, 0, 0) == doctest::Approx(1).epsilon(1e-3));
    sample(Exec(), diffusion, model, x, SeededNoise{1}, false, NoProgress{});
    CHECK(x(0, 0, 0, 0) == doctest::Approx(3).epsilon(1e-3));
  });
}

TEST_CASE("the network is given the timestep of the level it is shown") {
  Diffusion<CosineSchedule<1000>> const full(/*rescale_timesteps=*/true);
  Diffusion<LinearSchedule<500>> const scaled(/*rescale_timesteps=*/true);
  auto const respaced = scaled.respaced("20");
  for (int t : {0, 1, 77, 400, 998, 999})
    CHECK(full.network_timestep_at(full.level(t).ratio()) == doctest::Approx(t).epsilon(1e-9));
  for (int t = 0; t < 20; ++t)
    CHECK(respaced.network_timestep_at(respaced.level(t).ratio()) ==
          doctest::Approx(respaced.network_timestep(t)).epsilon(1e-9));
  double const between = std::sqrt(full.level(77).ratio() * full.level(78).ratio());
  CHECK(full.network_timestep_at(between) == doctest::Approx(77.5));
  CHECK(full.network_timestep_at(1e-9) == 0);
  CHECK(full.network_timestep_at(1e9) == 999);
  ContinuousDiffusion<ContinuousCosine, V> const continuous;
  for (double t : {0.001, 0.2, 0.5, 0.93})
    CHECK(continuous.network_timestep_at(continuous.level(t).ratio()) == doctest::Approx(1000 * t));
}

TEST_CASE("spacings") {
  Diffusion<LinearSchedule<1000>> const diffusion;
  double const highest = diffusion.level(999).ratio(), lowest = diffusion.level(0).ratio();
  auto const check = [&](auto const& plan, auto const& warp) {
    auto const steps = plan.sampling_steps();
    REQUIRE(steps.size() == 6);
    CHECK(steps.front().here.ratio() == doctest::Approx(highest));
    CHECK(steps.front().timestep == doctest::Approx(999));
    CHECK(steps[5].here.ratio() == doctest::Approx(lowest));
    CHECK(steps[5].next.sigma == 0);
    CHECK(steps[5].last);
    double const step = warp(steps[1].here.ratio()) - warp(steps[0].here.ratio());
    for (int i = 0; i < 5; ++i) {
      CHECK(warp(steps[i].next.ratio()) - warp(steps[i].here.ratio()) == doctest::Approx(step).epsilon(1e-6));
      CHECK(steps[i].next.sigma == steps[i + 1].here.sigma);
      CHECK(!steps[i].last);
    }
  };
  check(karras_spaced(diffusion, 6), [](double r) { return std::pow(r, 1 / 7.0); });
  check(ratio_spaced(diffusion, 6), [](double r) { return r; });
  check(log_snr_spaced(diffusion, 6), [](double r) { return std::log(r); });
  CHECK_THROWS_AS(spaced(diffusion, {1, 2}), Error);
  CHECK_THROWS_AS(spaced(diffusion, {1, 0, 0}), Error);
  CHECK_THROWS_AS(karras_spaced(diffusion, 0), Error);
  // The steps of a process and the same levels chosen by hand say the same.
  std::vector<double> ratios;
  for (auto const& s : diffusion.sampling_steps()) ratios.push_back(s.here.ratio());
  ratios.push_back(0);
  auto const own = diffusion.sampling_steps(), chosen = spaced(diffusion, ratios).sampling_steps();
  for (int i = 0; i < 1000; ++i) {
    CHECK(chosen[i].timestep == doctest::Approx(own[i].timestep).epsilon(1e-6));
    CHECK(chosen[i].mean_x0 == doctest::Approx(own[i].mean_x0).epsilon(1e-6));
    CHECK(chosen[i].mean_x == doctest::Approx(own[i].mean_x).epsilon(1e-6));
    CHECK(chosen[i].log_variance_large ==
          doctest::Approx(i < 999 ? own[i].log_variance_large : std::log(diffusion.beta(0))).epsilon(1e-6));
    if (i < 999)
      CHECK(chosen[i].log_variance_small == doctest::Approx(own[i].log_variance_small).epsilon(1e-6));
  }
}

TEST_CASE("orders and churn that there are not") {
  ContinuousDiffusion<ContinuousCosine, V> const diffusion(3);
  auto const model = [](auto&&...) {};
  Images<Exec> const x("x", 1, 1, 1, 1);
  CHECK_THROWS_AS(plms_sample(Exec(), diffusion, model, x, SeededNoise{}, {.order = 5}), Error);
  CHECK_THROWS_AS(plms_sample(Exec(), diffusion, model, x, SeededNoise{}, {.order = 0}), Error);
  CHECK_THROWS_AS(unipc_sample(Exec(), diffusion, model, x, SeededNoise{}, {.order = 4}), Error);
  CHECK_THROWS_AS(heun_sample(Exec(), diffusion, model, x, SeededNoise{}, {.churn = -1}), Error);
}

TEST_CASE("a picture that is not finite is an error of every sampler") {
  ContinuousDiffusion<ContinuousCosine, V> const diffusion(4);
  for (float number : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    auto const broken = [&](Exec const&, Images<Exec> const&, std::span<float const>,
                            Images<Exec> const& out) {
      Kokkos::deep_copy(out, 0.0f);
      out(1, 2, 3, 0) = number;
    };
    for_each_sampler([&](std::string const& name, bool, auto const& sample) {
      CAPTURE(name);
      Images<Exec> const x("x", 2, 4, 4, 1);
      CHECK_THROWS_WITH_AS(sample(Exec(), diffusion, broken, x, SeededNoise{5}, false, NoProgress{}),
                           "a sampled picture: expected finite numbers, found infinite ones or NaN", Error);
    });
  }
}

}  // namespace sampler_every_sampler_tests
