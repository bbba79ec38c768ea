// How often the host waits: once in an update, whatever its microbatches, and once for each evaluation of a
// network in a sampler.
#include "arrays.hpp"
#include "small_networks.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/encoder_unet.hpp>
#include <glyphdiff/sampler/ddim.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace fence_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

/// The reasons of all fences while it exists; one at a time.
class Fences {
 public:
  Fences() {
    reasons().clear();
    glyphdiff::detail::fence_hook = [](char const* reason) { reasons().push_back(reason); };
  }
  ~Fences() { glyphdiff::detail::fence_hook = nullptr; }
  Fences(Fences const&) = delete;

  /// Since the last call.
  std::vector<std::string> take() { return std::exchange(reasons(), {}); }

 private:
  static std::vector<std::string>& reasons() {
    static std::vector<std::string> all;
    return all;
  }
};

using Exec = Kokkos::DefaultExecutionSpace;
using Process = Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>;
using Net = UNet<EveryLayer, Exec>;

constexpr int batch = 5;
std::vector<int> const labels{0, 1, 2, 1, 0};
std::vector<std::string> const readback{"an update's losses and outcome to the host"};

}  // namespace

TEST_CASE("the host waits once in an update") {
  HostImages const x("x", batch, 8, 8, 1), condition("condition", batch, 8, 8, 1);
  for (int microbatch : {0, 2, 1})
    for (bool low_rank : {false, true}) {
      Net net(Exec(), 1);
      TrainOptions const options{
          .batch = batch, .microbatch = microbatch, .clip_norm = 1, .ema_rates = {0.1, 0.2, 0.3, 0.4, 0.5}};
      ParameterSelection matrices(net.parameter_list(), Trainable<Net>::is_matrix);
      Trainer<Net, Process> trainer(
          Exec(), net, Process(), options,
          low_rank ? Trainable<Net>(Exec(), net, std::move(matrices), 2, 7) : Trainable<Net>(Exec(), net));
      Fences fences;
      for (int step = 0; step < 2; ++step) {
        trainer.step(x, labels, condition);
        CHECK(fences.take() == readback);
      }
    }
}

TEST_CASE("and once in an update of a classifier") {
  HostImages const x("x", batch, 8, 8, 1);
  EncoderUNet<SmallClassifier, Exec> net(Exec(), 1);
  ClassifierTrainer trainer(Exec(), net, Process(), {.batch = batch, .microbatch = 2});
  Fences fences;
  for (int step = 0; step < 2; ++step) {
    trainer.step(x, labels);
    CHECK(fences.take() == readback);
  }
}

TEST_CASE("a sampler waits once for each evaluation of its network, and at the end") {
  Net net(Exec(), 1);
  Net::Evaluator model(net);
  model.set_labels(labels);
  model.set_condition(Images<Exec>("condition", batch, 8, 8, 1));
  Images<Exec> const x("x", batch, 8, 8, 1);
  auto const few = Process().respaced("4");
  Fences fences;
  ddim_sample(Exec(), few, model, x, SeededNoise{1});
  std::vector<std::string> expected(4, "timesteps and labels to the space");
  expected.push_back("whether a picture is finite");
  CHECK(fences.take() == expected);
}

}  // namespace fence_tests
