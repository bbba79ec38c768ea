#include <glyphdiff/train/forecast.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace train_forecast_tests {

using namespace glyphdiff;

TEST_CASE("quick work is timed by the median of several calls after a first one, slow work by one") {
  double time = 0;
  std::vector<double> const takes{0.5, 0.1, 0.3, 0.1, 0.1, 0.1};
  std::size_t calls = 0;
  auto const now = [&] { return time; };
  auto const work = [&] { time += takes.at(calls++); };
  CHECK(seconds_of(work, 0.95, now) == doctest::Approx(0.1));
  CHECK(calls == 4);  // 0.5, then 0.1, 0.3 and 0.1

  calls = 0, time = 0;
  CHECK(seconds_of(work, 0.5, now) == doctest::Approx(0.5));
  CHECK(calls == 1);

  calls = 0;  // many times at most
  CHECK(seconds_of([&] { ++calls, time += 1e-9; }, 1.0, now) == doctest::Approx(1e-9).epsilon(0.5));
  CHECK(calls == 16);
}

TEST_CASE("the updates that fit are counted after all else, and there is one at least") {
  CHECK(updates_within(600, 0.25, 100) == 2000);
  CHECK(updates_within(600, 0.7, 0) == 857);
  CHECK(updates_within(60, 0.25, 100) == 1);
  CHECK(updates_within(1, 5, 0) == 1);
}

TEST_CASE("durations and sizes are said in a unit that suits them") {
  CHECK(duration_text(0.2) == "1 seconds");
  CHECK(duration_text(42) == "42 seconds");
  CHECK(duration_text(600) == "10 minutes");
  CHECK(duration_text(5400) == "1.5 hours");
  CHECK(duration_text(86400 * 7.5) == "7.5 days");
  CHECK(bytes_text(1) == "1 MB");
  CHECK(bytes_text(42e6) == "42 MB");
  CHECK(bytes_text(1.25e9) == "1.2 GB");
}

}  // namespace train_forecast_tests
