#include "../arenas.hpp"
#include "../golden/golden.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/kernels/random.hpp>
#include <glyphdiff/loss/training_loss.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>

#include <doctest/doctest.h>

#include <functional>

namespace loss_training_loss_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

/// Images in [-1, 1], noise, and an output near the target.
template <class Exec, class D>
struct Batch {
  static constexpr int channels = 3, size = 15;
  std::vector<typename D::Time> times;
  Images<Exec> x0, eps, output, gradient;
  Images<Exec> none;

  Batch(D const& diffusion, std::vector<typename D::Time> t, float error) : times(std::move(t)) {
    int const n = int(times.size()), out = D::Variance::learned ? 2 * channels : channels;
    HostImages const a("x0", n, size, size, channels), e("eps", n, size, size, channels),
        o("output", n, size, size, out);
    std::uint64_t index = 0;
    for (int i = 0; i < n; ++i) {
      Mix const target = D::Prediction::target(diffusion.level(times[i]));
      for (int h = 0; h < size; ++h)
        for (int w = 0; w < size; ++w)
          for (int c = 0; c < channels; ++c) {
            auto const r = normal4({3}, index++);
            float const level = std::round(std::clamp(r[0], -1.0f, 1.0f) * 127.5f + 127.5f) / 127.5f - 1;
            a(i, h, w, c) = level;
            e(i, h, w, c) = r[1];
            o(i, h, w, c) = float(target.first * level + target.second * r[1]) + error * r[2];
            if (D::Variance::learned) o(i, h, w, channels + c) = 0.8f * r[3];
          }
    }
    x0 = golden::to_device<Exec>(a);
    eps = golden::to_device<Exec>(e);
    output = golden::to_device<Exec>(o);
    gradient = Images<Exec>("gradient", n, size, size, out);
    Kokkos::deep_copy(gradient, 1e30f);  // must be overwritten
  }

  template <class Objective>
  LossReport loss(D const& diffusion, std::vector<double> const& weights = {}) {
    return training_loss<Objective>(Exec(), diffusion, times, weights, x0, eps, output, gradient);
  }
};

/// Central differences of the trained loss by some elements of the output, against the gradient. With the
/// mean detached, the loss by the prediction is the squared error alone.
template <class Objective, class D>
void check_gradient(D const& diffusion, std::vector<typename D::Time> times, float error) {
  Batch<Host, D> batch(diffusion, std::move(times), error);
  std::vector<double> weights(batch.times.size());
  for (std::size_t n = 0; n < weights.size(); ++n) weights[n] = 0.3 + 0.4 * n;
  batch.template loss<Objective>(diffusion, weights);
  auto const gradient = golden::to_host(batch.gradient);
  double largest = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i)
    largest = std::max(largest, double(std::abs(gradient.data()[i])));
  CHECK(largest > 0);

  // Differences of one pixel's loss: all others are switched off through a batch of one pixel.
  for (int n = 0; n < int(weights.size()); ++n)
    for (int element = 0; element < 12; ++element) {
      int const h = (element * 7) % 15, w = (element * 4 + n) % 15;
      for (int c = 0; c < int(gradient.extent(3)); ++c) {
        CAPTURE(n);
        CAPTURE(c);
        bool const variance = c >= 3;
        auto const at = [&](float step) {
          Images<Host> const x0("x0", 1, 1, 1, 3), eps("eps", 1, 1, 1, 3),
              out("out", 1, 1, 1, gradient.extent(3)), none;
          for (int k = 0; k < int(gradient.extent(3)); ++k) {
            if (k < 3) x0(0, 0, 0, k) = batch.x0(n, h, w, k), eps(0, 0, 0, k) = batch.eps(n, h, w, k);
            out(0, 0, 0, k) = batch.output(n, h, w, k) + (k == c ? step : 0.0f);
          }
          std::vector<typename D::Time> const time{batch.times[n]};
          auto const report = training_loss<Objective>(Host(), diffusion, time, {}, x0, eps, out, none);
          double const loss = Objective::squared_error && !variance ? report.mse[0] : report.total[0];
          return loss * weights[n] / (15 * 15);
        };
        float const step = 1e-3f;
        float const up = (batch.output(n, h, w, c) + step) - batch.output(n, h, w, c);
        float const down = (batch.output(n, h, w, c) - step) - batch.output(n, h, w, c);
        double const numeric = (at(step) - at(-step)) / (double(up) - down);
        CHECK(std::abs(numeric - gradient(n, h, w, c)) < 2e-3 * std::abs(numeric) + 1e-4 * largest);
      }
    }
}

