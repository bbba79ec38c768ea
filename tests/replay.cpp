// All that changes from step to step lies in memory, so what one step launches can be recorded and run again:
// the next steps come out to the bit, though nothing that they hand to operations is looked at.
#include "arrays.hpp"
#include "sampler/samplers.hpp"
#include "small_networks.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/encoder_unet.hpp>
#include <glyphdiff/sampler/classifier_gradient.hpp>
#include <glyphdiff/sampler/guidance.hpp>
#include <glyphdiff/sampler/inpainting.hpp>
#include <glyphdiff/sampler/spacing.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace replay_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

enum class Mode { run, record, replay };

/// The launches of one step, or of several that take turns.
struct Tape {
  Mode mode = Mode::run;
  std::vector<std::vector<std::function<void()>>> steps;
  std::size_t step = 0, next = 0;  // the next launch

  /// What follows is run, recorded as, or replayed from that step.
  void begin(Mode what, std::size_t of) {
    finish();
    mode = what;
    step = of;
    next = 0;
    if (mode == Mode::record) steps.resize(step + 1);
  }
  void finish() {
    if (mode == Mode::replay) CHECK(next == steps[step].size());
    mode = Mode::run;
  }
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
      REQUIRE(tape.next < tape.steps[tape.step].size());
      return tape.steps[tape.step][tape.next++]();
    }
    auto const run = [=, &context] { Inner::launch(exec, context, op, scratch, pointers...); };
    if (tape.mode == Mode::record) tape.steps[tape.step].push_back(run);
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
    if (recording) tape.begin(k == 0 ? Mode::run : k == 1 ? Mode::record : Mode::replay, 0);
    step(k);
    tape.finish();
  }
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

// Sampling. Of 16 steps the first ones may be of another form, and so may the last one.

constexpr int sampling_steps = 16, first_recorded = 5;

/// How many steps take turns with the images of a multistep method.
int turns(std::string const& sampler) {
  if (sampler.starts_with("PLMS") || sampler.starts_with("UniPC")) return 4;
  return sampler.starts_with("DPM-Solver") ? 2 : 1;
}

/// Given to a sampler as its progress: records steps until they repeat, and replays them.
struct Turns {
  int period;

  template <class X>
  void operator()(int done, int steps, X const&) const {
    int const since = done - first_recorded;
    if (since < 0 || done >= steps - 1) return tape.finish();
    tape.begin(since < period ? Mode::record : Mode::replay, std::size_t(since % period));
  }
};

/// A model of any kind without the gradient of a classifier, so that a sampler is compiled for one type.
template <class Backend>
struct AnyModel {
  using backend = Backend;
  std::function<void(Exec const&, Images<Exec> const&, std::span<float const>, Images<Exec> const&)> evaluate;

  void operator()(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
                  Images<Exec> const& output) {
    evaluate(exec, x, timesteps, output);
  }
};

using Long = Diffusion<CosineSchedule<sampling_steps>, Epsilon, LearnedRange>;

/// Draws with a network on that backend. Plain ignores the tape.
template <class Backend>
struct Sampling {
  using Net = UNet<EveryLayer, Exec, Backend>;
  using Model = typename Net::Evaluator;
  using Direction = ClassifierGradient<EncoderUNet<Judge, Exec, Backend>>;
  Net net{Exec(), 1};
  EncoderUNet<Judge, Exec, Backend> judge{Exec(), 1};
  Images<Exec> x{"x", batch, 8, 8, 1}, condition{"condition", batch, 8, 8, 1}, mask{"mask", batch, 8, 8, 1};

  Sampling() {
    Kokkos::deep_copy(net.parameters(), to_space<Exec>(values(net.parameters().size(), 3, 0.2f)));
    copy_values(Exec(), condition, to_space<Exec>(values(condition.size(), 5)));
    auto half = values(mask.size(), 6);
    for (float& value : half) value = value > 0 ? 1.0f : 0.0f;
    copy_values(Exec(), mask, to_space<Exec>(half));
  }

  Model model(int first_label) {
    Model result(net);
    result.set_labels(labels(first_label));
    result.set_condition(condition);
    return result;
  }
  AnyModel<Backend> any(auto model) {
    auto const shared = std::make_shared<decltype(model)>(std::move(model));
    return {[shared](auto const& exec, auto const& x, auto timesteps, auto const& output) {
      (*shared)(exec, x, timesteps, output);
    }};
  }

  /// What sample(progress) leaves in x.
  std::vector<float> drawn(int period, std::function<void(Turns)> const& sample) {
    tape = {};
    sample({period});
    tape.finish();
    return to_host(Arena<Exec>(x.data(), x.size()));
  }

  std::map<std::string, std::vector<float>> everything() {
    std::map<std::string, std::vector<float>> result;
    for (bool const guided : {false, true}) {
      auto both = guided ? any(Guidance<Exec, Model, Model>(Exec(), model(0), model(1), 2)) : any(model(0));
      for_each_sampler([&](std::string const& name, bool, auto const& sample) {
        result[name + (guided ? ", guided" : "")] = drawn(turns(name), [&](Turns progress) {
          sample(Exec(), Long(), both, x, SeededNoise{1}, true, progress);
        });
      });
    }
    Direction direction(judge);
    direction.set_labels(labels(0));
    ClassifierGuidance<Exec, Model, Direction> steered(Exec(), model(0), std::move(direction), 2);
    result["DDPM with a classifier"] = drawn(
        1, [&](Turns progress) { ddpm_sample(Exec(), Long(), steered, x, SeededNoise{1}, {}, progress); });
    result["DPM-Solver++ with a classifier"] = drawn(2, [&](Turns progress) {
      dpm_solver_sample(Exec(), Long(), steered, x, SeededNoise{1}, {}, progress);
    });
    auto plain = any(model(0));
    result["inpainting"] = drawn(1, [&](Turns progress) {
      Inpainting<Exec, Turns, Backend> fill(Exec(), Long(), condition, mask, {1}, progress);
      ddim_sample(Exec(), Long(), plain, x, noised_to_start(Exec(), Long(), condition, SeededNoise{1}),
                  {.eta = 0.5}, fill);
    });
    return result;
  }
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

TEST_CASE("the steps of samplers that are replayed are those that would have been run") {
  auto const replayed = Sampling<Recorder<Plain>>().everything();
  for (auto const& [name, expected] : Sampling<Plain>().everything()) {
    CAPTURE(name);
    CHECK(same_bits(replayed.at(name), expected));
  }
}

}  // namespace replay_tests
