// How fast each sampler's error falls with its step, on a mixture of Gaussians with the exact denoiser.
#include "../arenas.hpp"
#include "mixture.hpp"
#include "samplers.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/sampler/spacing.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>

#include <doctest/doctest.h>

#include <string>

namespace sampler_convergence_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

namespace {

using Exec = Kokkos::DefaultHostExecutionSpace;

NoiseLevel cosine_level(float t) { return ContinuousCosine::level(t / 1000.0); }

enum class Even { ratio, lambda };

/// Levels between two sigma / alpha that the error is measured over, away from the image, where it would be
/// that of the last step alone.
std::vector<double> levels(Even even, double from, double to, int steps) {
  std::vector<double> ratios;
  for (int i = 0; i <= steps; ++i) {
    double const part = double(i) / steps;
    ratios.push_back(even == Even::ratio ? (1 - part) * from + part * to
                                         : std::exp((1 - part) * std::log(from) + part * std::log(to)));
  }
  return ratios;
}

/// Starts spread over the noise of the first level.
struct Spread {
  void start(Exec const&, Images<Exec> const& x) const {
    for (int i = 0; i < int(x.size()); ++i) x.data()[i] = -1.5f + 3.0f * i / float(x.size() - 1);
  }
  void step(Exec const&, int, Images<Exec> const&) const {}
};

constexpr double from = 2.0, to = 0.25;

template <class Prediction, class Sample>
double error(Even even, int steps, Sample const& sample) {
  Exec const exec;
  ContinuousDiffusion<ContinuousCosine, Prediction> const diffusion;
  MixtureDenoiser<Prediction> const model{cosine_level};
  Images<Exec> const x("x", 25, 1, 1, 1), start("start", 25, 1, 1, 1);
  Spread().start(exec, start);
  sample(exec, spaced(diffusion, levels(even, from, to, steps)), model, x, Spread());
  double sum = 0;
  for (int i = 0; i < 25; ++i) sum += std::abs(x.data()[i] - Mixture().flow(start.data()[i], from, to));
  return sum / 25;
}

/// Halving the step divides the error by 2^order.
template <class Prediction = V, class Sample>
void check_order(std::string const& name, double order, Even even, int steps, Sample const& sample) {
  CAPTURE(name);
  double const coarse = error<Prediction>(even, steps, sample),
               fine = error<Prediction>(even, 2 * steps, sample);
  CAPTURE(coarse);
  CAPTURE(fine);
  CHECK(std::abs(std::log2(coarse / fine) - order) < 0.25);
}

}  // namespace

TEST_CASE("the flow of the reference is that of a single Gaussian where there is one") {
  Mixture const gaussian{{0.5, 0.5}, {0.1, 0.1}, {0.3, 0.3}};
  auto const a = NoiseLevel::of_ratio(from), b = NoiseLevel::of_ratio(to);
  auto const deviation = [](NoiseLevel l) { return std::sqrt(l.alpha * l.alpha * 0.09 + l.sigma * l.sigma); };
  double const expected = b.alpha * 0.1 + deviation(b) / deviation(a) * (0.7 - a.alpha * 0.1);
  CHECK(gaussian.flow(0.7, from, to) == doctest::Approx(expected).epsilon(1e-10));
}

TEST_CASE("orders of convergence") {
  auto const plms = [](int order, PlmsStart start) {
    return [=](auto const& exec, auto const& plan, auto const& model, auto const& x, auto const& noise) {
      plms_sample(exec, plan, model, x, noise, {.order = order, .start = start, .clip_x0 = false});
    };
  };
  auto const unipc = [](int order) {
    return [=](auto const& exec, auto const& plan, auto const& model, auto const& x, auto const& noise) {
      unipc_sample(exec, plan, model, x, noise, {.order = order, .clip_x0 = false});
    };
  };
  auto const ddim = [](auto const& exec, auto const& plan, auto const& model, auto const& x,
                       auto const& noise) { ddim_sample(exec, plan, model, x, noise, {.clip_x0 = false}); };
  auto const dpm = [](auto const& exec, auto const& plan, auto const& model, auto const& x,
                      auto const& noise) {
    dpm_solver_sample(exec, plan, model, x, noise, {.clip_x0 = false});
  };
  auto const euler = [](auto const& exec, auto const& plan, auto const& model, auto const& x,
                        auto const& noise) { euler_sample(exec, plan, model, x, noise, {.clip_x0 = false}); };
  auto const heun = [](auto const& exec, auto const& plan, auto const& model, auto const& x,
                       auto const& noise) { heun_sample(exec, plan, model, x, noise, {.clip_x0 = false}); };

  check_order("DDIM", 1, Even::ratio, 40, ddim);
  check_order("Euler", 1, Even::lambda, 40, euler);
  check_order("Heun", 2, Even::lambda, 20, heun);
  check_order<Epsilon>("Heun, eps", 2, Even::ratio, 20, heun);
  check_order("PLMS 1", 1, Even::ratio, 40, plms(1, PlmsStart::runge_kutta));
  check_order("PLMS 2", 2, Even::ratio, 40, plms(2, PlmsStart::runge_kutta));
  check_order("PLMS 3", 3, Even::ratio, 100, plms(3, PlmsStart::runge_kutta));
  check_order("PLMS 4", 4, Even::ratio, 60, plms(4, PlmsStart::runge_kutta));
  check_order<X0>("PLMS 4, x0", 4, Even::ratio, 60, plms(4, PlmsStart::runge_kutta));
  check_order("PLMS 2 from lower orders", 2, Even::ratio, 60, plms(2, PlmsStart::lower_orders));
  check_order("PLMS 4, uneven steps", 2, Even::lambda, 40, plms(4, PlmsStart::runge_kutta));
  check_order("DPM-Solver++ 2M", 2, Even::lambda, 40, dpm);
  check_order<X0>("DPM-Solver++ 2M, uneven steps", 2, Even::ratio, 40, dpm);
  check_order("UniPC 1", 2, Even::lambda, 20, unipc(1));
  check_order("UniPC 2", 3, Even::lambda, 20, unipc(2));
  check_order<Epsilon>("UniPC 2, uneven steps", 3, Even::ratio, 60, unipc(2));
  check_order("UniPC 3", 4, Even::lambda, 20, unipc(3));
}

