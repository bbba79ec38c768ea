#include "../arenas.hpp"
#include "../golden/golden.hpp"
#include "gaussian.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/sampler/ddpm.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>

#include <doctest/doctest.h>

namespace sampler_ddpm_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

namespace {

/// The moments that ancestral sampling gives for Gaussian data: each step is affine in x and noise.
template <class D>
Moments expected_moments(D const& diffusion, double mean, double deviation, double log_fraction) {
  Moments x{0, 1};
  for (auto const& s : diffusion.sampling_steps()) {
    double const variance = s.here.alpha * s.here.alpha * deviation * deviation + s.here.sigma * s.here.sigma;
    double const a = s.here.alpha * deviation * deviation / variance, slope = s.mean_x0 * a + s.mean_x;
    double const log_variance =
        log_fraction * s.log_variance_large + (1 - log_fraction) * s.log_variance_small;
    x.mean = slope * x.mean + s.mean_x0 * (mean - a * s.here.alpha * mean);
    x.variance = slope * slope * x.variance + (s.last ? 0 : std::exp(log_variance));
  }
  return x;
}

template <class Exec, class D>
void check(D const& diffusion, std::function<NoiseLevel(float)> level, float rest = 0,
           double log_fraction = 1) {
  Exec const exec;
  double const mean = 0.1, deviation = 0.3;
  Images<Exec> const x("x", 50, 16, 16, 3);
  GaussianDenoiser<Exec, typename D::Prediction> const model{mean, deviation, level, rest};
  ddpm_sample(exec, diffusion, model, x, SeededNoise{1}, {.clip_x0 = false});
  auto const found = moments(x), expected = expected_moments(diffusion, mean, deviation, log_fraction);
  double const count = x.size(), error = 4 * std::sqrt(expected.variance / count);
  CHECK(std::abs(found.mean - expected.mean) < error);
  CHECK(std::abs(found.variance / expected.variance - 1) < 4 * std::sqrt(2 / count));
  // And that is the data's distribution, up to the error of few steps.
  CHECK(expected.mean == doctest::Approx(mean).epsilon(0.02));
  CHECK(std::sqrt(expected.variance) == doctest::Approx(deviation).epsilon(0.08));
}

template <class D>
auto discrete_level(D const& diffusion) {
  return [=](float t) { return diffusion.level(int(t)); };
}

}  // namespace

TEST_CASE_TEMPLATE("ancestral sampling of Gaussian data has the exact mean and variance", Exec,
                   GLYPHDIFF_TEST_SPACES) {
  SUBCASE("epsilon, linear, respaced") {
    Diffusion<LinearSchedule<1000>> const full;
    check<Exec>(full.respaced("50"), discrete_level(full));
  }
  SUBCASE("x0, cosine, small variance") {
    Diffusion<CosineSchedule<100>, X0, FixedSmall> const diffusion;
    check<Exec>(diffusion, discrete_level(diffusion));
  }
  SUBCASE("learned variance") {
    Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange> const full;
    check<Exec>(full.respaced("ddim40"), discrete_level(full), 0.5f, 0.75);
  }
  SUBCASE("continuous v") {
    check<Exec>(ContinuousDiffusion<ContinuousCosine, V, FixedLarge>(60),
                [](float t) { return ContinuousCosine::level(t / 1000.0); });
  }
}

TEST_CASE_TEMPLATE("the same picture at any batch size", Exec, GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  Diffusion<CosineSchedule<20>> const diffusion;
  GaussianDenoiser<Exec, Epsilon> const model{0, 0.5, discrete_level(diffusion)};
  Images<Exec> const three("three", 3, 7, 7, 1), one("one", 1, 7, 7, 1);
  ddpm_sample(exec, diffusion, model, three, SeededNoise{5, 30});
  ddpm_sample(exec, diffusion, model, one, SeededNoise{5, 32});
  CHECK(golden::from_images(three)[2].values == golden::from_images(one)[0].values);
}

TEST_CASE("one step in full: estimates are clipped, the variance interpolated, the last step without noise") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  Exec const exec;
  using D = Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>;
  D const diffusion = D().respaced("2");
  struct Recorded {
    int started = 0;
    std::vector<int> steps;
    void start(Exec const&, Images<Exec> const& x) { Kokkos::deep_copy(x, 2.0f), ++started; }
    void step(Exec const&, int number, Images<Exec> const& x) {
      Kokkos::deep_copy(x, 0.25f), steps.push_back(number);
    }
  } noise;
  Images<Exec> const x("x", 1, 1, 1, 1);
  std::vector<float> timesteps, visited;
  auto const model = [&](Exec const&, Images<Exec> const&, std::span<float const> t,
                         Images<Exec> const& out) {
    timesteps.push_back(t[0]);
    out(0, 0, 0, 0) = 1.5f;
    out(0, 0, 0, 1) = -0.5f;
  };
  ddpm_sample(exec, diffusion, model, x, noise, {}, [&](int done, int steps, auto const& images) {
    CHECK(steps == 2);
    CHECK(done == int(visited.size()) + 1);
    visited.push_back(images(0, 0, 0, 0));
  });
  CHECK(noise.started == 1);
  CHECK(noise.steps == std::vector{0, 1});  // drawn at the last step too
  CHECK(timesteps == std::vector{999.0f, 0.0f});

  double expected = 2;
  for (int t : {1, 0}) {
    double const x0 =
        std::clamp((expected - diffusion.level(t).sigma * 1.5) / diffusion.level(t).alpha, -1.0, 1.0);
    double const log_variance = 0.25 * std::log(diffusion.beta(t)) + 0.75 * diffusion.log_variance_small(t);
    expected = diffusion.posterior_mean_x0(t) * x0 + diffusion.posterior_mean_x(t) * expected +
               (t > 0 ? std::exp(0.5 * log_variance) * 0.25 : 0);
    CHECK(visited[1 - t] == doctest::Approx(expected).epsilon(1e-5));
  }
}

}  // namespace sampler_ddpm_tests
