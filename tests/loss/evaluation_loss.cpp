#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/loss/evaluation_loss.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/cosine.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace loss_evaluation_loss_tests {

using namespace glyphdiff;

namespace {

using Exec = Kokkos::DefaultHostExecutionSpace;

HostImages ramp(int count, int size) {
  HostImages const images("images", count, size, size, 1);
  for (int i = 0; i < count * size * size; ++i) images.data()[i] = std::sin(0.37f * float(i));
  return images;
}

/// Always answers `value`, and remembers the timesteps that it was asked for.
struct Constant {
  float value;
  std::vector<float>* asked;
  void operator()(Exec const& exec, Images<Exec> const&, std::span<float const> timesteps,
                  Images<Exec> const& output) const {
    if (asked != nullptr) asked->insert(asked->end(), timesteps.begin(), timesteps.end());
    Kokkos::deep_copy(exec, output, value);
  }
};

}  // namespace

TEST_CASE("a network that always answers nothing has the loss of the noise itself") {
  // Of noise that is standard normal: mean square 1 within 5 standard deviations of a mean over 24,576.
  Diffusion<CosineSchedule<1000>> const diffusion;
  double const loss = evaluation_loss<Mse>(Exec(), diffusion, Constant{0, nullptr}, ramp(24, 16), 7, 4);
  CHECK(loss == doctest::Approx(1).epsilon(5 * std::sqrt(2.0 / 24576)));
  // And 1 more if it always answers 1, but for the mean of the noise.
  CHECK(evaluation_loss<Mse>(Exec(), diffusion, Constant{1, nullptr}, ramp(24, 16), 7, 4) ==
        doctest::Approx(2).epsilon(0.05));
}

TEST_CASE("times are spread over the process, noise is that of the seed, batches change nothing") {
  ContinuousDiffusion<ContinuousCosine, V> const diffusion(10);
  std::vector<float> asked;
  auto const loss = [&](int batch, std::uint64_t seed) {
    asked.clear();
    return evaluation_loss<Mse>(Exec(), diffusion, Constant{0.5, &asked}, ramp(20, 8), seed, 5, batch);
  };
  double const whole = loss(100, 1);
  std::vector<float> const times = asked;
  CHECK(loss(7, 1) == whole);
  CHECK(asked == times);
  CHECK(loss(100, 2) != whole);
  CHECK(asked == times);
  REQUIRE(times.size() == 100);
  CHECK(std::set<float>(times.begin(), times.end()).size() == 100);
  // No tenth of the time has fewer than 8 or more than 12 of the 100.
  auto const [least, most] = std::minmax_element(times.begin(), times.end());
  std::vector<int> tenths(10);
  for (float t : times) ++tenths[std::min(9, int(10 * (t - *least) / (*most - *least)))];
  for (int count : tenths) {
    CHECK(count >= 8);
    CHECK(count <= 12);
  }
}

TEST_CASE("no pictures have no loss") {
  Diffusion<CosineSchedule<1000>> const diffusion;
  CHECK_THROWS_AS(evaluation_loss<Mse>(Exec(), diffusion, Constant{0, nullptr}, HostImages(), 1), Error);
  CHECK_THROWS_AS(evaluation_loss<Mse>(Exec(), diffusion, Constant{0, nullptr}, ramp(1, 8), 1, 0), Error);
}

}  // namespace loss_evaluation_loss_tests
