#include <glyphdiff/data/batches.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

namespace data_batches_tests {

using namespace glyphdiff;

TEST_CASE("every epoch has every image once, in another order") {
  BatchSampler sampler(10, 4, 1);
  std::set<std::vector<std::size_t>> orders;
  for (int epoch = 0; epoch < 20; ++epoch) {
    std::vector<std::size_t> order(10);
    for (int i = 0; i < 10; ++i) order[i] = sampler.image_at(epoch * 10 + i);
    orders.insert(order);
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < 10; ++i) CHECK(order[i] == i);
  }
  CHECK(orders.size() == 20);
}

TEST_CASE("a batch depends on the seed and its number alone") {
  BatchSampler forward(101, 32, 7), backward(101, 32, 7), other(101, 32, 8);
  std::vector<std::vector<std::size_t>> batches;
  for (std::uint64_t step = 0; step < 12; ++step) batches.push_back(forward.batch(step));
  for (std::uint64_t step = 12; step-- > 0;) CHECK(backward.batch(step) == batches[step]);
  CHECK(other.batch(0) != batches[0]);
  CHECK(BatchSampler(101, 32, 7).batch(11) == batches[11]);  // a resumed run
}

TEST_CASE("batches cut the sequence of positions without gaps") {
  BatchSampler sampler(7, 3, 3);
  std::vector<std::size_t> sequence;
  for (std::uint64_t step = 0; step < 7; ++step)
    for (std::size_t image : sampler.batch(step)) sequence.push_back(image);
  for (std::size_t i = 0; i < sequence.size(); ++i) CHECK(sequence[i] == sampler.image_at(i));
  for (std::size_t image = 0; image < 7; ++image)
    CHECK(std::count(sequence.begin(), sequence.end(), image) == 3);
}

TEST_CASE("fewer images than the batch: each as often as any other, to within one") {
  for (std::size_t count : {1u, 5u}) {
    std::vector<std::size_t> const batch = BatchSampler(count, 32, 1).batch(3);
    REQUIRE(batch.size() == 32);
    for (std::size_t image = 0; image < count; ++image) {
      auto const times = static_cast<std::size_t>(std::count(batch.begin(), batch.end(), image));
      CHECK(times >= 32 / count - 1);
      CHECK(times <= 32 / count + 2);
    }
  }
}

TEST_CASE("the permutations are uniform: all 24 of four images, chi-squared") {
  BatchSampler sampler(4, 4, 5);
  std::vector<int> times(256, 0);
  int const epochs = 4800;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    auto const order = sampler.batch(epoch);
    ++times[order[0] * 64 + order[1] * 16 + order[2] * 4 + order[3]];
  }
  double chi_squared = 0;
  int seen = 0;
  for (int t : times) {
    if (t == 0) continue;
    ++seen;
    chi_squared += (t - epochs / 24.0) * (t - epochs / 24.0) / (epochs / 24.0);
  }
  CHECK(seen == 24);
  CHECK(chi_squared < 49.7);  // 23 degrees of freedom, 1 in 1000
}

TEST_CASE("no images, no batch") {
  CHECK_THROWS_AS(BatchSampler(0, 4, 1), Error);
  CHECK_THROWS_AS(BatchSampler(4, 0, 1), Error);
}

}  // namespace data_batches_tests
