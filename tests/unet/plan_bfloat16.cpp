#include "../spaces.hpp"

#include <glyphdiff/presets.hpp>

#include <doctest/doctest.h>

namespace unet_plan_bfloat16_tests {

using namespace glyphdiff;

namespace {

/// Bytes of activations, gradients and scratch of a training pass, and of packed weights.
template <class Spec, class Backend>
std::pair<std::int64_t, std::int64_t> planned(Extent images) {
  using Exec = test::Parallel;
  using Layers = nn::UNetLayers<Spec>;
  Layers layers;
  layers.declare();
  Exec const exec;
  Workspace<Exec> workspace;
  typename Backend::template Context<Exec> context;
  MemoryPlan const plan = workspace.plan([&] {
    Pass<Exec, Backend> pass{.exec = exec, .context = context, .workspace = workspace, .training = true};
    typename Layers::Tape tape;
    layers.forward(pass, images, {}, {}, {}, {}, tape);
    layers.backward(pass, {}, {}, {}, tape);
  });
  return {plan.bytes(), context.bytes()};
}

}  // namespace

TEST_CASE("a training pass in bfloat16 takes little more than half the memory") {
  using kernels::Portable, kernels::PortableIn;
  using Spec = presets::IddpmLsun256;
  for (int const n : {1, 8}) {
    auto const [floats, packed] = planned<Spec, Portable>({n, 256, 256});
    auto const [half, packed_half] = planned<Spec, PortableIn<bfloat16>>({n, 256, 256});
    CAPTURE(floats);
    CAPTURE(half);
    CHECK(double(half) <= 0.56 * double(floats));
    CHECK(double(packed_half) <= 0.56 * double(packed));
  }
}

}  // namespace unet_plan_bfloat16_tests
