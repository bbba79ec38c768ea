#include "../arenas.hpp"
#include "../sampler/gaussian.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/loss/bits_per_dimension.hpp>
#include <glyphdiff/schedule/linear.hpp>

#include <doctest/doctest.h>

namespace loss_bits_per_dimension_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

namespace {

/// Draws of N(mean, deviation^2), rounded to the 256 levels.
template <class Exec>
Images<Exec> gaussian_levels(int n, double mean, double deviation, std::uint64_t first) {
  HostImages const host("x0", n, 16, 16, 1);
  for (int i = 0; i < n; ++i)
    for (int e = 0; e < 256; ++e) {
      double const x = mean + deviation * normal4({4}, random_index(first + i, e))[0];
      host.data()[i * 256 + e] = float(std::round(std::clamp(x, -1.0, 1.0) * 127.5 + 127.5) / 127.5 - 1);
    }
  Images<Exec> const images("x0", n, 16, 16, 1);
  Kokkos::deep_copy(images, host);
  return images;
}

}  // namespace

TEST_CASE_TEMPLATE("the bound for Gaussian data is near its entropy, and tight with many steps", Exec,
                   GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  double const mean = 0.1, deviation = 0.2;
  Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange> const full;
  auto const level = [=](float t) { return full.level(int(t)); };
  // A fraction of 1: beta, the right variance for Gaussian data and small steps.
  GaussianDenoiser<Exec, Epsilon> const model{mean, deviation, level, 1.0f};
  auto const x0 = gaussian_levels<Exec>(4, mean, deviation, 0);
  auto const bits = bits_per_dimension(exec, full.respaced("250"), model, x0, 7);
  REQUIRE(bits.terms.size() == 250);
  REQUIRE(bits.total.size() == 4);

  // Entropy of the Gaussian in bins of 2/255, in bits.
  double const entropy = std::log2(deviation * std::sqrt(2 * M_PI * M_E) / (2 / 255.0));
  double average = 0;
  for (int n = 0; n < 4; ++n) {
    double sum = bits.prior[n];
    for (auto const& term : bits.terms) sum += term[n];
    CHECK(bits.total[n] == doctest::Approx(sum));
    average += bits.total[n] / 4;
  }
  CHECK(average > entropy - 0.1);  // 1024 values: the standard error is 0.02
  CHECK(average < entropy + 0.25);
  CHECK(bits.prior[0] < 1e-4);

  SUBCASE("worse networks and coarser steps cost bits") {
    GaussianDenoiser<Exec, Epsilon> const wrong{mean - 0.3, deviation, level, 1.0f};
    CHECK(bits_per_dimension(exec, full.respaced("250"), wrong, x0, 7).total[0] > bits.total[0] + 0.1);
    CHECK(bits_per_dimension(exec, full.respaced("10"), model, x0, 7).total[0] > bits.total[0] + 0.1);
  }
  SUBCASE("an image's value depends on its number alone") {
    auto const third = gaussian_levels<Exec>(1, mean, deviation, 2);
    auto const alone = bits_per_dimension(exec, full.respaced("250"), model, third, 7, 2);
    CHECK(alone.total[0] == doctest::Approx(bits.total[2]).epsilon(1e-12));
  }
}

TEST_CASE("the prior term is the divergence from the standard normal") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  auto const diffusion = Diffusion<LinearSchedule<1000>>().respaced("ddim2");  // keeps 0 and 500
  Images<Exec> const x0("x0", 1, 2, 2, 1);
  Kokkos::deep_copy(x0, 0.5f);
  GaussianDenoiser<Exec, Epsilon> const model{0, 1, [=](float t) { return diffusion.level(t > 0); }};
  auto const bits = bits_per_dimension(Exec(), diffusion, model, x0, 1);
  double const abar = diffusion.alpha_bar(1), variance = 1 - abar;
  CHECK(abar > 0.05);
  CHECK(bits.prior[0] ==
        doctest::Approx(0.5 * (variance + abar * 0.25 - 1 - std::log(variance)) / std::log(2)).epsilon(1e-6));
}

}  // namespace loss_bits_per_dimension_tests
