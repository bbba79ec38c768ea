#include "allocations.hpp"
#include "unet/unet_check.hpp"

namespace unet_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

struct Tiny {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 3,
                                     .learned_sigma = true,
                                     .model_channels = 6,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .attention_resolutions = {4},
                                     .classes = 5,
                                     .norm_groups = 3};
};

using Exec = ParallelVectorised::Exec;
using Net = UNet<Tiny, Exec>;

double root_mean_square(std::span<float const> v) {
  double squares = 0;
  for (float x : v) squares += double(x) * x;
  return std::sqrt(squares / double(v.size()));
}

Images<Exec> images(int n, int h, int w, int channels) { return Images<Exec>("test", n, h, w, channels); }

}  // namespace

TEST_CASE_TEMPLATE("every gradient of a network with all its parts", On, GLYPHDIFF_TEST_LAYER_BACKENDS) {
  check_unet<On, Tiny>({2, 4, 6});
}

// Bits are the same at any number of threads, which tests/threads checks; another space is another instance
// of the templates, which the compiler may contract otherwise.
TEST_CASE("a pass agrees between execution spaces") {
  Problem<SingleVectorised, Tiny> single({3, 8, 8});
  Problem<ParallelVectorised, Tiny> parallel({3, 8, 8});
  auto const a = single.train();
  auto const b = parallel.train();
  CHECK(relative_error(a.out, b.out) < 1e-5);
  CHECK(relative_error(a.gradients, b.gradients) < 1e-5);
  CHECK(relative_error(a.d_image, b.d_image) < 1e-5);
}

TEST_CASE("fresh parameters follow the seed and the reference's initialisation") {
  Net const net(Exec(), 1), same(Exec(), 1), other(Exec(), 2);
  auto const parameters = to_host(net.parameters());
  CHECK(same_bits(parameters, to_host(same.parameters())));
  CHECK(!same_bits(parameters, to_host(other.parameters())));
  for (ParameterInfo const& info : net.parameter_list()) {
    CAPTURE(info.name);
    auto const tensor = std::span(parameters).subspan(info.offset, info.count);
    auto const [low, high] = std::minmax_element(tensor.begin(), tensor.end());
    bool const norm_layer = info.name.find("norm") != std::string::npos ||
                            info.name.find("layers.0") != std::string::npos || info.name.find("out.0") == 0;
    bool const last = info.name.find("out_layers.3") != std::string::npos ||
                      info.name.find("proj_out") != std::string::npos || info.name.find("out.2") == 0;
    float const bound = 1 / std::sqrt(float(info.fan_in));
    if (norm_layer) {
      float const expected = info.name.ends_with(".weight") ? 1.0f : 0.0f;
      CHECK((*low == expected && *high == expected));
    } else if (last) {
      CHECK((*low == 0 && *high == 0));
    } else if (info.name == "label_emb.weight") {
      CHECK(root_mean_square(tensor) == doctest::Approx(1).epsilon(0.2));
    } else {
      CHECK((*low >= -bound && *high <= bound));
      if (info.count > 100) CHECK((*low<-0.9f * bound&& * high> 0.9f * bound));
    }
  }
  // So that a fresh network predicts nothing at all.
  typename Net::Evaluator evaluator(net);
  evaluator.set_labels({0});
  auto const x = images(1, 8, 8, 3), out = images(1, 8, 8, 6);
  Kokkos::deep_copy(x, 0.5f);
  evaluator(Exec(), x, std::vector<float>{5}, out);
  for (float value : to_host(out)) CHECK(value == 0);
}

TEST_CASE("an evaluator may read other parameters, another size and other labels") {
  Problem<ParallelVectorised, Tiny> problem({2, 8, 8});
  problem.set_parameters();
  Problem<ParallelVectorised, Tiny> changed({2, 8, 8});
  for (float& p : changed.parameters) p *= 1.1f;
  auto const expected = changed.train().out;
  Net::Evaluator averaged(problem.net, to_space<Exec>(changed.parameters));
  CHECK(same_bits(problem.evaluate(averaged), expected));
  CHECK(!same_bits(problem.evaluate(), expected));

  // The same images in a larger batch, then in the first one again: plans are kept apart.
  Net::Evaluator evaluator(problem.net);
  auto const first = problem.evaluate(evaluator);
  Problem<ParallelVectorised, Tiny> larger({3, 12, 4});
  CHECK(same_bits(larger.evaluate(), larger.train().out));
  auto const x = larger.images(larger.image, larger.e, 3), out = larger.unset_images(6);
  evaluator.set_labels(larger.labels);
  evaluator(Exec(), x, larger.timesteps, out);
  CHECK(same_bits(to_host(out), larger.evaluate()));
  CHECK(same_bits(problem.evaluate(evaluator), first));
  problem.labels = {4, 4};
  CHECK(!same_bits(problem.evaluate(evaluator), first));
}

