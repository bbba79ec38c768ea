#include "../golden/golden.hpp"

#include <glyphdiff/schedule/respacing.hpp>

#include <doctest/doctest.h>

namespace schedule_respacing_tests {

using namespace glyphdiff;

TEST_CASE("respacing keeps the expected timesteps") {
  auto const schedules = golden::json("schedules.json");
  for (auto const& [respacing, kept] : schedules["respacing_of_1000"].items()) {
    CAPTURE(respacing);
    CHECK(respaced_timesteps(respacing, 1000) == kept.get<std::vector<int>>());
  }
  CHECK(respaced_timesteps("", 3) == std::vector{0, 1, 2});
  CHECK(respaced_timesteps("1", 1000) == std::vector{0});
  CHECK(respaced_timesteps("1,1", 5) == std::vector{0, 3});
}

TEST_CASE("impossible respacings are errors") {
  auto const schedules = golden::json("schedules.json");
  for (auto const& respacing : schedules["respacing_errors_of_1000"]) {
    CAPTURE(respacing);
    CHECK_THROWS_AS(respaced_timesteps(respacing.get<std::string>(), 1000), Error);
  }
  for (char const* respacing : {"ddim", "ddim0", "ddim-5", "ddim5x", "0", "-1", "5,", ",5", "5,,5", "a", "5 ",
                                "1e2", "99999999999999999999", "ddim99999999999999999999", "ddim1"}) {
    CAPTURE(respacing);
    CHECK_THROWS_AS(respaced_timesteps(respacing, 1000), Error);
  }
  int legal = 0;
  for (int n = 1; n <= 1000; ++n) {
    try {
      respaced_timesteps("ddim" + std::to_string(n), 1000);
      ++legal;
    } catch (Error const&) {
    }
  }
  CHECK(legal == 62);
  CHECK_THROWS_WITH(
      respaced_timesteps("600,600", 1000),
      "timestep respacing \"600,600\": expected at most 500 of the 500 timesteps in section 1, found 600");
}

}  // namespace schedule_respacing_tests
