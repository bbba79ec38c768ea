#include "../golden/golden.hpp"

#include <glyphdiff/schedule/linear.hpp>

#include <doctest/doctest.h>

#include <numeric>

namespace schedule_linear_tests {

using namespace glyphdiff;

namespace {

template <class Schedule>
void follows(char const* name) {
  auto const expected = golden::json("schedules.json")[name];
  auto const beta = Schedule::betas();
  REQUIRE(beta.size() == Schedule::steps);
  for (std::size_t i = 0; i < expected["t"].size(); ++i)
    CHECK(golden::near(beta[expected["t"][i]], expected["betas"][i], 1e-13));
  CHECK(golden::near(std::accumulate(beta.begin(), beta.end(), 0.0), expected["sum_betas"], 1e-12));
}

}  // namespace

TEST_CASE("the linear schedule") {
  follows<LinearSchedule<1000>>("linear1000");
  follows<LinearSchedule<4000>>("linear4000");
  CHECK(LinearSchedule<>::betas()[0] == 1e-4);
  CHECK(LinearSchedule<>::betas()[999] == 0.02);
}

}  // namespace schedule_linear_tests
