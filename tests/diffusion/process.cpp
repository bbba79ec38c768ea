#include "../arenas.hpp"
#include "../golden/golden.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/diffusion/process.hpp>
#include <glyphdiff/kernels/random.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/cosine.hpp>

#include <doctest/doctest.h>

namespace diffusion_process_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

namespace {

template <class Exec>
Images<Exec> normal_images(int n, int size, int channels, std::uint64_t seed) {
  Images<Exec> const images("images", n, size, size, channels);
  kernels::fill_normal(Exec(), images.data(), n, size * size * channels, {seed});
  return images;
}

}  // namespace

TEST_CASE_TEMPLATE("noise each sample to its own level, and estimate back", Exec, GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  Diffusion<CosineSchedule<1000>, V> const diffusion;
  std::vector<int> const times{0, 400, 990};
  int const size = 37;
  auto const x0 = normal_images<Exec>(3, size, 2, 1), eps = normal_images<Exec>(3, size, 2, 2);
  auto const x_t = normal_images<Exec>(3, size, 2, 3), target = normal_images<Exec>(3, size, 2, 4);
  q_sample(exec, diffusion, times, x0, eps, x_t);
  prediction_target(exec, diffusion, times, x0, eps, target);

  auto const a = golden::to_host(x0), b = golden::to_host(eps), x = golden::to_host(x_t),
             v = golden::to_host(target);
  for (int n = 0; n < 3; ++n) {
    auto const level = diffusion.level(times[n]);
    for (int i : {0, 17, size - 1}) {
      CHECK(x(n, i, 5, 1) == doctest::Approx(level.alpha * a(n, i, 5, 1) + level.sigma * b(n, i, 5, 1)));
      CHECK(v(n, 5, i, 0) == doctest::Approx(level.alpha * b(n, 5, i, 0) - level.sigma * a(n, 5, i, 0)));
    }
  }

  SUBCASE("the estimates skip further channels of the output") {
    HostImages const wide("wide", 3, size, size, 4);
    for (int n = 0; n < 3; ++n)
      for (int h = 0; h < size; ++h)
        for (int w = 0; w < size; ++w)
          for (int c = 0; c < 4; ++c) wide(n, h, w, c) = c < 2 ? v(n, h, w, c) : 1e9f;
    auto const output = golden::to_device<Exec>(wide);
    auto const estimate = normal_images<Exec>(3, size, 2, 5);
    predict_x0(exec, diffusion, times, x_t, output, estimate);
    CHECK(golden::relative_difference(golden::from_images(estimate), golden::from_images(x0)) < 1e-6);
    predict_eps(exec, diffusion, times, x_t, output, estimate);
    CHECK(golden::relative_difference(golden::from_images(estimate), golden::from_images(eps)) < 1e-6);
    predict_x0(exec, diffusion, times, x_t, output, estimate, 1.0f);
    auto const clipped = golden::to_host(estimate);
    for (int h = 0; h < size; ++h)
      CHECK(clipped(1, h, 3, 1) == doctest::Approx(std::clamp(a(1, h, 3, 1), -1.0f, 1.0f)).epsilon(1e-5));
  }

  SUBCASE("the posterior's mean") {
    auto const mean = normal_images<Exec>(3, size, 2, 6);
    posterior_mean(exec, diffusion, times, x0, x_t, mean);
    CHECK(golden::to_host(mean)(0, 1, 2, 1) == doctest::Approx(a(0, 1, 2, 1)));
    CHECK(golden::to_host(mean)(1, 1, 2, 1) ==
          doctest::Approx(diffusion.posterior_mean_x0(400) * a(1, 1, 2, 1) +
                          diffusion.posterior_mean_x(400) * x(1, 1, 2, 1)));
  }

  SUBCASE("in place") {
    q_sample(exec, diffusion, times, x0, eps, x0);
    CHECK(golden::from_images(x0).values == golden::from_images(x_t).values);
  }
}

TEST_CASE("continuous time") {
  Kokkos::DefaultHostExecutionSpace const exec;
  using Exec = Kokkos::DefaultHostExecutionSpace;
  ContinuousDiffusion<ContinuousCosine, V> const diffusion;
  std::vector<double> const times{0.25, 1.0 / 3};
  auto const x0 = normal_images<Exec>(2, 4, 1, 1), eps = normal_images<Exec>(2, 4, 1, 2);
  auto const x_t = normal_images<Exec>(2, 4, 1, 3);
  q_sample(exec, diffusion, times, x0, eps, x_t);
  CHECK(x_t(1, 2, 3, 0) == doctest::Approx(std::sqrt(0.75) * x0(1, 2, 3, 0) + 0.5 * eps(1, 2, 3, 0)));
  CHECK(network_timesteps(diffusion, std::span<double const>(times)) ==
        std::vector{250.0f, float(1000.0 / 3)});
}

}  // namespace diffusion_process_tests