template <class P, class S>
using Learned = Diffusion<S, P, LearnedRange>;

double normal_density(double x, double mean, double log_variance) {
  return std::exp(-0.5 * ((x - mean) * (x - mean) * std::exp(-log_variance) + log_variance)) /
         std::sqrt(2 * M_PI);
}

}  // namespace

TEST_CASE_TEMPLATE("mean squared error of a known error", Exec, GLYPHDIFF_TEST_SPACES) {
  Diffusion<CosineSchedule<1000>> const diffusion;
  Batch<Exec, Diffusion<CosineSchedule<1000>>> batch(diffusion, {5, 500, 999}, 0.0f);
  auto const host = golden::to_host(batch.output);
  for (int i = 0; i < 15 * 15 * 3; ++i) host.data()[i] += 0.5f;
  Kokkos::deep_copy(batch.output, host);
  auto const report = batch.template loss<Mse>(diffusion);
  CHECK(report.mse[0] == doctest::Approx(0.25).epsilon(1e-6));
  CHECK(report.mse[1] == doctest::Approx(0).epsilon(1e-6));
  CHECK(report.vb == std::vector<double>(3));
  CHECK(report.total == report.mse);
  auto const gradient = golden::to_host(batch.gradient);
  CHECK(gradient(0, 3, 4, 1) == doctest::Approx(2 * 0.5 / (15 * 15 * 3) / 3).epsilon(1e-5));
  CHECK(gradient(2, 3, 4, 1) == doctest::Approx(0).epsilon(1e-6));
}

TEST_CASE("gradients of the losses: finite differences") {
  SUBCASE("epsilon, mean squared error") {
    check_gradient<Mse>(Diffusion<LinearSchedule<1000>>(), {0, 100, 999}, 0.3f);
  }
  SUBCASE("x0") { check_gradient<Mse>(Diffusion<CosineSchedule<1000>, X0>(), {0, 100, 999}, 0.3f); }
  SUBCASE("v, continuous") {
    check_gradient<Mse>(ContinuousDiffusion<ContinuousCosine, V>(), {0.001, 0.4, 0.999}, 0.3f);
  }
  SUBCASE("hybrid") {
    check_gradient<RescaledMse>(Learned<Epsilon, LinearSchedule<1000>>(), {0, 1, 100, 999}, 0.3f);
  }
  SUBCASE("hybrid, another T") {
    check_gradient<RescaledMse>(Learned<Epsilon, CosineSchedule<4000>>(), {0, 1, 100, 3999}, 0.3f);
  }
  SUBCASE("hybrid v") { check_gradient<Mse>(Learned<V, CosineSchedule<100>>(), {0, 1, 50, 99}, 0.1f); }
  SUBCASE("bound") { check_gradient<Kl>(Learned<Epsilon, LinearSchedule<1000>>(), {0, 1, 100, 999}, 0.3f); }
  SUBCASE("bound, fixed variance") {
    check_gradient<RescaledKl>(Diffusion<LinearSchedule<1000>, V, FixedSmall>(), {0, 1, 100, 999}, 0.1f);
  }
  SUBCASE("bound, x0") {
    check_gradient<RescaledKl>(Learned<X0, CosineSchedule<100>>(), {0, 1, 50, 99}, 0.05f);
  }
}

