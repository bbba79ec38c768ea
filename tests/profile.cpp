#include "arrays.hpp"
#include "small_networks.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/profile.hpp>
#include <glyphdiff/sampler/draw.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace profile_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

using Exec = Kokkos::DefaultHostExecutionSpace;
using Net = UNet<TwoLevels, Exec>;
using Process = Diffusion<LinearSchedule<1000>, Epsilon, FixedLarge>;

HostImages pictures() {
  HostImages const result("pictures", 4, 8, 8, 1);
  auto const numbers = values(result.size(), 1);
  std::copy(numbers.begin(), numbers.end(), result.data());
  return result;
}

std::set<std::string> names(std::vector<Profiler::Row> const& rows) {
  std::set<std::string> result;
  for (auto const& row : rows) result.insert(row.name);
  return result;
}

}  // namespace

TEST_CASE("a profile of an update says what ran, in which layer, and changes no bit") {
  Exec const exec;
  auto const after = [&](Profiler* profiler) {
    Net net(exec, 1);
    Trainer<Net, Process> trainer(exec, net, Process(), {.batch = 4, .microbatch = 2});
    trainer.set_profiler(profiler);
    trainer.step(pictures());
    trainer.set_profiler(nullptr);
    trainer.step(pictures());
    return to_host(net.parameters());
  };
  Profiler profiler;
  CHECK(same_bits(after(&profiler), after(nullptr)));

  auto const operations = names(profiler.by_operation()), layers = names(profiler.by_layer());
  for (char const* name :
       {"conv2d::forward", "conv2d::backward_weight", "attention::forward", "optimizer::adamw"})
    CHECK(operations.count(name) == 1);
  for (char const* name : {"time_embed", "input_blocks.0", "input_blocks.1.0", "input_blocks.3.1",
                           "middle_block.1", "output_blocks.0.0", "out", "outside of the network"}) {
    CAPTURE(name);
    CHECK(layers.count(name) == 1);
  }
  CHECK(layers.count("?") == 0);

  double end = 0, seconds = 0;
  for (auto const& event : profiler.events()) {
    CHECK(event.begin >= end);
    CHECK(event.seconds > 0);
    end = event.begin + event.seconds;
    seconds += event.seconds;
    CHECK(event.work.bytes > 0);
  }
  double by_operation = 0;
  for (auto const& row : profiler.by_operation()) by_operation += row.seconds;
  CHECK(by_operation == doctest::Approx(seconds));
  // Two microbatches of 2 images 8 x 8: the stem's convolution, from 1 channel to 8.
  double stem = 0;
  for (auto const& event : profiler.events())
    if (profiler.layer_name(event.layer) == "input_blocks.0" &&
        event.operation == std::string("conv2d::forward"))
      stem += event.work.arithmetic;
  CHECK(stem == 2.0 * 2 * 2 * 8 * 8 * 9 * 8);
}

TEST_CASE("a profile of drawing has the network's operations and the sampler's") {
  Exec const exec;
  Net const net(exec, 1);
  Net::Evaluator model(net);
  Profiler profiler;
  model.set_profiler(&profiler);
  draw_ddim(exec, Process().respaced("3"), model, 2, 8, 8, 1, 7);
  auto const operations = names(profiler.by_operation());
  for (char const* name : {"conv2d::forward", "random::normal", "sampler::estimate", "sampler::sum"}) {
    CAPTURE(name);
    CHECK(operations.count(name) == 1);
  }
  CHECK(names(profiler.by_layer()).count("middle_block.0") == 1);
}

}  // namespace profile_tests
