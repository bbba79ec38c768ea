// What holds for every network whatever its layers: who owns parameters, and which execution space instance
// passes run on.
#include "../arrays.hpp"
#include "../small_networks.hpp"

#include <glyphdiff/data/styled_letters.hpp>
#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/encoder_unet.hpp>
#include <glyphdiff/sampler/classifier_gradient.hpp>
#include <glyphdiff/sampler/draw.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>
#include <glyphdiff/train/trainer.hpp>
#include <glyphdiff/unet.hpp>

#include <doctest/doctest.h>

#include <type_traits>
#include <utility>

namespace nn_network_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

struct TinyLetters {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 8,
                                     .channel_mult = {1},
                                     .res_blocks = 1,
                                     .classes = 2,
                                     .condition_channels = 1,
                                     .norm_groups = 4};
};
struct TinyClassifier : TwoLevels {
  static constexpr int classes_out = 2;
  static constexpr Pool pool = Pool::adaptive;
};

using Exec = Kokkos::DefaultHostExecutionSpace;
using Net = UNet<TwoLevels, Exec>;
using Encoder = EncoderUNet<TinyClassifier, Exec>;
using Process = ContinuousDiffusion<ContinuousCosine, V>;

template <class T>
inline constexpr bool copies = std::is_copy_constructible_v<T> || std::is_copy_assignable_v<T>;
static_assert(!copies<Net> && !copies<Net::Tape> && !copies<Net::Evaluator>);
static_assert(!copies<Encoder> && !copies<Encoder::Tape> && !copies<Encoder::Evaluator>);
static_assert(!copies<Workspace<Exec>> && !copies<PerImage<Exec>>);
static_assert(!copies<AdamW<Exec>> && !copies<Ema<Exec>> && !copies<GradientNorm<Exec>>);
static_assert(!copies<Trainable<Net>> && !copies<Trainer<Net, Process>>);
static_assert(!copies<ClassifierTrainer<Encoder, Process>> && !copies<ClassifierGradient<Encoder>>);
static_assert(!copies<StyledLetters<UNet<TinyLetters, Exec>>>);
// Trainers and evaluators point to a network.
static_assert(!std::is_move_constructible_v<Net>);
static_assert(!std::is_move_constructible_v<Trainer<Net, Process>>);
static_assert(std::is_const_v<decltype(std::declval<Net const&>().parameters())::value_type>);
static_assert(
    !std::is_const_v<std::remove_reference_t<decltype(std::declval<Net&>().parameters())>::value_type>);

HostImages letters() {
  HostImages const images("letters", 4, 8, 8, 1);
  auto const numbers = values(images.size(), 1);
  std::copy(numbers.begin(), numbers.end(), images.data());
  return images;
}

std::vector<float> drawn(Net::Evaluator& model) {
  HostImages const pictures = draw_ddim(Exec(), Process(3), model, 2, 8, 8, 1, 7);
  return {pictures.data(), pictures.data() + pictures.size()};
}

/// The default instance, which says that it has one more worker than it has while this exists; or one of half
/// the cores where Kokkos makes such.
class OtherWorkers {
 public:
#if defined(KOKKOS_ENABLE_OPENMP) && KOKKOS_VERSION < 40000
  OtherWorkers() { ++Kokkos::Impl::g_openmp_hardware_max_threads; }
  ~OtherWorkers() { --Kokkos::Impl::g_openmp_hardware_max_threads; }
  OtherWorkers(OtherWorkers const&) = delete;
  Exec exec;
#elif KOKKOS_VERSION < 40000
  Exec exec;  // Serial, which has one worker
#else
  Exec exec = Kokkos::Experimental::partition_space(Exec(), 1, 1)[0];
#endif
};

}  // namespace

TEST_CASE("a clone is another network with the same parameters") {
  Exec const exec;
  Net net(exec, 1);
  Net best = net.clone(exec);
  auto const before = to_host(net.parameters());
  CHECK(same_bits(to_host(best.parameters()), before));
  CHECK(best.parameters().data() != net.parameters().data());
  Trainer<Net, Process> trainer(exec, net, Process(3), {.batch = 4, .learning_rate = {.peak = 1e-2}});
  trainer.step(letters());
  CHECK(!same_bits(to_host(net.parameters()), before));
  CHECK(same_bits(to_host(best.parameters()), before));
  Net::Evaluator of_clone(best);
  CHECK(drawn(of_clone).size() == 128);

  Encoder const classifier(exec, 1);
  CHECK(same_bits(to_host(classifier.clone(exec).parameters()), to_host(classifier.parameters())));
}

