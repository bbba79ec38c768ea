#include "../arenas.hpp"
#include "mixture.hpp"
#include "samplers.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/sampler/guidance.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>

#include <doctest/doctest.h>

namespace sampler_guidance_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

namespace {

template <class Exec>
struct Constant {
  float prediction, rest;
  void operator()(Exec const& exec, Images<Exec> const& x, std::span<float const>, Images<Exec> const& out) {
    affine(exec, x, 0.0f, prediction, rest, out);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("guidance by a weaker model extrapolates the prediction alone", Exec,
                   GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  Images<Exec> const x("x", 2, 3, 3, 1), out("out", 2, 3, 3, 2);
  std::vector<float> const timesteps{1, 1};
  auto const at = [&](double scale) {
    Guidance guided(exec, Constant<Exec>{3, 0.5f}, Constant<Exec>{1, -0.5f}, scale);
    static_assert(Denoiser<decltype(guided), Exec>);
    guided(exec, x, timesteps, out);
    exec.fence();
    Kokkos::View<float****, Kokkos::LayoutRight, Kokkos::HostSpace> const host("host", 2, 3, 3, 2);
    Kokkos::deep_copy(host, out);
    return std::vector{host(1, 2, 1, 0), host(1, 2, 1, 1)};
  };
  CHECK(at(0) == std::vector{1.0f, 0.5f});
  CHECK(at(1) == std::vector{3.0f, 0.5f});
  CHECK(at(4) == std::vector{9.0f, 0.5f});
}

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

/// The gradient of log p(k | x_t), of which of a mixture's Gaussians a picture comes from.
struct WhichGaussian {
  int k;
  std::function<NoiseLevel(float)> level;
  Mixture mixture{};

  void operator()(Host const& exec, Images<Host> const& x, std::span<float const> timesteps,
                  Images<Host> const& gradient) const {
    exec.fence();
    auto const l = level(timesteps[0]);
    double const deviation = mixture.deviation[k],
                 variance = l.alpha * l.alpha * deviation * deviation + l.sigma * l.sigma;
    for (std::size_t i = 0; i < x.size(); ++i) {
      double const at = x.data()[i];
      gradient.data()[i] = float((l.alpha * mixture.mean[k] - at) / variance + mixture.eps(at, l) / l.sigma);
    }
  }
};

}  // namespace

TEST_CASE("a perfect classifier makes every sampler draw from its class") {
  auto const level = [](float t) { return ContinuousCosine::level(t / 1000.0); };
  ContinuousDiffusion<ContinuousCosine, V> const diffusion(200);
  for (int const k : {0, 1})
    for_each_sampler([&](std::string const& name, bool, auto const& sample) {
      CAPTURE(name);
      CAPTURE(k);
      ClassifierGuidance model(Host(), MixtureDenoiser<V>{level}, WhichGaussian{k, level}, 1);
      Images<Host> const x("x", 1, 32, 32, 1);
      sample(Host(), diffusion, model, x, SeededNoise{1}, false, NoProgress{});
      auto const found = moments(x);
      Mixture const expected;
      CHECK(std::abs(found.mean - expected.mean[k]) < 0.03);
      CHECK(std::abs(std::sqrt(found.variance) / expected.deviation[k] - 1) < 0.1);
    });
}

TEST_CASE("one guided step in full") {
  Host const exec;
  Images<Host> const x("x", 1, 1, 1, 1);
  double const scale = 1.5, gradient = 0.4;
  auto const source = [&](Host const&, Images<Host> const&, std::span<float const>, Images<Host> const& out) {
    Kokkos::deep_copy(out, float(gradient));
  };
  struct Ones {
    void start(Host const&, Images<Host> const& images) { Kokkos::deep_copy(images, 2.0f); }
    void step(Host const&, int, Images<Host> const& images) { Kokkos::deep_copy(images, 1.0f); }
  };
  std::vector<float> visited;
  auto const visit = [&](int, int, auto const& images) { visited.push_back(images(0, 0, 0, 0)); };

  SUBCASE("ancestral: the mean moves by variance * gradient, at the last step too") {
    using D = Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>;
    D const diffusion = D().respaced("2");
    auto const net = [](Host const&, Images<Host> const&, std::span<float const>, Images<Host> const& out) {
      out(0, 0, 0, 0) = 1.5f;
      out(0, 0, 0, 1) = -0.5f;
    };
    ClassifierGuidance model(exec, net, source, scale);
    static_assert(GuidedDenoiser<decltype(model), Host>);
    ddpm_sample(exec, diffusion, model, x, Ones{}, {}, visit);
    double expected = 2;
    for (int t : {1, 0}) {
      auto const l = diffusion.level(t);
      double const x0 = std::clamp((expected - l.sigma * 1.5) / l.alpha, -1.0, 1.0);
      double const variance =
          std::exp(0.25 * std::log(diffusion.beta(t)) + 0.75 * diffusion.log_variance_small(t));
      expected = diffusion.posterior_mean_x0(t) * x0 + diffusion.posterior_mean_x(t) * expected +
                 variance * scale * gradient + (t > 0 ? std::sqrt(variance) : 0);
      CHECK(visited[1 - t] == doctest::Approx(expected).epsilon(1e-5));
    }
  }
  SUBCASE("DDIM: eps moves behind the clipping, and x_0 with it") {
    Diffusion<LinearSchedule<1000>> const full;
    auto const diffusion = full.respaced("2");
    auto const net = [](Host const&, Images<Host> const&, std::span<float const>, Images<Host> const& out) {
      out(0, 0, 0, 0) = -0.7f;
    };
    ClassifierGuidance model(exec, net, source, scale);
    ddim_sample(exec, diffusion, model, x, Ones{}, {}, visit);
    double expected = 2;
    for (int t : {1, 0}) {
      auto const l = diffusion.level(t);
      double const next = diffusion.alpha_bar_previous(t);
      double const clipped = std::clamp((expected + l.sigma * 0.7) / l.alpha, -1.0, 1.0);
      double const eps = (expected - l.alpha * clipped) / l.sigma - l.sigma * scale * gradient;
      double const x0 = (expected - l.sigma * eps) / l.alpha;
      expected = std::sqrt(next) * x0 + std::sqrt(1 - next) * eps;
      CHECK(visited[1 - t] == doctest::Approx(expected).epsilon(1e-5));
    }
  }
}

}  // namespace sampler_guidance_tests
