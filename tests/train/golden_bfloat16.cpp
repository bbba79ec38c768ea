// Ten updates of the reference's training in bfloat16.
//
// How far off may the losses be? What rounding does to a gradient, AdamW's first updates, which are all of
// one size, do to the parameters; so the test measures how far a training in floats strays whose weights were
// rounded to bfloat16 once, at its start. In bfloat16 an update is rounded some eight times as often
// (tests/unet/golden_bfloat16.cpp), which by the root of that is three times as far; ten updates are few
// enough for the distance to grow no more than in proportion.
#include "../arrays.hpp"
#include "../golden/golden.hpp"
#include "../sanitized.hpp"
#include "../unet/golden_models.hpp"

#include <glyphdiff/bfloat16.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/diffusion/process.hpp>
#include <glyphdiff/loss/training_loss.hpp>
#include <glyphdiff/optim/adamw.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/unet.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace train_golden_bfloat16_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

using Exec = Kokkos::DefaultHostExecutionSpace;

constexpr int updates = sanitized ? 1 : 11;

/// The losses of so many updates.
template <class Spec, class D, class Backend>
std::vector<double> losses(golden::Model const& model, bool rounded) {
  using Net = UNet<Spec, Exec, Backend>;
  Exec const exec;
  Runner<Exec, Backend> const runner(exec);
  Net net(exec, zero_parameters);
  auto parameters = model.parameters();
  for (float& p : parameters)
    if (rounded) p = bfloat16_to_float(float_to_bfloat16(p));
  Kokkos::deep_copy(net.parameters(), to_space<Exec>(parameters));
  D const diffusion;
  auto const x0 = model.array("train_x0"), noise = model.array("train_noise");
  auto const t = model.template array<std::int64_t>("train_t");
  std::vector<int> labels;
  if constexpr (Spec::config.classes > 0) {
    auto const y = model.template array<std::int64_t>("forward_y").values;
    labels.assign(y.begin(), y.end());
  }
  AdamW<Exec> adamw(net.parameter_list().total(), {.weight_decay = 0.01});
  Arena<Exec> const gradients("gradients", net.parameters().extent(0));
  typename Net::Tape tape;
  std::vector<double> result;
  for (int step = 0; step < updates; ++step) {
    auto const clean = golden::images<Exec>(x0[step]), eps = golden::images<Exec>(noise[step]);
    auto const like = [&](int channels) {
      return Images<Exec>("test", clean.extent(0), clean.extent(1), clean.extent(2), channels);
    };
    auto const x_t = like(Spec::config.channels), out = like(Spec::config.out_channels()),
               d_out = like(Spec::config.out_channels());
    auto const wide_times = t[step].values;
    std::vector<int> const times(wide_times.begin(), wide_times.end());
    q_sample(runner, diffusion, times, clean, eps, x_t);
    net.forward(exec, x_t, network_timesteps(diffusion, std::span<int const>(times)), labels, out, tape);
    auto const total = training_loss<RescaledMse>(runner, diffusion, times, {}, clean, eps, out, d_out).total;
    net.backward(exec, d_out, gradients, tape);
    adamw.update(runner, net.parameters(), gradients, 1e-3);
    result.push_back(std::accumulate(total.begin(), total.end(), 0.0) / double(total.size()));
  }
  return result;
}

template <class Spec, class D>
void check_bfloat16() {
  golden::Model const model(Spec::name);
  auto const expected = model.template array<double>("train_loss_mse_vb_gradnorm");
  auto const largest = [&](std::vector<double> const& found) {
    double result = 0;
    for (int step = 0; step < updates; ++step) {
      double const reference = expected[step].values[0];
      result = std::max(result, std::abs(found[std::size_t(step)] - reference) / reference);
    }
    return result;
  };
  double const once = largest(losses<Spec, D, kernels::Vectorised>(model, true)),
               half = largest(losses<Spec, D, kernels::PortableIn<bfloat16>>(model, false));
  INFO(std::string(Spec::name) << ": losses off by up to " << half << ", by " << once
                               << " in floats from rounded weights");
  CHECK(half > 1e-5);  // it was in bfloat16
  CHECK(half < (sanitized ? 0.01 : 3 * once));
}

}  // namespace

TEST_CASE("the three models train in bfloat16 as the reference does") {
  using Learned = Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>;
  check_bfloat16<golden::AdmTiny<false>, Learned>();
  if (sanitized) return;
  check_bfloat16<golden::IddpmTiny<false>, Learned>();
  check_bfloat16<golden::CondTiny<false>, Diffusion<CosineSchedule<1000>, Epsilon, FixedLarge>>();
}

}  // namespace train_golden_bfloat16_tests