TEST_CASE("a network for a checkpoint begins at zero") {
  Exec const exec;
  Net const net(exec, zero_parameters);
  CHECK(same_bits(to_host(net.parameters()), std::vector<float>(net.parameters().size())));
  Encoder const classifier(exec, zero_parameters);
  CHECK(same_bits(to_host(classifier.parameters()), std::vector<float>(classifier.parameters().size())));
}

TEST_CASE("an evaluator that was moved goes on sampling, and what is trained goes on training") {
  Exec const exec;
  Net net(exec, 1);
  Kokkos::deep_copy(net.parameters(), to_space<Exec>(values(net.parameters().size(), 3, 0.2f)));
  Net::Evaluator first(net);
  auto const expected = drawn(first);
  Net::Evaluator second(std::move(first));
  CHECK(same_bits(drawn(second), expected));
  Net::Evaluator third(net);
  drawn(third);
  third = std::move(second);
  CHECK(same_bits(drawn(third), expected));

  Trainable<Net> all(exec, net);
  Trainable<Net> moved(std::move(all));
  Trainer<Net, Process> trainer(exec, net, Process(3), {.batch = 4}, std::move(moved));
  CHECK(trainer.step(letters()).gradient_norm > 0);
}

TEST_CASE("a tape that is moved between the passes goes on, and what it was has nothing to go on with") {
  Exec const exec;
  Net net(exec, 1);
  Kokkos::deep_copy(net.parameters(), to_space<Exec>(values(net.parameters().size(), 3, 0.2f)));
  Images<Exec> const x("x", 2, 8, 8, 1), out("out", 2, 8, 8, 1);
  copy_values(exec, x, to_space<Exec>(values(x.size(), 5)));
  std::vector<float> const times{3, 500};
  auto const gradients = [&](bool moved) {
    Arena<Exec> const result("gradients", net.parameters().size());
    Net::Tape first;
    net.forward(exec, x, times, {}, out, first);
    if (!moved) return net.backward(exec, out, result, first), to_host(result);
    Net::Tape second(std::move(first)), third;
    CHECK_THROWS_AS(net.backward(exec, out, result, first), Error);
    net.forward(exec, x, times, {}, out, third);
    third = std::move(second);
    net.backward(exec, out, result, third);
    CHECK_THROWS_AS(net.backward(exec, out, result, third), Error);
    auto const found = to_host(result);
    for (Net::Tape* again : {&first, &second, &third}) {
      net.forward(exec, x, times, {}, out, *again);
      net.backward(exec, out, result, *again);
    }
    return found;
  };
  CHECK(same_bits(gradients(true), gradients(false)));
}

TEST_CASE("an evaluator and a tape run on instances of any concurrency, one after the other") {
  Exec const exec;
  Net net(exec, 1);
  Kokkos::deep_copy(net.parameters(), to_space<Exec>(values(net.parameters().size(), 3, 0.2f)));
  Images<Exec> const x("x", 2, 8, 8, 1), out("out", 2, 8, 8, 1);
  copy_values(exec, x, to_space<Exec>(values(x.size(), 5)));
  std::vector<float> const times{3, 500};
  Net::Evaluator evaluator(net);
  evaluator(exec, x, times, out);
  auto const expected = to_host(out);
  Net::Tape tape;
  Arena<Exec> const gradients("gradients", net.parameters().size());
  net.forward(exec, x, times, {}, out, tape);
  {
    OtherWorkers const other;
    REQUIRE(other.exec.concurrency() > 0);
    if (other.exec.concurrency() == exec.concurrency()) {
      MESSAGE("not looked at: this Kokkos has one number of workers");
      return;
    }
    CHECK_THROWS_WITH_AS(net.backward(other.exec, out, gradients, tape),
                         doctest::Contains("expected as many workers as the forward pass had"), Error);
    evaluator(other.exec, x, times, out);
    other.exec.fence();
    CHECK(relative_error(to_host(out), expected) < 1e-5);
    net.forward(other.exec, x, times, {}, out, tape);
    net.backward(other.exec, out, gradients, tape);
    other.exec.fence();
  }
  evaluator(exec, x, times, out);
  CHECK(same_bits(to_host(out), expected));
}

}  // namespace nn_network_tests
