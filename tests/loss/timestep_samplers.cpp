#include <glyphdiff/loss/timestep_samplers.hpp>

#include <doctest/doctest.h>

#include <numeric>

namespace loss_timestep_samplers_tests {

using namespace glyphdiff;

TEST_CASE("timesteps don't depend on microbatches, and change with seed and step") {
  auto const check = [](auto const& sampler) {
    auto const whole = sampler.draw(1, 2, {0, 10, 10});
    auto split = sampler.draw(1, 2, {0, 4, 10});
    auto const rest = sampler.draw(1, 2, {4, 6, 10});
    split.times.insert(split.times.end(), rest.times.begin(), rest.times.end());
    CHECK(whole.times == split.times);
    CHECK(whole.weights.size() == 10);
    CHECK(whole.times != sampler.draw(1, 3, {0, 10, 10}).times);
    CHECK(whole.times != sampler.draw(2, 2, {0, 10, 10}).times);
  };
  check(UniformTimesteps(1000));
  check(LossSecondMoment(1000));
  check(StratifiedTimesteps(true));
  check(StratifiedTimesteps(false));
}

TEST_CASE("uniform timesteps") {
  std::vector<int> histogram(8);
  for (int t : UniformTimesteps(8).draw(1, 0, {0, 80000, 80000}).times) ++histogram.at(t);
  for (int count : histogram) CHECK(std::abs(count - 10000) < 400);
  CHECK(UniformTimesteps(8).draw(1, 0, {0, 2, 2}).weights == std::vector{1.0, 1.0});
}

TEST_CASE("the loss history makes large losses likely and keeps the expectation") {
  LossSecondMoment sampler(4);
  std::vector<int> const times{0, 1, 2, 3};
  CHECK(sampler.probabilities() == std::vector{0.25, 0.25, 0.25, 0.25});
  for (int i = 0; i < 9; ++i) sampler.update(times, std::vector{100.0, 100.0, 100.0, 100.0});
  CHECK(sampler.probabilities()[0] == 0.25);
  for (int i = 0; i < 9; ++i) sampler.update(times, std::vector{1.0, 2.0, 3.0, 0.0});
  // Entries: one 100 is left, then nine of the newer.
  double const rms[] = {std::sqrt((1e4 + 9) / 10), std::sqrt((1e4 + 36) / 10), std::sqrt((1e4 + 81) / 10),
                        std::sqrt(1e3)};
  double const sum = rms[0] + rms[1] + rms[2] + rms[3];
  auto p = sampler.probabilities();
  for (int t : times) CHECK(p[t] == doctest::Approx(0.999 * rms[t] / sum + 0.001 / 4).epsilon(1e-12));
  sampler.update(times, std::vector{1.0, 2.0, 3.0, 0.0});
  p = sampler.probabilities();
  CHECK(p[3] == doctest::Approx(0.001 / 4).epsilon(1e-12));
  CHECK(std::accumulate(p.begin(), p.end(), 0.0) == doctest::Approx(1));

  auto const batch = sampler.draw(3, 0, {0, 60000, 60000});
  std::vector<double> counts(4), weights(4);
  for (std::size_t i = 0; i < batch.times.size(); ++i) {
    counts[batch.times[i]] += 1;
    weights[batch.times[i]] += batch.weights[i];
    REQUIRE(batch.weights[i] == doctest::Approx(1 / (4 * p[batch.times[i]])));
  }
  for (int t = 0; t < 3; ++t) {
    CHECK(counts[t] / 60000 == doctest::Approx(p[t]).epsilon(0.03));
    CHECK(weights[t] / 60000 == doctest::Approx(0.25).epsilon(0.05));
  }
}

TEST_CASE("a restored loss history continues the same") {
  LossSecondMoment a(3), b(3);
  for (int i = 0; i < 37; ++i) a.update(std::vector{i % 3}, std::vector{double(i * i % 11)});
  b.restore(a.history(), a.counts());
  for (int i = 0; i < 5; ++i) {
    a.update(std::vector{i % 3}, std::vector{double(i)});
    b.update(std::vector{i % 3}, std::vector{double(i)});
  }
  CHECK(a.history() == b.history());
  CHECK(a.probabilities() == b.probabilities());
  CHECK(a.draw(1, 9, {0, 50, 50}).times == b.draw(1, 9, {0, 50, 50}).times);
  CHECK_THROWS_AS(b.restore(a.history(), {1, 2}), Error);
  CHECK_THROWS_AS(b.restore({}, a.counts()), Error);
  CHECK_THROWS_AS(b.restore(a.history(), {1, 2, 11}), Error);
}

TEST_CASE("stratified times have one draw in each stratum") {
  for (bool shuffle : {false, true}) {
    auto times = StratifiedTimesteps(shuffle).draw(1, 2, {0, 64, 64}).times;
    CHECK(std::is_sorted(times.begin(), times.end()) == !shuffle);
    std::sort(times.begin(), times.end());
    double sum = 0;
    for (int i = 0; i < 64; ++i) {
      CHECK(times[i] > i / 64.0);
      CHECK(times[i] < (i + 1) / 64.0);
      sum += times[i] * 64 - i;
    }
    CHECK(sum / 64 == doctest::Approx(0.5).epsilon(0.2));
  }
}

}  // namespace loss_timestep_samplers_tests
