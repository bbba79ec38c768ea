#include "../arenas.hpp"
#include "../golden/golden.hpp"
#include "gaussian.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/sampler/ddim.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>

#include <doctest/doctest.h>

namespace sampler_ddim_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

namespace {

template <class D>
auto discrete_level(D const& diffusion) {
  return [=](float t) { return diffusion.level(int(t)); };
}

/// DDIM in the notation of the paper's equation 12, for one affine denoiser of Gaussian data.
template <class D>
Moments expected_moments(D const& diffusion, double mean, double deviation, double eta) {
  Moments x{0, 1};
  for (auto const& s : diffusion.sampling_steps()) {
    double const abar = s.here.alpha * s.here.alpha, abar_next = s.next.alpha * s.next.alpha;
    double const sigma = eta * std::sqrt((1 - abar_next) / (1 - abar)) * std::sqrt(1 - abar / abar_next);
    double const variance = abar * deviation * deviation + 1 - abar;
    double const a = s.here.alpha * deviation * deviation / variance, b = s.here.sigma / variance;
    double const towards = std::sqrt(1 - abar_next - sigma * sigma);
    double const slope = s.next.alpha * a + towards * b;
    x.mean = slope * (x.mean - s.here.alpha * mean) + s.next.alpha * mean;
    x.variance = slope * slope * x.variance + (s.last ? 0 : sigma * sigma);
  }
  return x;
}

template <class Exec, class D>
void check(D const& diffusion, std::function<NoiseLevel(float)> level, double eta) {
  Exec const exec;
  double const mean = 0.1, deviation = 0.3;
  Images<Exec> const x("x", 50, 16, 16, 3);
  GaussianDenoiser<Exec, typename D::Prediction> const model{mean, deviation, level};
  ddim_sample(exec, diffusion, model, x, SeededNoise{1}, {.eta = eta, .clip_x0 = false});
  auto const found = moments(x), expected = expected_moments(diffusion, mean, deviation, eta);
  double const count = x.size();
  CHECK(std::abs(found.mean - expected.mean) < 4 * std::sqrt(expected.variance / count));
  CHECK(std::abs(found.variance / expected.variance - 1) < 4 * std::sqrt(2 / count));
  CHECK(expected.mean == doctest::Approx(mean).epsilon(0.02));
  CHECK(std::sqrt(expected.variance) == doctest::Approx(deviation).epsilon(0.08));
}

}  // namespace

TEST_CASE_TEMPLATE("DDIM of Gaussian data has the exact mean and variance", Exec, GLYPHDIFF_TEST_SPACES) {
  Diffusion<LinearSchedule<1000>> const linear;
  for (double const eta : {0.0, 0.5, 1.0})
    check<Exec>(linear.respaced("ddim50"), discrete_level(linear), eta);
  Diffusion<CosineSchedule<1000>, X0> const cosine;
  check<Exec>(cosine.respaced("40"), discrete_level(cosine), 0.5);
  ContinuousDiffusion<ContinuousCosine, V> const continuous(40);
  for (double const eta : {0.0, 1.0})
    check<Exec>(
        continuous, [](float t) { return ContinuousCosine::level(t / 1000.0); }, eta);
}

TEST_CASE_TEMPLATE("deterministic DDIM maps noise to the data's quantile", Exec, GLYPHDIFF_TEST_SPACES) {
  // In the limit of many steps x_0 = mean + deviation x_1: the flow keeps the order and the distribution.
  Exec const exec;
  ContinuousDiffusion<ContinuousCosine, V> const diffusion(1000);
  GaussianDenoiser<Exec, V> const model{0.1, 0.3,
                                        [](float t) { return ContinuousCosine::level(t / 1000.0); }};
  Images<Exec> const x("x", 1, 8, 8, 1), start("start", 1, 8, 8, 1);
  SeededNoise{2}.start(exec, start);
  ddim_sample(exec, diffusion, model, x, SeededNoise{2}, {.clip_x0 = false});
  auto const noise = golden::from_images(start).values, image = golden::from_images(x).values;
  for (int i = 0; i < 64; ++i) CHECK(image[i] == doctest::Approx(0.1 + 0.3 * noise[i]).epsilon(6e-3));
}

