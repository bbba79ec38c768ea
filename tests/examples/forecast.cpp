#include "../../examples/forecast.hpp"

#include "../io/temporary_folder.hpp"

#include <doctest/doctest.h>

namespace examples_forecast_tests {

using namespace glyphdiff;

TEST_CASE("saves are counted from where a run goes on, with one at the end") {
  CHECK(saves_between(0, 2500, 500) == 5);
  CHECK(saves_between(0, 2600, 500) == 6);
  CHECK(saves_between(500, 2600, 500) == 5);
  CHECK(saves_between(499, 2500, 500) == 5);
  CHECK(saves_between(0, 20, 500) == 1);
  CHECK(saves_between(20, 20, 500) == 0);
  CHECK(saves_between(2500, 400, 500) == 0);
}

TEST_CASE("the updates of some minutes leave time for saves and for the end") {
  Forecast const forecast{.update = 0.5, .save = 10, .end = 60};
  RunPlan const plan = plan_within(10, forecast, 64, 0);
  CHECK(plan == RunPlan{10, 980, 196, 64, 0});  // 600 - 60 - 5 * 10
  CHECK(saves_between(0, plan.steps, plan.save_every) == 5);
  CHECK(forecast.seconds(plan.steps, 5) == doctest::Approx(600));  // which is what they take
  CHECK(plan_within(10, forecast, 64, 20).steps == 540);           // 0.5 + 10 / 20 each
  CHECK(plan_within(10, forecast, 64, 20).save_every == 20);
  CHECK(seconds_to_draw(0.6, 20, 100) == doctest::Approx(1));

  // Saves that would take all of it are fewer, and the last one always is.
  RunPlan const few = plan_within(10, {.update = 0.5, .save = 90}, 64, 0);
  CHECK(few == RunPlan{10, 840, 420, 64, 0});
  CHECK(plan_within(1, {.update = 0.5, .save = 90}, 64, 0) == RunPlan{1, 1, 1, 64, 0});
  CHECK(plan_within(1, {.update = 0.5}, 64, 0) == RunPlan{1, 120, 24, 64, 0});
}

TEST_CASE("the number that --minutes has chosen is kept, whatever the machine says when the run goes on") {
  TemporaryFolder const folder;
  std::FILE* const nowhere = std::fopen("/dev/null", "w");
  auto const choose = [&](double minutes, std::int64_t steps, bool resuming) {
    return plan_of_minutes(nowhere, folder.path(), minutes, resuming,
                           [&] {
                             return RunPlan{minutes, steps, 10, 64, 0};
                           })
        .steps;
  };
  CHECK(choose(3, 700, false) == 700);
  CHECK(choose(3, 200, true) == 700);
  CHECK_THROWS_AS(choose(4, 200, true), Error);
  CHECK(choose(4, 200, false) == 200);
  std::fclose(nowhere);
}

}  // namespace examples_forecast_tests
