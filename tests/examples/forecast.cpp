#include "../../examples/forecast.hpp"

#include "../io/temporary_folder.hpp"

#include <doctest/doctest.h>

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
  CHECK(steps_within(10, forecast, 0) == 980);              // 600 - 60 - 5 * 10
  CHECK(steps_within(10, forecast, 0, 7) == 940);           // 7 saves
  CHECK(steps_within(10, forecast, 20) == 540);             // 0.5 + 10 / 20 each
  CHECK(forecast.seconds(980, 5) == doctest::Approx(600));  // which is what they take
  CHECK(seconds_to_draw(0.6, 20, 100) == doctest::Approx(1));
}

TEST_CASE("the number that --minutes has chosen is kept, whatever the machine says when the run goes on") {
  TemporaryFolder const folder;
  std::FILE* const nowhere = std::fopen("/dev/null", "w");
  CHECK(steps_of_minutes(nowhere, folder.path(), 3, 64, false, [] { return 700; }) == 700);
  CHECK(steps_of_minutes(nowhere, folder.path(), 3, 64, true, [] { return 200; }) == 700);
  CHECK_THROWS_AS(steps_of_minutes(nowhere, folder.path(), 4, 64, true, [] { return 200; }), Error);
  CHECK(steps_of_minutes(nowhere, folder.path(), 4, 64, false, [] { return 200; }) == 200);
  std::fclose(nowhere);
}
