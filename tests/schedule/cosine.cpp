#include "../golden/golden.hpp"

#include <glyphdiff/schedule/cosine.hpp>

#include <doctest/doctest.h>

#include <numeric>

namespace schedule_cosine_tests {

using namespace glyphdiff;

namespace {

template <class Schedule>
void follows(char const* name) {
  auto const expected = golden::json("schedules.json")[name];
  auto const beta = Schedule::betas();
  REQUIRE(beta.size() == Schedule::steps);
  for (std::size_t i = 0; i < expected["t"].size(); ++i)
    CHECK(golden::near(beta[expected["t"][i]], expected["betas"][i], 1e-12));
  CHECK(golden::near(std::accumulate(beta.begin(), beta.end(), 0.0), expected["sum_betas"], 1e-12));
}

}  // namespace

TEST_CASE("the cosine schedule") {
  follows<CosineSchedule<1000>>("cosine1000");
  follows<CosineSchedule<4000>>("cosine4000");
  CHECK(CosineSchedule<>::betas()[999] == 0.999);
}

}  // namespace schedule_cosine_tests
