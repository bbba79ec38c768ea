#include "../sanitized.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <doctest/doctest.h>

#include <unistd.h>
#include <cmath>
#include <fstream>

namespace train_memory_tests {

namespace {

struct Wide {
  static constexpr glyphdiff::UNetConfig config{
      .image_size = 32, .channels = 1, .model_channels = 64, .channel_mult = {1, 2}, .res_blocks = 1};
};

double resident_bytes() {
  long pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return double(resident) * double(sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("the memory that training announces is what the process grows by") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  Exec const exec;
  double const before = resident_bytes();
  glyphdiff::UNet<Wide, Exec> net(exec, 1);
  glyphdiff::TrainOptions options;
  options.batch = 24;
  options.ema_rates = {0.99, 0.999};
  glyphdiff::Trainer trainer(
      exec, net, glyphdiff::ContinuousDiffusion<glyphdiff::ContinuousCosine, glyphdiff::V>(), options);
  double const announced = double(trainer.memory(32, 32).total());
  glyphdiff::HostImages const batch("batch", 24, 32, 32, 1);
  for (int step = 0; step < (glyphdiff::test::sanitized ? 1 : 2); ++step) trainer.step(batch);
  double const grown = resident_bytes() - before;
  INFO("announced " << announced / 1e6 << " MB, grown by " << grown / 1e6 << " MB");
  CHECK(announced > 40e6);          // large enough that a few hundred kB of anything else don't matter
#if !defined(__SANITIZE_ADDRESS__)  // which keeps freed memory and shadows what is used
  CHECK(std::abs(grown - announced) < 0.1 * announced);
#endif
}

}  // namespace train_memory_tests
