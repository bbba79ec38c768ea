#include "temporary_folder.hpp"

#include <glyphdiff/io/metrics_log.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <optional>
#include <vector>

namespace io_metrics_log_tests {

using namespace glyphdiff;

TEST_CASE("figures survive the way through their file, up to the step that is asked for") {
  TemporaryFolder const folder;
  MetricsLog log;
  log.add(0, {{"coverage", 0.25}, {"copies", std::nan("")}});
  log.add(10, {{"held_out_loss", 0.5}});
  log.add(20, {{"coverage", 0.75}, {"copies", 0.125}});
  log.add(20, {{"coverage", 0.5}});  // measured anew
  log.save(folder.path());
  auto const bytes = read_file(folder / "metrics.csv");
  CHECK(std::string(bytes.begin(), bytes.end()) ==
        "step,coverage,copies,held_out_loss\n0,0.25,,\n10,,,0.5\n20,0.5,,\n");

  MetricsLog again;
  again.load(folder.path(), 10);
  PlotSeries const coverage = again.series("coverage", "c"), loss = again.series("held_out_loss", "l");
  CHECK(coverage.x == std::vector<double>{0});
  CHECK(coverage.y == std::vector<double>{0.25});
  CHECK(loss.x == std::vector<double>{10});
  CHECK(loss.y == std::vector<double>{0.5});
  again.load(folder / "nowhere", 10);
  CHECK(again.series("coverage", "c").x.size() == 1);
}

TEST_CASE("the best save has the lowest held-out loss and does not repeat the training letters") {
  MetricsLog log;
  CHECK(best_save(log) == std::nullopt);
  CHECK_FALSE(no_better(log));
  log.add(0, {{"coverage", 1}});
  CHECK(best_save(log) == std::nullopt);
  log.add(10, {{"held_out_loss", 0.5}, {"memorised", 0}});
  log.add(20, {{"held_out_loss", 0.3}, {"memorised", 1}});
  CHECK(best_save(log) == 10);
  log.add(30, {{"held_out_loss", 0.4}, {"memorised", 0}});
  log.add(40, {{"held_out_loss", 0.4}, {"memorised", 0}});
  CHECK(best_save(log) == 30);
  log.add(50, {{"held_out_loss", 0.45}});
  CHECK_FALSE(no_better(log));
  log.add(60, {{"held_out_loss", 0.41}});
  CHECK(no_better(log));
  CHECK_FALSE(no_better(log, 4));
  log.add(70, {{"held_out_loss", 0.2}});
  CHECK_FALSE(no_better(log));

  MetricsLog all_repeat;
  all_repeat.add(10, {{"held_out_loss", 0.3}, {"memorised", 1}});
  all_repeat.add(20, {{"held_out_loss", 0.2}, {"memorised", 1}});
  CHECK(best_save(all_repeat) == 20);
}

}  // namespace io_metrics_log_tests
