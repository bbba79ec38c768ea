#include "allocations.hpp"
#include "encoder_unet/encoder_check.hpp"

namespace encoder_unet_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

template <Pool chosen>
struct Tiny {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 3,
                                     .model_channels = 6,
                                     .channel_mult = {1, 2},
                                     .res_blocks = chosen == Pool::spatial ? 2 : 1,
                                     .attention_resolutions = {4},
                                     .num_head_channels = 6,
                                     .resblock_updown = chosen != Pool::spatial,
                                     .norm_groups = 3};
  static constexpr int classes_out = 5;
  static constexpr Pool pool = chosen;
};

using Exec = ParallelVectorised::Exec;
using Attending = EncoderUNet<Tiny<Pool::attention>, Exec>;
using Averaging = EncoderUNet<Tiny<Pool::adaptive>, Exec>;

template <class Spec>
void check_spaces() {
  Classification<SingleVectorised, Spec> single({3, 8, 8});
  Classification<ParallelVectorised, Spec> parallel({3, 8, 8});
  auto const a = single.train();
  auto const b = parallel.train();
  CHECK(relative_error(a.logits, b.logits) < 1e-5);
  CHECK(relative_error(a.gradients, b.gradients) < 1e-5);
  CHECK(relative_error(a.d_image, b.d_image) < 1e-5);
}

}  // namespace

TEST_CASE_TEMPLATE("every gradient of a classifier, by finite differences", On,
                   GLYPHDIFF_TEST_LAYER_BACKENDS) {
  check_encoder<On, Tiny<Pool::adaptive>>({2, 4, 6});
  check_encoder<On, Tiny<Pool::attention>>({2, 8, 8});
  check_encoder<On, Tiny<Pool::spatial>>({2, 4, 6});
  check_encoder<On, Tiny<Pool::spatial_v2>>({2, 4, 6});
}

// Bits are the same at any number of threads, which tests/threads checks; another space is another instance
// of the templates, which the compiler may contract otherwise.
TEST_CASE("a classifier's pass agrees between execution spaces") {
  check_spaces<Tiny<Pool::adaptive>>();
  check_spaces<Tiny<Pool::attention>>();
  check_spaces<Tiny<Pool::spatial>>();
  check_spaces<Tiny<Pool::spatial_v2>>();
}

TEST_CASE("a selection of a classifier's parameters gets its gradients alone") {
  Classification<ParallelVectorised, Tiny<Pool::attention>> problem({2, 8, 8});
  auto const all = problem.train();
  ParameterList const& list = problem.net.parameter_list();
  ParameterSelection const chosen(list, [](ParameterInfo const& info) {
    return info.name == "out.2.positional_embedding" || info.name == "middle_block.0.in_layers.2.weight";
  });
  auto const some = problem.train(std::vector<float>(chosen.total()), &chosen);
  CHECK(same_bits(some.d_image, all.d_image));
  for (ParameterInfo const& info : chosen.list()) {
    auto const expected = all.gradients.begin() + list[info.name].offset;
    CHECK(std::equal(expected, expected + info.count, some.gradients.begin() + info.offset));
  }
}

TEST_CASE("fresh parameters of the pools") {
  Attending const net(Exec(), 1);
  auto const parameters = to_host(net.parameters());
  ParameterInfo const& positions = net.parameter_list()["out.2.positional_embedding"];
  CHECK(positions.shape == std::vector<std::int64_t>{12, 17});
  double squares = 0;
  for (int i = 0; i < positions.count; ++i) squares += std::pow(parameters[positions.offset + i], 2);
  CHECK(squares / double(positions.count) == doctest::Approx(1.0 / 12).epsilon(0.3));

  Averaging const averaging(Exec(), 1);
  auto const others = to_host(averaging.parameters());
  ParameterInfo const& last = averaging.parameter_list()["out.3.weight"];
  CHECK(last.shape == std::vector<std::int64_t>{5, 12, 1, 1});
  for (int i = 0; i < last.count; ++i) CHECK(others[last.offset + i] == 0);
}

TEST_CASE("nothing is allocated after a classifier's first pass") {
  Classification<ParallelVectorised, Tiny<Pool::spatial_v2>> problem({2, 8, 8});
  auto const x = problem.images(problem.image);
  auto const logits = problem.unset_logits(), d_logits = problem.logits(problem.d_logits);
  Arena<Exec> const gradients("gradients", problem.net.parameters().extent(0));
  EncoderUNet<Tiny<Pool::spatial_v2>, Exec>::Tape tape;
  auto const pass = [&] {
    problem.net.forward(problem.exec, x, problem.timesteps, logits, tape);
    problem.net.backward(problem.exec, d_logits, gradients, tape);
  };
  pass();
  Allocations const allocations;
  for (int step = 0; step < 3; ++step) pass();
  CHECK(allocations.count() == 0);
}

TEST_CASE("a classifier refuses what doesn't fit with a sentence") {
  Exec const exec;
  Attending const net;
  Averaging const averaging;
  Attending::Tape tape;
  Averaging::Tape averaging_tape;
  std::vector<float> const times{1, 2};
  Images<Exec> const x("x", 2, 8, 8, 3), large("x", 2, 12, 12, 3), odd("x", 2, 7, 8, 3);
  Logits<Exec> const logits("logits", 2, 5), few("logits", 2, 4);
  Arena<Exec> const gradients("gradients", net.parameters().extent(0)), short_of("gradients", 7);

  CHECK_THROWS_WITH_AS(net.forward(exec, large, times, logits, tape),
                       "EncoderUNet input: expected (N, 8, 8, 3), found (2, 12, 12, 3)", Error);
  CHECK_NOTHROW(averaging.forward(exec, large, times, logits, averaging_tape));
  CHECK_THROWS_WITH_AS(
      averaging.forward(exec, odd, times, logits, averaging_tape),
      "EncoderUNet input: expected (N, H, W, 3) with H and W multiples of 2, found (2, 7, 8, 3)", Error);
  CHECK_THROWS_WITH_AS(net.forward(exec, x, times, few, tape),
                       "EncoderUNet logits: expected (2, 5), found (2, 4)", Error);
  CHECK_THROWS_AS(net.forward(exec, x, std::vector<float>{1}, logits, tape), Error);

  CHECK_THROWS_AS(net.backward(exec, logits, gradients, tape), Error);  // no forward
  net.forward(exec, x, times, logits, tape);
  CHECK_THROWS_AS(net.backward(exec, few, gradients, tape), Error);
  CHECK_THROWS_AS(net.backward(exec, logits, short_of, tape), Error);
  CHECK_THROWS_AS(net.backward(exec, logits, gradients, tape, &x), Error);
  CHECK_NOTHROW(net.backward(exec, logits, gradients, tape));  // refusals use nothing up
  CHECK_THROWS_AS(net.backward(exec, logits, gradients, tape), Error);
  net.forward(exec, x, times, logits, tape, {}, /*with_image_gradient=*/true);
  CHECK_THROWS_AS(net.backward(exec, logits, gradients, tape), Error);
}

}  // namespace encoder_unet_tests
