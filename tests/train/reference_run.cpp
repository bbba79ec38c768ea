// A run of the reference after ten updates goes on here, with its eleventh batch. The files take 18 MB and
// lie outside of the repository; tests/golden/README.md says what they are.
#include "../arrays.hpp"
#include "../golden/golden.hpp"
#include "../io/temporary_folder.hpp"
#include "../unet/golden_models.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/diffusion/process.hpp>
#include <glyphdiff/loss/training_loss.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/train/reference_run.hpp>
#include <glyphdiff/unet.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <numeric>

namespace train_reference_run_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

using Exec = Kokkos::DefaultExecutionSpace;
using Spec = golden::IddpmTiny<false>;
using Net = UNet<Spec, Exec>;
using D = Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>;
using Coach = Trainer<Net, D>;

TrainOptions options() {
  TrainOptions o;
  o.learning_rate.peak = 1e-3;
  o.adamw.weight_decay = 0.01;
  o.ema_rates = {0.99};
  o.ema_warm_up = false;
  return o;
}

double mean(std::vector<double> const& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / double(v.size());
}

/// The eleventh update, with the reference's own timesteps and noise, which the trainer would draw otherwise.
/// Returns the loss.
double update(Coach& trainer, golden::Model const& model) {
  Exec const exec;
  int const step = 10;
  auto const clean = golden::images<Exec>(model.array("train_x0")[step]),
             eps = golden::images<Exec>(model.array("train_noise")[step]);
  auto const like = [&](int channels) {
    return Images<Exec>("test", clean.extent(0), clean.extent(1), clean.extent(2), channels);
  };
  auto const x_t = like(3), out = like(6), d_out = like(6);
  auto const wide_times = model.array<std::int64_t>("train_t")[step].values;
  std::vector<int> const times(wide_times.begin(), wide_times.end());
  D const diffusion;
  Arena<Exec> const gradients("gradients", trainer.net().parameters().extent(0));
  typename Net::Tape tape;
  q_sample(exec, diffusion, times, clean, eps, x_t);
  trainer.net().forward(exec, x_t, network_timesteps(diffusion, std::span<int const>(times)), {}, out, tape);
  LossReport const loss = training_loss<RescaledMse>(exec, diffusion, times, {}, clean, eps, out, d_out);
  trainer.net().backward(exec, d_out, gradients, tape);
  trainer.adamw().update(exec, trainer.net().parameters(), gradients, 1e-3, trainer.ema());
  return mean(loss.total);
}

}  // namespace

TEST_CASE("a trainer's state goes through the reference's files and comes back bit for bit") {
  TemporaryFolder const folder;
  Exec const exec;
  Net net(exec, 1), other(exec, 2);
  Coach trainer(exec, net, D(), options()), resumed(exec, other, D(), options());
  std::int64_t const count = net.parameter_list().total();
  Kokkos::deep_copy(trainer.adamw().first_moment, to_space<Exec>(values(count, 3)));
  Kokkos::deep_copy(trainer.adamw().second_moment, to_space<Exec>(values(count, 4)));
  Kokkos::deep_copy(trainer.ema().averages()[0].values, to_space<Exec>(values(count, 5)));
  trainer.adamw().steps = 1234567;
  for (auto const moments :
       {ReferenceMoments::per_parameter, ReferenceMoments::two_flat, ReferenceMoments::one_flat}) {
    std::string const path = save_reference_run(folder.path().string(), trainer, moments);
    CHECK(path == (folder / "model1234567.pt").string());
    Kokkos::deep_copy(other.parameters(), 0.0f);
    ReferenceOptimizer const found = load_reference_run(path, resumed);
    CHECK(found.learning_rate == 1e-3);
    CHECK(found.weight_decay == 0.01);
    CHECK(resumed.steps() == 1234567);
    CHECK(to_host(other.parameters()) == to_host(net.parameters()));
    CHECK(to_host(resumed.adamw().first_moment) == to_host(trainer.adamw().first_moment));
    CHECK(to_host(resumed.adamw().second_moment) == to_host(trainer.adamw().second_moment));
    CHECK(to_host(resumed.ema().averages()[0].values) == to_host(trainer.ema().averages()[0].values));
  }
}

TEST_CASE("bfloat16 moments go through the reference's files in single precision") {
  TemporaryFolder const folder;
  Exec const exec;
  Net net(exec, 1);
  auto half = options();
  half.adamw.moments = MomentFormat::bfloat16;
  Coach trainer(exec, net, D(), half), resumed(exec, net, D(), half), single(exec, net, D(), options());
  auto const host = Kokkos::create_mirror_view(trainer.adamw().first_moment_bfloat16);
  for (std::size_t i = 0; i < host.extent(0); ++i) host(i) = std::uint16_t(i % 0x7f80);
  Kokkos::deep_copy(trainer.adamw().first_moment_bfloat16, host);
  std::string const path = save_reference_run(folder.path().string(), trainer);
  load_reference_run(path, single);
  load_reference_run(path, resumed);
  auto const floats = to_host(single.adamw().first_moment);
  auto const again =
      Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), resumed.adamw().first_moment_bfloat16);
  for (std::size_t i = 0; i < host.extent(0); ++i) {
    REQUIRE(floats[i] == bfloat16_to_float(host(i)));
    REQUIRE(again(i) == host(i));
  }
}

TEST_CASE("the reference's own run goes on as it did there") {
  char const* const folder = std::getenv("GLYPHDIFF_REFERENCE_RUN");
  if (folder == nullptr) {
    MESSAGE("skipped: GLYPHDIFF_REFERENCE_RUN names no folder with model000010.pt of iddpm_tiny");
    return;
  }
  Exec const exec;
  Net net(exec, 1);
  Coach trainer(exec, net, D(), options());
  load_reference_run(std::string(folder) + "/model000010.pt", trainer);
  CHECK(trainer.steps() == 10);

  golden::Model const model("iddpm_tiny");
  CHECK(model.share_within(0, "train_params_after10", to_host(net.parameters())) == 1);
  auto const expected = model.array<double>("train_loss_mse_vb_gradnorm")[10].values;
  CHECK(golden::near(update(trainer, model), expected[0], 5e-5));
  auto const average = to_host(trainer.ema().averages()[0].values);
  // One update at rate 0.99 moves an average by at most 2e-5, so all of it must be right.
  CHECK(model.share_within(1e-6, "train_final_ema", average) > 0.99);
  CHECK(model.share_within(2e-5, "train_final_ema", average) == 1);
}

}  // namespace train_reference_run_tests
