// The reference's training, update by update: its batches, timesteps and noise; our loss, gradients, AdamW
// and EMA.
#include "../arrays.hpp"
#include "../golden/golden.hpp"
#include "../unet/golden_models.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/diffusion/process.hpp>
#include <glyphdiff/loss/training_loss.hpp>
#include <glyphdiff/optim/adamw.hpp>
#include <glyphdiff/optim/gradient_norm.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/unet.hpp>

#include <doctest/doctest.h>

#include <numeric>

namespace train_golden_training_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

using Exec = Kokkos::DefaultExecutionSpace;

double mean(std::vector<double> const& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / double(v.size());
}

template <class Spec, class D>
void check_training() {
  using Net = UNet<Spec, Exec>;
  Exec const exec;
  golden::Model const model(Spec::name);
  Net net(exec);
  Kokkos::deep_copy(net.parameters(), to_space<Exec>(model.parameters()));
  D const diffusion;
  auto const x0 = model.array("train_x0"), noise = model.array("train_noise");
  auto const t = model.template array<std::int64_t>("train_t");
  auto const expected = model.template array<double>("train_loss_mse_vb_gradnorm");
  std::vector<int> labels;
  if constexpr (Spec::config.classes > 0) {
    auto const y = model.template array<std::int64_t>("forward_y").values;
    labels.assign(y.begin(), y.end());
  }
  REQUIRE(expected.shape == std::vector<int>{11, 4});

  AdamW<Exec> adamw(net.parameter_list().total(), {.weight_decay = 0.01});
  Ema<Exec> const ema(exec, net.parameters(), {0.99}, /*warm_up=*/false);
  GradientNorm<Exec> norm;
  Arena<Exec> const gradients("gradients", net.parameters().extent(0));
  typename Net::Tape tape;
  for (int step = 0; step < 11; ++step) {
    CAPTURE(step);
    auto const clean = golden::images<Exec>(x0[step]), eps = golden::images<Exec>(noise[step]);
    auto const like = [&](int channels) {
      return Images<Exec>("test", clean.extent(0), clean.extent(1), clean.extent(2), channels);
    };
    auto const x_t = like(Spec::config.channels), out = like(Spec::config.out_channels()),
               d_out = like(Spec::config.out_channels());
    auto const wide_times = t[step].values;
    std::vector<int> const times(wide_times.begin(), wide_times.end());
    q_sample(exec, diffusion, times, clean, eps, x_t);
    net.forward(exec, x_t, network_timesteps(diffusion, std::span<int const>(times)), labels, out, tape);
    LossReport const loss = training_loss<RescaledMse>(exec, diffusion, times, {}, clean, eps, out, d_out);
    net.backward(exec, d_out, gradients, tape);

    auto const numbers = expected[step].values;
    CHECK(golden::near(mean(loss.total), numbers[0], 5e-4));
    CHECK(golden::near(mean(loss.mse), numbers[1], 5e-4));
    CHECK(std::abs(mean(loss.vb) - numbers[2]) <= 5e-4 * numbers[0]);
    CHECK(golden::near(norm(exec, gradients), numbers[3], 1e-3));
    adamw.update(exec, net.parameters(), gradients, 1e-3, ema);
    if (step == 9) {
      // Ten updates change a parameter by 4e-3 (root mean square). Where a gradient is all rounding, as that
      // of a bias before a norm, AdamW makes whole updates of it: PyTorch differs from itself by 7e-3 there.
      auto const found = to_host(net.parameters());
      CHECK(model.share_within(2e-4, "train_params_after10", found) > 0.98);
      CHECK(model.share_within(1.2e-2, "train_params_after10", found) == 1);
    }
  }
  // And of the average, 3e-4.
  CHECK(model.share_within(1.5e-5, "train_final_ema", to_host(ema.averages()[0].values)) > 0.95);
}

}  // namespace

TEST_CASE("adm_tiny trains as the reference does") {
  check_training<golden::AdmTiny<false>, Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>>();
}

TEST_CASE("iddpm_tiny trains as the reference does") {
  check_training<golden::IddpmTiny<false>, Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>>();
}

TEST_CASE("cond_tiny trains as the reference does") {
  check_training<golden::CondTiny<false>, Diffusion<CosineSchedule<1000>, Epsilon, FixedLarge>>();
}

}  // namespace train_golden_training_tests
