// Sampling at another size than the network was trained at.
#include "../arrays.hpp"
#include "../golden/golden.hpp"
#include "../nn/layer_check.hpp"
#include "samplers.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/unet.hpp>

#include <doctest/doctest.h>

namespace sampler_other_size_tests {

using namespace glyphdiff;

namespace {

using Exec = Kokkos::DefaultExecutionSpace;

/// The same network for images of `size`: attention stays at the factor, half the size.
template <int size>
struct Small {
  static constexpr UNetConfig config{.image_size = size,
                                     .channels = 1,
                                     .learned_sigma = true,
                                     .model_channels = 8,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .attention_resolutions = {size / 2},
                                     .num_heads = 2,
                                     .resblock_updown = true,
                                     .norm_groups = 4};
};

/// Two pictures drawn at a size, from parameters that leave nothing 0.
template <class Spec, class Sample>
std::vector<float> drawn(int height, int width, Sample const& sample) {
  Exec const exec;
  UNet<Spec, Exec> net(exec);
  auto const parameters = test::random_parameters(net.parameter_list());
  Kokkos::deep_copy(net.parameters(), test::to_space<Exec>(parameters));
  typename UNet<Spec, Exec>::Evaluator model(net);
  Images<Exec> const x("x", 2, height, width, 1);
  auto const diffusion = Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>().respaced("5");
  sample(exec, diffusion, model, x, SeededNoise{1}, true, NoProgress{});
  return golden::from_images(x).values;
}

}  // namespace

TEST_CASE("a network draws at twice the size it was trained at, and at any other, with every sampler") {
  for_each_sampler([&](std::string const& name, bool, auto const& sample) {
    CAPTURE(name);
    auto const large = drawn<Small<8>>(16, 16, sample);
    CHECK(large == drawn<Small<16>>(16, 16, sample));
    for (float const value : large) CHECK(std::isfinite(value));
    for (float const value : drawn<Small<8>>(4, 10, sample)) CHECK(std::isfinite(value));
  });
}

}  // namespace sampler_other_size_tests
