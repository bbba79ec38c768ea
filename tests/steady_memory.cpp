// After a first step of the same size, training and sampling allocate nothing in any space of Kokkos, and
// nothing of 4 KB or more on the host.
#include "allocations.hpp"
#include "arrays.hpp"
#include "host_allocations.hpp"
#include "sampler/samplers.hpp"
#include "small_networks.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/encoder_unet.hpp>
#include <glyphdiff/sampler/classifier_gradient.hpp>
#include <glyphdiff/sampler/guidance.hpp>
#include <glyphdiff/sampler/inpainting.hpp>
#include <glyphdiff/sampler/spacing.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <new>
#include <optional>
#include <string>

// Sanitizers and device code have their own; nothing is counted then.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__CUDA_ARCH__)
void* operator new(std::size_t bytes) {
  glyphdiff::test::LargeHostAllocations::note(bytes);
  if (void* const memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace steady_memory_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

using Exec = Kokkos::DefaultExecutionSpace;
using Process = Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>;

// More than 64 at a time, which take 4 KB of coefficients; and microbatches that don't divide the batch.
constexpr int batch = 120, microbatch = 80, size = 8;

HostImages pictures(unsigned seed) {
  HostImages const result("pictures", batch, size, size, 1);
  auto const numbers = values(result.size(), seed);
  std::copy(numbers.begin(), numbers.end(), result.data());
  return result;
}
std::vector<int> const labels(batch, 1);

/// step(number) three times; the second and third allocate nothing.
template <class Step>
void require_steady(Step const& step) {
  step(0);
  Allocations const allocations;
  LargeHostAllocations const host;
  step(1);
  step(2);
  CHECK(allocations.count() == 0);
  CHECK(host.count() == 0);
}

template <class Backend, class TimestepSampler, class MakeTrainable>
void train(MakeTrainable const& make, TrainOptions options = {}) {
  using Net = UNet<EveryLayer, Exec, Backend>;
  Exec const exec;
  Net net(exec, 1);
  options.batch = batch;
  options.microbatch = microbatch;
  options.clip_norm = 0.1;
  options.ema_rates = {0.9, 0.99, 0.999, 0.9999, 0.8};
  Trainer<Net, Process, RescaledMse, TimestepSampler> trainer(exec, net, Process(), options, make(exec, net));
  auto const x = pictures(1), condition = pictures(2);
  require_steady([&](int) { trainer.step(x, labels, condition); });
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

TEST_CASE("a training step allocates nothing after the first") {
  SUBCASE("vectorised") { train<kernels::DefaultBackend<Exec>, UniformTimesteps>(everything); }
  SUBCASE("portable") { train<kernels::Portable, UniformTimesteps>(everything); }
  SUBCASE("moments in bfloat16, importance sampling") {
    TrainOptions options;
    options.adamw.moments = MomentFormat::bfloat16;
    train<kernels::DefaultBackend<Exec>, LossSecondMoment>(everything, options);
  }
  SUBCASE("low rank") { train<kernels::DefaultBackend<Exec>, UniformTimesteps>(low_rank); }
}

TEST_CASE("nor does one in continuous time") {
  using Net = UNet<OneLevel, Exec>;
  Net net(Exec(), 1);
  Trainer trainer(Exec(), net, ContinuousDiffusion<ContinuousCosine, V>(),
                  {.batch = batch, .microbatch = microbatch});
  auto const x = pictures(1);
  require_steady([&](int) { trainer.step(x); });
}

TEST_CASE("nor does one of a classifier") {
  using Net = EncoderUNet<SmallClassifier, Exec>;
  Net net(Exec(), 1);
  ClassifierTrainer<Net, Process> trainer(Exec(), net, Process(), {.batch = batch, .microbatch = microbatch});
  auto const x = pictures(1);
  require_steady([&](int) { trainer.step(x, labels); });
}

TEST_CASE("the steps of every sampler allocate nothing after the first") {
  using Net = UNet<EveryLayer, Exec>;
  using Judge = EncoderUNet<SmallClassifier, Exec>;
  Exec const exec;
  Net net(exec, 1);
  Judge const judge(exec, 1);
  Images<Exec> const x("x", batch, size, size, 1), known("known", batch, size, size, 1),
      mask("mask", batch, size, size, 1);
  ClassifierGradient<Judge> direction(judge);
  direction.set_labels(labels);
  using Model = Net::Evaluator;
  auto const strong = [&] {
    Model strong(net);
    strong.set_labels(labels);
    strong.set_condition(known);
    return strong;
  };
  Model model = strong();
  Guidance<Exec, Model, Model> guided(exec, strong(), strong(), 2);
  ClassifierGuidance<Exec, Model, ClassifierGradient<Judge>> steered(exec, strong(), std::move(direction), 2);
  auto const few = Process().respaced("6");

  std::optional<Allocations> allocations;
  std::optional<LargeHostAllocations> host;
  int at_first = 0, steps_seen = 0;
  auto const watch = [&](int done, int, Images<Exec> const&) {
    if (done == 1) {
      allocations.emplace();
      host.emplace();
    } else {
      at_first += allocations->count() + host->count();
      ++steps_seen;
    }
  };
  for_each_sampler([&](char const* name, bool, auto const& sample) {
    CAPTURE(std::string(name));
    for (auto const with : {0, 1, 2}) {
      CAPTURE(with);
      at_first = steps_seen = 0;
      if (with == 0) sample(exec, few, model, x, SeededNoise{1}, true, watch);
      if (with == 1) sample(exec, few, guided, x, SeededNoise{1}, true, watch);
      if (with == 2) sample(exec, few, steered, x, SeededNoise{1}, true, watch);
      allocations.reset();
      host.reset();
      CHECK(steps_seen >= 2);
      CHECK(at_first == 0);
    }
  });
  at_first = 0;
  Inpainting fill(exec, few, known, mask, {1}, watch);
  ddim_sample(exec, few, model, x, SeededNoise{1}, {}, fill);
  CHECK(at_first == 0);
}

}  // namespace steady_memory_tests
