// All that changes from step to step lies in memory, so what one step launches can be recorded and run again:
// the next steps come out to the bit, though nothing that they hand to operations is looked at.
#include "arrays.hpp"
#include "small_networks.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/encoder_unet.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <vector>

namespace replay_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

enum class Mode { run, record, replay };

struct Tape {
  Mode mode = Mode::run;
  std::vector<std::function<void()>> launches;
  std::size_t next = 0;
};
Tape tape;

/// Hands operations on, records them, or runs the recorded ones in place of those that it is given.
template <class Inner>
struct Recorder : Inner {
  template <class Exec>
  using Context = typename Inner::template Context<Exec>;

  template <class Exec, class Op, class... Pointers>
  static void launch(Exec const& exec, Context<Exec>& context, Op const& op, float* scratch,
                     Pointers... pointers) {
    if (tape.mode == Mode::replay) {
      REQUIRE(tape.next < tape.launches.size());
      return tape.launches[tape.next++]();
    }
    auto const run = [=, &context] { Inner::launch(exec, context, op, scratch, pointers...); };
    if (tape.mode == Mode::record) tape.launches.push_back(run);
    run();
  }
};

struct Judge {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 8,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .dropout = 0.1,
                                     .norm_groups = 4};
  static constexpr int classes_out = 3;
  static constexpr Pool pool = Pool::adaptive;
};

using Exec = Kokkos::DefaultExecutionSpace;
using Process = Diffusion<CosineSchedule<4>, Epsilon, LearnedRange>;
using Plain = kernels::DefaultBackend<Exec>;

constexpr int batch = 5, steps = 5;

HostImages pictures(unsigned seed) {
  HostImages const result("pictures", batch, 8, 8, 1);
  auto const numbers = values(result.size(), seed);
  std::copy(numbers.begin(), numbers.end(), result.data());
  return result;
}
std::vector<int> labels(int step) { return {step % 3, 1, (step + 1) % 3, 2, 0}; }

/// step(0), step(1), ...: the second is recorded, later ones are replayed.
template <class Step>
void replay(bool recording, Step const& step) {
  tape = {};
  for (int k = 0; k < steps; ++k) {
    if (recording) tape.mode = k == 0 ? Mode::run : k == 1 ? Mode::record : Mode::replay;
    tape.next = 0;
    step(k);
    if (tape.mode == Mode::replay) CHECK(tape.next == tape.launches.size());
  }
  tape.mode = Mode::run;
}

template <class Backend, class MakeTrainable>
std::vector<float> trained(TrainOptions options, MakeTrainable const& make) {
  using Net = UNet<EveryLayer, Exec, Backend>;
  Exec const exec;
  Net net(exec, 1);
  Kokkos::deep_copy(net.parameters(), to_space<Exec>(values(net.parameters().size(), 3, 0.2f)));
  options.batch = batch;
  options.microbatch = 2;
  options.learning_rate = {.peak = 1e-2, .warm_up = 10};
  options.clip_norm = 0.1;
  options.ema_rates = {0.5, 0.6, 0.7, 0.8, 0.9};
  Trainer<Net, Process, RescaledMse, LossSecondMoment> trainer(exec, net, Process(), options,
                                                               make(exec, net));
  replay(!std::is_same_v<Backend, Plain>,
         [&](int step) { trainer.step(pictures(step), labels(step), pictures(10 + step)); });
  auto result = joined({to_host(net.parameters()), to_host(trainer.trainable().values())});
  for (auto const& average : trainer.ema().averages()) result = joined({result, to_host(average.values)});
  return result;
}

auto const everything = [](Exec const& exec, auto& net) {
  return Trainable<std::remove_reference_t<decltype(net)>>(exec, net);
};
auto const low_rank = [](Exec const& exec, auto& net) {
  using Trained = Trainable<std::remove_reference_t<decltype(net)>>;
  ParameterSelection matrices(net.parameter_list(), Trained::is_matrix);
  return Trained(exec, net, std::move(matrices), 2, 7);
};

}  // namespace

TEST_CASE("training steps that are replayed are those that would have been run") {
  TrainOptions options;
  SUBCASE("floats") {}
  SUBCASE("moments in bfloat16") { options.adamw.moments = MomentFormat::bfloat16; }
  CHECK(same_bits(trained<Recorder<Plain>>(options, everything), trained<Plain>(options, everything)));
  CHECK(same_bits(trained<Recorder<Plain>>(options, low_rank), trained<Plain>(options, low_rank)));
}

TEST_CASE("and so are those of a classifier") {
  auto const run = [](auto backend) {
    using Backend = decltype(backend);
    using Net = EncoderUNet<Judge, Exec, Backend>;
    Net net(Exec(), 1);
    ClassifierTrainer<Net, Process> trainer(
        Exec(), net, Process(), {.batch = batch, .microbatch = 2, .learning_rate = {.peak = 1e-2}});
    replay(!std::is_same_v<Backend, Plain>, [&](int step) { trainer.step(pictures(step), labels(step)); });
    return to_host(net.parameters());
  };
  CHECK(same_bits(run(Recorder<Plain>()), run(Plain())));
}

}  // namespace replay_tests
