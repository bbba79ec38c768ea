// The reference's sampling runs, step by step: its weights, its start and its noise.
#include "../arrays.hpp"
#include "../golden/golden.hpp"
#include "../unet/golden_models.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/sampler/ddim.hpp>
#include <glyphdiff/sampler/ddpm.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/unet.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace sampler_golden_trajectories_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

using Exec = Kokkos::DefaultExecutionSpace;

/// The noise on file: first the start, then one array for every step.
struct RecordedNoise {
  golden::Array<float> noise;

  void start(Exec const&, Images<Exec> const& x) const {
    Kokkos::deep_copy(x, golden::images<Exec>(noise[0]));
  }
  void step(Exec const&, int number, Images<Exec> const& x) const {
    Kokkos::deep_copy(x, golden::images<Exec>(noise[number + 1]));
  }
};

template <class Spec, class D>
void check_trajectories() {
  Exec const exec;
  golden::Model const model(Spec::name);
  UNet<Spec, Exec> net(exec);
  Kokkos::deep_copy(net.parameters(), to_space<Exec>(model.parameters()));
  typename UNet<Spec, Exec>::Evaluator evaluator(net);
  if constexpr (Spec::config.classes > 0) {
    auto const y = model.template array<std::int64_t>("forward_y").values;
    evaluator.set_labels({y.begin(), y.end()});
  }

  auto const run = [&](std::string const& name, char const* respacing, auto const& sample) {
    CAPTURE(name);
    D const diffusion = D().respaced(respacing);
    auto const timesteps = model.template array<std::int64_t>(name + "_timesteps").values;
    REQUIRE(diffusion.steps() == int(timesteps.size()));
    for (int t = 0; t < diffusion.steps(); ++t) CHECK(diffusion.original_timestep(t) == timesteps[t]);

    RecordedNoise const noise{model.array(name + "_noise")};
    auto const expected = model.array(name + "_x");
    auto const x = golden::images<Exec>(noise.noise[0]);
    double worst = 0;
    int seen = 0;
    sample(diffusion, x, noise, [&](int done, int, Images<Exec> const& at) {
      worst = std::max(worst, golden::relative_difference(golden::from_images(at), expected[done - 1]));
      ++seen;
    });
    CHECK(seen == expected.extent(0));
    CHECK(worst < 2e-4);  // ten evaluations, each good to 5e-5, feed one another
  };
  run("sample_ancestral10", "10",
      [&](D const& diffusion, auto const& x, auto const& noise, auto const& progress) {
        ddpm_sample(exec, diffusion, evaluator, x, noise, {}, progress);
      });
  run("sample_ddim10", "ddim10",
      [&](D const& diffusion, auto const& x, auto const& noise, auto const& progress) {
        ddim_sample(exec, diffusion, evaluator, x, noise, {}, progress);
      });
  run("sample_ddim10_eta05", "ddim10",
      [&](D const& diffusion, auto const& x, auto const& noise, auto const& progress) {
        ddim_sample(exec, diffusion, evaluator, x, noise, {.eta = 0.5}, progress);
      });
}

}  // namespace

TEST_CASE("adm_tiny samples as the reference does") {
  check_trajectories<golden::AdmTiny<true>, Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>>();
}

TEST_CASE("iddpm_tiny samples as the reference does") {
  check_trajectories<golden::IddpmTiny<true>, Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>>();
}

TEST_CASE("cond_tiny samples as the reference does") {
  check_trajectories<golden::CondTiny<true>, Diffusion<CosineSchedule<1000>, Epsilon, FixedLarge>>();
}

}  // namespace sampler_golden_trajectories_tests