TEST_CASE("the terms of the bound are integrals") {
  SUBCASE("divergence") {
    float const offset = 0.07f, log_true = -4.1f, log_variance = -3.6f;
    double integral = 0;
    for (int i = 0; i < 40000; ++i) {
      double const x = -2 + 4 * (i + 0.5) / 40000;
      double const p = normal_density(x, offset, log_true), q = normal_density(x, 0, log_variance);
      if (p > 1e-300) integral += p * std::log(p / q) * 4 / 40000;
    }
    auto const term = kernels::gaussian_kl(offset, log_true, log_variance);
    CHECK(term.nats == doctest::Approx(integral).epsilon(1e-6));
    CHECK(kernels::gaussian_kl(0, -4.0f, -4.0f).nats == 0);
  }
  SUBCASE("likelihood of an image level") {
    for (float const mean : {0.1f, 0.13f, -0.95f})
      for (float const log_variance : {-9.2f, -7.0f, -4.0f})
        for (float const level : {23.0f, 30.0f, -120.5f, -127.5f, 127.5f}) {
          double const x0 = level / 127.5;
          double integral = 0;
          double const deviation = std::exp(0.5 * log_variance);
          double const from = level == -127.5f ? mean - 12 * deviation : x0 - 1 / 255.0;
          double const to = level == 127.5f ? mean + 12 * deviation : x0 + 1 / 255.0;
          for (int i = 0; i < 20000; ++i)
            integral += normal_density(from + (to - from) * (i + 0.5) / 20000, mean, log_variance) *
                        (to - from) / 20000;
          if (integral < 1e-3) continue;  // the approximation by tanh is good to 1e-3 of the whole
          auto const term = kernels::discretised_gaussian(float(x0), float(x0) - mean, log_variance);
          CHECK(std::exp(-term.nats) == doctest::Approx(integral).epsilon(2e-3));
        }
    // The levels' probabilities sum to one.
    double sum = 0;
    for (int level = 0; level < 256; ++level) {
      float const x0 = level / 127.5f - 1;
      sum += std::exp(-kernels::discretised_gaussian(x0, x0 - 0.3f, -3.0f).nats);
    }
    CHECK(sum == doctest::Approx(1).epsilon(1e-4));
    CHECK(kernels::discretised_gaussian(0, 0.9f, -9.0f).nats == doctest::Approx(12 * std::log(10)));
    CHECK(kernels::discretised_gaussian(0, 0.9f, -9.0f).d_mean == 0);
  }
}

TEST_CASE("how objectives scale the bound") {
  using D = Learned<Epsilon, CosineSchedule<4000>>;
  D const diffusion;
  Batch<Host, D> batch(diffusion, {0, 2000}, 0.2f);
  auto const hybrid = batch.loss<Mse>(diffusion), rescaled = batch.loss<RescaledMse>(diffusion);
  auto const bound = batch.loss<Kl>(diffusion), whole = batch.loss<RescaledKl>(diffusion);
  for (int n = 0; n < 2; ++n) {
    CHECK(hybrid.mse[n] == doctest::Approx(0.04).epsilon(0.1));
    CHECK(hybrid.total[n] == hybrid.mse[n] + hybrid.vb[n]);
    CHECK(rescaled.vb[n] == doctest::Approx(4 * hybrid.vb[n]));
    CHECK(bound.vb[n] == hybrid.vb[n]);
    CHECK(bound.total[n] == bound.vb[n]);
    CHECK(whole.total[n] == doctest::Approx(4000 * hybrid.vb[n]));
  }
}

TEST_CASE_TEMPLATE("losses and gradients don't depend on the execution space, and weights split a batch",
                   Exec, GLYPHDIFF_TEST_SPACES) {
  using D = Learned<Epsilon, LinearSchedule<1000>>;
  D const diffusion;
  Batch<Host, D> host(diffusion, {0, 7, 600}, 0.2f);
  Batch<Exec, D> batch(diffusion, {0, 7, 600}, 0.2f);
  auto const expected = host.loss<Mse>(diffusion), report = batch.template loss<Mse>(diffusion);
  for (int n = 0; n < 3; ++n) {
    CHECK(report.mse[n] == doctest::Approx(expected.mse[n]).epsilon(1e-6));
    CHECK(report.vb[n] == doctest::Approx(expected.vb[n]).epsilon(1e-5));
  }
  auto const all = golden::from_images(host.gradient);
  CHECK(golden::relative_difference(golden::from_images(batch.gradient), all) < 1e-5);
  batch.template loss<Mse>(diffusion, {1.0 / 3, 1.0 / 3, 1.0 / 3});
  CHECK(golden::relative_difference(golden::from_images(batch.gradient), all) < 1e-5);
}

TEST_CASE("a wrong number of output channels is an error") {
  Diffusion<LinearSchedule<1000>> const diffusion;
  Images<Host> const image("image", 1, 2, 2, 3), output("output", 1, 2, 2, 6);
  std::vector<int> const times{1};
  CHECK_THROWS_WITH(training_loss<Mse>(Host(), diffusion, times, {}, image, image, output, output),
                    "loss: expected an output of 3 channels, found 6 channels");
}

}  // namespace loss_training_loss_tests