TEST_CASE("nothing is allocated after the first pass") {
  Problem<ParallelVectorised, Tiny> problem({4, 8, 8});
  Net const& net = problem.net;
  Exec const exec;
  auto const x = problem.images(problem.image, problem.e, 3),
             d_out = problem.images(problem.d_out, problem.e, 6);
  auto const out = problem.unset_images(6);
  Arena<Exec> const gradients("gradients", net.parameters().extent(0));
  Net::Tape tape;
  Net::Evaluator evaluator(net);
  evaluator.set_labels(problem.labels);
  auto const pass = [&](auto const& x_part, auto const& out_part, auto const& d_part, int n) {
    auto const timesteps = std::span(problem.timesteps).first(n);
    net.forward(exec, x_part, timesteps, std::span(problem.labels).first(n), out_part, tape);
    net.backward(exec, d_part, gradients, tape);
    if (n == 4) evaluator(exec, x_part, timesteps, out_part);
  };
  pass(x, out, d_out, 4);
  std::int64_t const planned = tape.bytes(net, exec, problem.e);
  Allocations const allocations;
  for (int step = 0; step < 3; ++step) pass(x, out, d_out, 4);
  CHECK(allocations.count() == 0);
  CHECK(tape.bytes(net, exec, problem.e) == planned);
  CHECK(tape.bytes(net, exec, {8, 8, 8}) > planned);
  CHECK(allocations.count() == 0);  // planning takes none
}

TEST_CASE("backward refuses what doesn't fit its forward") {
  Exec const exec;
  Net const net;
  Net::Tape tape;
  std::vector<float> const times{1, 2};
  std::vector<int> const labels{0, 4};
  auto const x = images(2, 8, 8, 3), out = images(2, 8, 8, 6), d_out = images(2, 8, 8, 6);
  Arena<Exec> const gradients("gradients", net.parameters().extent(0)), few("gradients", 7);
  char const* const no_forward = "UNet::backward: expected a tape that forward() has just filled, found none";
  CHECK_THROWS_WITH_AS(net.backward(exec, d_out, gradients, tape), no_forward, Error);

  net.forward(exec, x, times, labels, out, tape);
  CHECK_THROWS_WITH_AS(net.backward(exec, x, gradients, tape),
                       "UNet output gradient: expected (2, 8, 8, 6), found (2, 8, 8, 3)", Error);
  CHECK_THROWS_WITH_AS(net.backward(exec, images(1, 8, 8, 6), gradients, tape),
                       "UNet output gradient: expected (2, 8, 8, 6), found (1, 8, 8, 6)", Error);
  CHECK_THROWS_AS(net.backward(exec, d_out, few, tape), Error);
  CHECK_THROWS_WITH_AS(net.backward(exec, d_out, gradients, tape, &x),
                       "UNet::backward: expected no image gradient, as forward() was told, found one", Error);
  CHECK_NOTHROW(net.backward(exec, d_out, gradients, tape));  // refusals use nothing up
  CHECK_THROWS_WITH_AS(net.backward(exec, d_out, gradients, tape), no_forward, Error);

  net.forward(exec, x, times, labels, out, tape, {}, /*with_image_gradient=*/true);
  CHECK_THROWS_AS(net.backward(exec, d_out, gradients, tape), Error);
  CHECK_THROWS_WITH_AS(net.backward(exec, d_out, gradients, tape, &d_out),
                       "UNet image gradient: expected (2, 8, 8, 3), found (2, 8, 8, 6)", Error);
  CHECK_NOTHROW(net.backward(exec, d_out, gradients, tape, &x));
}

TEST_CASE("what doesn't fit is refused with a sentence") {
  Net const net;
  Net::Tape tape;
  std::vector<float> const times{1, 2};
  std::vector<int> const labels{0, 4};
  auto const forward = [&](Images<Exec> const& x, Images<Exec> const& out, std::vector<float> const& t,
                           std::vector<int> const& y) { net.forward(Exec(), x, t, y, out, tape); };
  CHECK_THROWS_WITH_AS(forward(images(2, 8, 8, 1), images(2, 8, 8, 6), times, labels),
                       "UNet input: expected (N, H, W, 3) with H and W multiples of 2, found (2, 8, 8, 1)",
                       Error);
  CHECK_THROWS_WITH_AS(forward(images(2, 8, 7, 3), images(2, 8, 7, 6), times, labels),
                       "UNet input: expected (N, H, W, 3) with H and W multiples of 2, found (2, 8, 7, 3)",
                       Error);
  CHECK_THROWS_AS(forward(images(0, 8, 8, 3), images(0, 8, 8, 6), {}, {}), Error);
  CHECK_THROWS_WITH_AS(forward(images(2, 8, 8, 3), images(2, 8, 8, 3), times, labels),
                       "UNet output: expected the input's N, H, W and 6 channels, found (2, 8, 8, 3)", Error);
  CHECK_THROWS_WITH_AS(forward(images(2, 8, 8, 3), images(2, 8, 8, 6), {1}, labels),
                       "UNet timesteps: expected 2 of them, found 1", Error);
  CHECK_THROWS_WITH_AS(forward(images(2, 8, 8, 3), images(2, 8, 8, 6), times, {}),
                       "UNet labels: expected 2 of them, found 0", Error);
  CHECK_THROWS_WITH_AS(forward(images(2, 8, 8, 3), images(2, 8, 8, 6), times, {0, 5}),
                       "UNet labels: expected classes in [0, 5) or no_class, found 5", Error);
  CHECK_THROWS_AS(forward(images(2, 8, 8, 3), images(2, 8, 8, 6), times, {0, -2}), Error);
  CHECK_NOTHROW(forward(images(2, 8, 8, 3), images(2, 8, 8, 6), times, {0, no_class}));
  CHECK_NOTHROW(forward(images(2, 8, 8, 3), images(2, 8, 8, 6), times, labels));
  Net::Evaluator evaluator(net);
  CHECK_THROWS_AS(evaluator(Exec(), images(2, 8, 8, 3), times, images(2, 8, 8, 6)), Error);  // no labels
}

}  // namespace unet_tests
