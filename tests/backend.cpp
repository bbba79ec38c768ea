// A backend that is not glyphdiff's own: it counts operations and hands them on to the portable one. A
// training step, the training of a classifier and every sampler run on it alone, and launch nothing beside
// its operations once their memory is there; nothing is copied but by them and by transfers between host and
// space, and nothing waits but fence().
#include "arrays.hpp"
#include "sampler/samplers.hpp"
#include "small_networks.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/encoder_unet.hpp>
#include <glyphdiff/sampler/classifier_gradient.hpp>
#include <glyphdiff/sampler/guidance.hpp>
#include <glyphdiff/sampler/inpainting.hpp>
#include <glyphdiff/sampler/interpolation.hpp>
#include <glyphdiff/sampler/spacing.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

namespace backend_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

/// What the counting backend has run since clear(), how often something went between host and space, and what
/// Kokkos launched, copied or waited for beside both.
struct Record {
  std::map<std::string, int> operations;
  std::set<std::string> others;
  int transfers = 0;
  int depth = 0;  // of operations
  bool transferring = false, waiting = false;

  void clear() { *this = {}; }
};
Record record;

template <class Inner>
struct Counting : Inner {
  template <class Exec>
  using Context = typename Inner::template Context<Exec>;

  template <class Exec, class Op, class... Pointers>
  static void launch(Exec const& exec, Context<Exec>& context, Op const& op, float* scratch,
                     Pointers... pointers) {
    ++record.operations[Op::name];
    ++record.depth;
    record.waiting = false;
    Inner::launch(exec, context, op, scratch, pointers...);
    --record.depth;
  }
};

/// Watches what Kokkos does while it exists.
class LaunchWatch {
 public:
  LaunchWatch() {
    using namespace Kokkos::Tools::Experimental;
    record.clear();
    auto const note = [](char const* name, std::uint32_t, std::uint64_t*) {
      if (record.depth == 0 && !record.transferring) record.others.insert(name);
    };
    glyphdiff::detail::transfer_hook = [](bool begins) {
      record.transfers += begins;
      record.transferring = begins;
      record.waiting = false;
    };
    glyphdiff::detail::fence_hook = [](char const*) { record.waiting = true; };
    set_begin_fence_callback([](char const* name, std::uint32_t, std::uint64_t*) {
      if (record.depth == 0 && !record.transferring && !record.waiting)
        record.others.insert(std::string("a fence: ") + name);
    });
    // Operations copy by kernels of their own.
    set_begin_deep_copy_callback([](Kokkos::Tools::SpaceHandle, char const* name, void const*,
                                    Kokkos::Tools::SpaceHandle, char const*, void const*, std::uint64_t) {
      if (!record.transferring) record.others.insert(std::string("a copy to ") + name);
    });
    set_begin_parallel_for_callback(note);
    set_begin_parallel_reduce_callback(note);
    set_begin_parallel_scan_callback(note);
  }
  ~LaunchWatch() {
    using namespace Kokkos::Tools::Experimental;
    set_begin_parallel_for_callback(nullptr);
    set_begin_parallel_reduce_callback(nullptr);
    set_begin_parallel_scan_callback(nullptr);
    set_begin_deep_copy_callback(nullptr);
    set_begin_fence_callback(nullptr);
    glyphdiff::detail::transfer_hook = nullptr;
    glyphdiff::detail::fence_hook = nullptr;
  }
  LaunchWatch(LaunchWatch const&) = delete;

  std::string others() const {
    std::string names;
    for (std::string const& name : record.others) names += name + "; ";
    return names;
  }
};

struct Plain {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .learned_sigma = true,
                                     .model_channels = 8,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .attention_resolutions = {4},
                                     .norm_groups = 4};
};

using Exec = Kokkos::DefaultHostExecutionSpace;
using Own = Counting<kernels::Portable>;
using Process = Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>;

constexpr int batch = 3, size = 8;

HostImages pictures(unsigned seed) {
  HostImages const result("pictures", batch, size, size, 1);
  auto const numbers = values(result.size(), seed);
  std::copy(numbers.begin(), numbers.end(), result.data());
  return result;
}
std::vector<int> const labels{0, 2, 1};
TrainOptions const options{
    .batch = batch, .microbatch = 2, .learning_rate = {.peak = 1e-2}, .clip_norm = 0.1, .ema_rates = {0.9}};

/// step(0) and step(1), the second watched. `transfers`: how many copies between host and space it makes.
template <class Backend, class Step>
void take_two(int transfers, Step const& step) {
  step(0);
  LaunchWatch const watch;
  step(1);
  if (std::is_same_v<Backend, Own>) CHECK(watch.others() == "");
  CHECK(record.transfers == transfers);
}