TEST_CASE_TEMPLATE("encoding inverts decoding", Exec, GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  auto const round_trip = [&](auto const& diffusion, auto const& model) {
    Images<Exec> const x("x", 1, 8, 8, 1);
    SeededNoise{3}.start(exec, x);
    ddim_decode(exec, diffusion, model, x, SeededNoise{}, {.clip_x0 = false});
    auto const image = golden::from_images(x);
    ddim_encode(exec, diffusion, model, x, {.clip_x0 = false});
    auto const latent = moments(x);
    CHECK(latent.variance == doctest::Approx(1).epsilon(0.4));  // it is noise again, not the image
    ddim_decode(exec, diffusion, model, x, SeededNoise{}, {.clip_x0 = false});
    return golden::relative_difference(golden::from_images(x), image);
  };
  Diffusion<LinearSchedule<1000>> const linear;
  GaussianDenoiser<Exec, Epsilon> const model{0.1, 0.5, discrete_level(linear)};
  double const fine = round_trip(linear, model), coarse = round_trip(linear.respaced("50"), model);
  CHECK(fine < 0.01);  // the error falls with the length of the steps
  CHECK(coarse < 0.2);
  CHECK(fine < coarse / 10);
  GaussianDenoiser<Exec, V> const v_model{0.1, 0.5,
                                          [](float t) { return ContinuousCosine::level(t / 1000.0); }};
  CHECK(round_trip(ContinuousDiffusion<ContinuousCosine, V>(1000), v_model) < 0.005);
}

TEST_CASE("one step in full: eps comes from the clipped estimate") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  Exec const exec;
  Diffusion<LinearSchedule<1000>> const full;
  auto const diffusion = full.respaced("2");
  Images<Exec> const x("x", 1, 1, 1, 1);
  for (double const eta : {0.0, 0.5}) {
    struct Constant {
      int steps = 0;
      void start(Exec const&, Images<Exec> const& images) { Kokkos::deep_copy(images, 3.0f); }
      void step(Exec const&, int, Images<Exec> const& images) { Kokkos::deep_copy(images, -2.0f), ++steps; }
    } noise;
    std::vector<float> visited;
    auto const model = [&](Exec const&, Images<Exec> const&, std::span<float const>,
                           Images<Exec> const& out) { out(0, 0, 0, 0) = -0.7f; };
    ddim_sample(exec, diffusion, model, x, noise, {.eta = eta},
                [&](int, int, auto const& images) { visited.push_back(images(0, 0, 0, 0)); });
    CHECK(noise.steps == 2);  // drawn at eta = 0 and at the last step too
    double expected = 3;
    for (int t : {1, 0}) {
      double const abar = diffusion.alpha_bar(t), next = diffusion.alpha_bar_previous(t);
      double const x0 = std::clamp((expected + std::sqrt(1 - abar) * 0.7) / std::sqrt(abar), -1.0, 1.0);
      double const eps = (expected - std::sqrt(abar) * x0) / std::sqrt(1 - abar);
      double const sigma = eta * std::sqrt((1 - next) / (1 - abar)) * std::sqrt(1 - abar / next);
      expected = std::sqrt(next) * x0 + std::sqrt(1 - next - sigma * sigma) * eps + (t > 0 ? sigma * -2 : 0);
      CHECK(visited[1 - t] == doctest::Approx(expected).epsilon(1e-5));
    }
  }
  CHECK_THROWS_AS(ddim_sample(exec, diffusion, [](auto&&...) {}, x, SeededNoise{}, {.eta = 1.5}), Error);
}

}  // namespace sampler_ddim_tests
