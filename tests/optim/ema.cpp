#include "../arenas.hpp"
#include "../io/temporary_folder.hpp"

#include <glyphdiff/optim/adamw.hpp>
#include <glyphdiff/optim/ema.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <string>

namespace optim_ema_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

TEST_CASE("the warm-up begins low and ends at the rate") {
  CHECK(ema_rate(0.999, 0, true) == doctest::Approx(0.1));
  CHECK(ema_rate(0.999, 90, true) == doctest::Approx(0.91));
  CHECK(ema_rate(0.999, 1000000, true) == 0.999);
  CHECK(ema_rate(0.05, 0, true) == 0.05);
  CHECK(ema_rate(0.999, 0, false) == 0.999);
}

TEST_CASE_TEMPLATE("an average starts at the parameters and approaches them", Exec, GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  auto const p = to_space<Exec>(std::vector<float>(19, 1.0f));
  Ema<Exec> const ema(exec, p, {0.75}, /*warm_up=*/false);
  auto const& average = ema.averages()[0].values;
  CHECK(to_host(average) == std::vector<float>(19, 1.0f));

  Kokkos::deep_copy(p, 5.0f);
  ema.update(exec, p, 0);
  CHECK(to_host(average) == std::vector<float>(19, 2.0f));
  ema.update(exec, p, 1);
  CHECK(to_host(average) == std::vector<float>(19, 2.75f));
}

TEST_CASE_TEMPLATE("with warm-up little of the initial weights is left after twenty steps", Exec,
                   GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  auto const p = to_space<Exec>(std::vector<float>(3, 1.0f));
  Ema<Exec> const warm(exec, p, {0.9999}), cold(exec, p, {0.9999}, /*warm_up=*/false);
  Kokkos::deep_copy(p, 0.0f);
  for (int step = 0; step < 20; ++step) {
    warm.update(exec, p, step);
    cold.update(exec, p, step);
  }
  CHECK(to_host(warm.averages()[0].values)[0] < 1e-6f);
  CHECK(to_host(cold.averages()[0].values)[0] > 0.997f);
}

TEST_CASE_TEMPLATE("averages on disk have the bits of those in memory", Exec, GLYPHDIFF_HOST_SPACES) {
  TemporaryFolder const folder;
  Exec const exec;
  std::size_t const count = (1 << 20) + 4099;  // more than one piece
  std::vector<double> const rates{0.1, 0.5, 0.9, 0.99, 0.999}, widths{0.05, 0.1};
  auto const p = to_space<Exec>(scattered(count, 1)), q = to_space<Exec>(scattered(count, 1));
  Ema<Exec> const memory(exec, p, rates, true, widths);
  Ema<Exec> const disk(exec, q, rates, true, widths, folder.path().string());
  CHECK(!memory.on_disk());
  CHECK(disk.on_disk());
  AdamW<Exec> first{std::int64_t(count)}, second{std::int64_t(count)};
  for (unsigned step = 0; step < 3; ++step) {
    first.update(exec, p, to_space<Exec>(scattered(count, 10 + step)), 1e-2, memory);
    second.update(exec, q, to_space<Exec>(scattered(count, 10 + step)), 1e-2, disk);
  }
  REQUIRE(disk.averages().size() == 7);
  for (std::size_t k = 0; k < 7; ++k) {
    CAPTURE(k);
    REQUIRE(to_host(disk.averages()[k].values) == to_host(memory.averages()[k].values));
    CHECK(disk.averages()[k].rate == memory.averages()[k].rate);
    CHECK(disk.averages()[k].width == memory.averages()[k].width);
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

#if !defined(__SANITIZE_ADDRESS__)  // which shadows what is used
TEST_CASE("averages on disk take no main memory, not even while they begin or move") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  auto const status = [](char const* key) {  // MB
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);)
      if (line.starts_with(key)) return std::stod(line.substr(std::string(key).size())) / 1e3;
    return -1.0;
  };
  // Makes the peak start anew, where the system lets a program do that.
  if (!(std::ofstream("/proc/self/clear_refs") << 5 << std::flush) || status("VmHWM:") < 0) {
    MESSAGE("skipped: the peak of the resident memory cannot be read here");
    return;
  }
  TemporaryFolder const folder;
  Exec const exec;
  std::size_t const count = 16 << 20;  // 67 MB
  Arena<Exec> const p("p", count);
  Kokkos::deep_copy(p, 1.0f);
  std::ofstream("/proc/self/clear_refs") << 5 << std::flush;
  double const before = status("VmHWM:");
  Ema<Exec> const ema(exec, p, {0.9, 0.99, 0.999}, true, {}, folder.path().string());
  for (int step = 0; step < 2; ++step) ema.update(exec, p, step);
  CHECK(status("VmHWM:") - before < 30);
  CHECK(to_host(ema.averages()[0].values)[count - 1] == 1.0f);
  double const read = status("VmRSS:");
  ema.release();
  CHECK(read - status("VmRSS:") > 50);
}
#endif

TEST_CASE("a folder that cannot hold averages is refused") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  Arena<Exec> const p("p", 3);
  CHECK_THROWS_WITH_AS(Ema<Exec>(Exec(), p, {0.5}, true, {}, "/nowhere"),
                       "/nowhere: expected a folder to write to, found No such file or directory", Error);
}

TEST_CASE("rates that make no average are refused") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  Arena<Exec> const p("p", 3);
  CHECK_THROWS_WITH_AS(Ema<Exec>(Exec(), p, {1.0}),
                       "The rate of a moving average must be at least 0 and below 1, not 1.", Error);
  CHECK_THROWS_AS(Ema<Exec>(Exec(), p, {-0.5}), Error);
  CHECK_THROWS_WITH_AS(Ema<Exec>(Exec(), p, {0.5, 0.9, 0.5}),
                       "The moving averages must differ in rate, but 0.5 is given twice.", Error);
}

}  // namespace optim_ema_tests