/// The network's parameters after two updates with its Trainable.
template <class Backend, class MakeTrainable>
std::vector<float> trained(MakeTrainable const& make) {
  using Net = UNet<EveryLayer, Exec, Backend>;
  Exec const exec;
  Net net(exec, 1);
  Kokkos::deep_copy(net.parameters(), to_space<Exec>(values(net.parameters().size(), 3, 0.2f)));
  Trainer<Net, Process> trainer(exec, net, Process(), options, make(exec, net));
  HostImages const x[] = {pictures(0), pictures(1)}, condition[] = {pictures(10), pictures(11)};
  // One block each way, and the images and conditions of two microbatches.
  take_two<Backend>(6, [&](int step) { trainer.step(x[step], labels, condition[step]); });
  return to_host(net.parameters());
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

TEST_CASE(
    "a training step runs on its network's backend alone, and to the same bits as on the one behind it") {
  auto const own = trained<Own>(everything);
  for (char const* name :
       {"conv2d::forward", "conv2d::backward_weight", "attention::backward", "dropout",
        "label_embedding::backward", "random::normal", "diffusion::combine", "loss::sum",
        "optimizer::sum_of_squares", "optimizer::outcome", "optimizer::adamw", "concatenate_channels"}) {
    CAPTURE(name);
    CHECK(record.operations[name] > 0);
  }
  CHECK(same_bits(own, trained<kernels::Portable>(everything)));
}

TEST_CASE("low-rank training runs on its network's backend alone") {
  auto const own = trained<Own>(low_rank);
  CHECK(same_bits(own, trained<kernels::Portable>(low_rank)));
}

TEST_CASE("the training of a classifier runs on its network's backend alone") {
  auto const run = [&](auto backend) {
    using Net = EncoderUNet<SmallClassifier, Exec, decltype(backend)>;
    Exec const exec;
    Net net(exec, 1);
    ClassifierTrainer<Net, Process> trainer(exec, net, Process(), {.batch = batch, .microbatch = 2});
    HostImages const x[] = {pictures(0), pictures(1)};
    take_two<decltype(backend)>(4, [&](int step) { trainer.step(x[step], labels); });
    return to_host(net.parameters());
  };
  auto const own = run(Own());
  CHECK(record.operations["cross_entropy"] > 0);
  CHECK(same_bits(own, run(kernels::Portable())));
}

TEST_CASE("samplers, guidance and editing run on the model's backend alone") {
  using Net = UNet<Plain, Exec, Own>;
  using Judge = EncoderUNet<SmallClassifier, Exec, Own>;
  Exec const exec;
  Net net(exec, 1);
  Kokkos::deep_copy(net.parameters(), to_space<Exec>(values(net.parameters().size(), 3, 0.2f)));
  Judge const judge(exec, 1);
  using Model = Net::Evaluator;
  Model model(net);
  ClassifierGradient<Judge> direction(judge);
  direction.set_labels(labels);
  Guidance<Exec, Model, Model> guided(exec, Model(net), Model(net), 2);
  ClassifierGuidance<Exec, Model, ClassifierGradient<Judge>> steered(exec, Model(net), std::move(direction),
                                                                     2);
  Images<Exec> const x("x", batch, size, size, 1), known("known", batch, size, size, 1),
      mask("mask", batch, size, size, 1);
  auto const few = Process().respaced("4");

  LaunchWatch const watch;
  for_each_sampler([&](char const* name, bool, auto const& sample) {
    CAPTURE(name);
    for (auto const with : {0, 1, 2}) {
      record.clear();
      if (with == 0) sample(exec, few, model, x, SeededNoise{1}, true, NoProgress());
      if (with == 1) sample(exec, few, guided, x, SeededNoise{1}, true, NoProgress());
      if (with == 2) sample(exec, few, steered, x, SeededNoise{1}, true, NoProgress());
      CHECK(watch.others() == "");
      CHECK(record.operations["random::normal"] > 0);
      CHECK((record.operations["sampler::guide"] > 0) == (with == 1));
    }
  });
  record.clear();
  Inpainting<Exec, NoProgress, Own> fill(exec, few, known, mask, {1});
  ddim_sample(exec, few, model, x, noised_to_start(exec, few, known, SeededNoise{1}), {}, fill);
  std::vector<double> const fractions{0.25, 0.5, 0.75};
  ddim_interpolate(exec, few, model, known, known, fractions, x);
  CHECK(watch.others() == "");
  CHECK(record.operations["sampler::keep_where"] > 0);
  CHECK(record.operations["sampler::blend"] > 0);
}

}  // namespace backend_tests
