// Weights that a backend packs: made anew after every way of writing to the parameters, and not otherwise.
#include "../arrays.hpp"
#include "../io/temporary_folder.hpp"
#include "../small_networks.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/train/checkpoint.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <doctest/doctest.h>

#include <utility>

namespace nn_packed_weights_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

int packings = 0;

/// Counts what is packed, in floats or in bfloat16.
template <class Value>
struct Counting : kernels::PortableIn<Value> {
  using Inner = kernels::PortableIn<Value>;
  template <class Exec, class Op, class... Pointers>
  static void launch(Exec const& exec, typename Inner::template Context<Exec>& context, Op const& op,
                     float* scratch, Pointers... pointers) {
    if constexpr (std::is_same_v<Op, kernels::PackWeights>) ++packings;
    Inner::launch(exec, context, op, scratch, pointers...);
  }
};

using Exec = Kokkos::DefaultHostExecutionSpace;
using Process = Diffusion<LinearSchedule<1000>, Epsilon, FixedLarge>;

HostImages pictures(unsigned seed) {
  HostImages const result("pictures", 4, 8, 8, 1);
  auto const numbers = values(result.size(), seed);
  std::copy(numbers.begin(), numbers.end(), result.data());
  return result;
}

template <class Evaluator>
std::vector<float> output(Evaluator& evaluate) {
  Images<Exec> const x("x", 1, 8, 8, 1), out("out", 1, 8, 8, 1);
  copy_values(Exec(), x, to_space<Exec>(values(x.size(), 5)));
  evaluate(Exec(), x, std::vector<float>{100}, out);
  return to_host(out);
}

template <class Value>
void check_writers() {
  using Net = UNet<TwoLevels, Exec, Counting<Value>>;
  Exec const exec;
  Net net(exec, 1);
  Kokkos::deep_copy(net.parameters(), to_space<Exec>(values(net.parameters().size(), 3, 0.2f)));
  TrainOptions const options{.batch = 4, .learning_rate = {.peak = 1e-2}, .ema_rates = {0.5}};
  Trainer<Net, Process> trainer(exec, net, Process(), options);
  typename Net::Evaluator kept(net), of_average(net, trainer.ema().averages()[0].parameters());
  auto before = output(kept), average_before = output(of_average);

  // Nothing was written: nothing is packed, and nothing changes.
  packings = 0;
  CHECK(same_bits(output(kept), before));
  CHECK(same_bits(output(of_average), average_before));
  CHECK(packings == 0);

  auto const check = [&](char const* what) {
    CAPTURE(std::string(what));
    packings = 0;
    auto const now = output(kept);
    int const packed = packings;
    CHECK(packed > 0);
    CHECK(same_bits(output(kept), now));
    CHECK(packings == packed);
    typename Net::Evaluator fresh(net);
    CHECK(same_bits(output(fresh), now));
    CHECK(!same_bits(now, std::exchange(before, now)));
  };
  auto const check_average = [&](char const* what) {
    CAPTURE(std::string(what));
    auto const now = output(of_average);
    typename Net::Evaluator fresh(net, trainer.ema().averages()[0].values);
    CHECK(same_bits(output(fresh), now));
    CHECK(!same_bits(now, std::exchange(average_before, now)));
  };

  trainer.step(pictures(1));
  check("an update");
  check_average("an update");

  TemporaryFolder const folder;
  save_checkpoint((folder.path() / "a.safetensors").string(), trainer);
  trainer.step(pictures(2));
  check("another update");
  check_average("another update");
  load_checkpoint((folder.path() / "a.safetensors").string(), trainer);
  check("a checkpoint");
  check_average("a checkpoint");

  Kokkos::deep_copy(net.parameters(), to_space<Exec>(values(net.parameters().size(), 4, 0.2f)));
  check("a copy");

  Arena<Exec> const view = net.parameters();
  output(kept);
  Kokkos::parallel_for(
      Kokkos::RangePolicy<Exec>(exec, 0, view.extent(0)), KOKKOS_LAMBDA(int i) { view(i) *= 0.5f; });
  exec.fence();
  net.parameters_changed();
  check("a host's own kernel");

  trainer.ema().reset(exec, view);
  check_average("a reset");

  Ema<Exec> const other(exec, to_space<Exec>(values(view.size(), 6, 0.2f)), {0.5});
  Trainable<Net>& all = trainer.trainable();
  all.apply(exec, other.averages()[0].values);
  check("the values of an average");

  using Trained = Trainable<Net>;
  ParameterSelection matrices(net.parameter_list(), Trained::is_matrix);
  Trainer<Net, Process> low_rank(exec, net, Process(), options,
                                 Trained(exec, net, std::move(matrices), 2, 7));
  low_rank.step(pictures(3));
  check("a low-rank update");
}

}  // namespace

TEST_CASE("packed weights follow the parameters, whoever writes them") {
  check_writers<float>();
  check_writers<bfloat16>();
}

TEST_CASE("a forward and a backward pass pack once") {
  using Net = UNet<TwoLevels, Exec, Counting<bfloat16>>;
  Exec const exec;
  Net net(exec, 1);
  Trainer<Net, Process> trainer(exec, net, Process(), {.batch = 4, .microbatch = 1});
  packings = 0;
  trainer.step(pictures(1));
  int const once = std::exchange(packings, 0);
  trainer.step(pictures(2));
  CHECK(packings > 0);
  CHECK(packings == once);
}

}  // namespace nn_packed_weights_tests