namespace {

/// No noise for the first picture, a unit of it at the start for the second, at the first step for the third,
/// and so on: where all is linear that says what any noise does.
struct Impulses {
  double mean;
  void start(Exec const&, Images<Exec> const& x) const {
    for (int n = 0; n < int(x.size()); ++n) x.data()[n] = float(mean) + (n == 1 ? 1.0f : 0.0f);
  }
  void step(Exec const&, int number, Images<Exec> const& x) const {
    for (int n = 0; n < int(x.size()); ++n) x.data()[n] = n == number + 2 ? 1.0f : 0.0f;
  }
};

/// How far the mean and the variance of Gaussian data are from what they should be, without drawing anything.
template <class Variance = FixedSmall, class Sample>
Moments moment_errors(int steps, Sample const& sample) {
  Exec const exec;
  double const mean = 0.3, deviation = 0.4;
  auto const variance = [&](NoiseLevel l) {
    return l.alpha * l.alpha * deviation * deviation + l.sigma * l.sigma;
  };
  auto const a = NoiseLevel::of_ratio(from), b = NoiseLevel::of_ratio(to);
  ContinuousDiffusion<ContinuousCosine, V, Variance> const diffusion;
  GaussianDenoiser<Exec, V> const model{mean, deviation, cosine_level};
  Images<Exec> const x("x", steps + 2, 1, 1, 1);
  sample(exec, spaced(diffusion, levels(Even::lambda, from, to, steps)), model, x, Impulses{a.alpha * mean});
  auto const response = [&](int n) { return double(x.data()[n]) - x.data()[0]; };
  double found = variance(a) * response(1) * response(1);
  for (int n = 2; n < steps + 2; ++n) found += response(n) * response(n);
  return {std::abs(x.data()[0] - b.alpha * mean), std::abs(found - variance(b))};
}

template <class Variance = FixedSmall, class Sample>
void check_weak_order(std::string const& name, double order, int steps, Sample const& sample) {
  CAPTURE(name);
  auto const coarse = moment_errors<Variance>(steps, sample),
             fine = moment_errors<Variance>(2 * steps, sample);
  CAPTURE(coarse.mean);
  CAPTURE(fine.mean);
  CAPTURE(coarse.variance);
  CAPTURE(fine.variance);
  CHECK(std::abs(std::log2(coarse.variance / fine.variance) - order) < 0.25);
}

}  // namespace

TEST_CASE("weak orders of the samplers that draw noise") {
  auto const ddpm = [](auto const& exec, auto const& plan, auto const& model, auto const& x,
                       auto const& noise) { ddpm_sample(exec, plan, model, x, noise, {.clip_x0 = false}); };
  auto const ddim = [](auto const& exec, auto const& plan, auto const& model, auto const& x,
                       auto const& noise) {
    ddim_sample(exec, plan, model, x, noise, {.eta = 1, .clip_x0 = false});
  };
  auto const dpm = [](auto const& exec, auto const& plan, auto const& model, auto const& x,
                      auto const& noise) {
    dpm_solver_sample(exec, plan, model, x, noise, {.stochastic = true, .clip_x0 = false});
  };
  auto const euler = [](auto const& exec, auto const& plan, auto const& model, auto const& x,
                        auto const& noise) {
    euler_sample(exec, plan, model, x, noise, {.churn = 3, .clip_x0 = false});
  };
  auto const heun = [](auto const& exec, auto const& plan, auto const& model, auto const& x,
                       auto const& noise) {
    heun_sample(exec, plan, model, x, noise, {.churn = 3, .clip_x0 = false});
  };
  check_weak_order("DDPM", 1, 40, ddpm);
  check_weak_order<FixedLarge>("DDPM, large variance", 1, 40, ddpm);
  check_weak_order("DDIM, eta 1", 1, 40, ddim);
  check_weak_order("DPM-Solver++ 2M SDE", 2, 40, dpm);
  check_weak_order("Euler with churn", 1, 40, euler);
  check_weak_order("Heun with churn", 2, 20, heun);
}

}  // namespace sampler_convergence_tests
