#include "../arrays.hpp"
#include "../io/temporary_folder.hpp"
#include "../small_networks.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/train/checkpoint.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

namespace train_checkpoint_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

using Exec = Kokkos::DefaultExecutionSpace;

/// A network, made anew, and its trainer.
struct Run {
  using Net = UNet<OneLevel, Exec>;
  using Process = ContinuousDiffusion<ContinuousCosine, V>;
  Net net{Exec(), 1};
  Trainer<Net, Process> trainer;

  explicit Run(MomentFormat moments, std::string const& ema_folder = "")
      : trainer(Exec(), net, Process(), options(moments, ema_folder)) {}

  static TrainOptions options(MomentFormat moments, std::string const& ema_folder) {
    TrainOptions o;
    o.batch = 2;
    o.learning_rate.peak = 1e-2;
    o.ema_rates = {0.5, 0.9};
    o.ema_widths = {0.05, 0.1, 0.15};
    o.adamw.moments = moments;
    o.ema_folder = ema_folder;
    return o;
  }
  void steps(int count) {
    HostImages const batch("batch", 2, 8, 8, 1);
    auto const numbers = values(batch.size(), 1);
    std::copy(numbers.begin(), numbers.end(), batch.data());
    for (int k = 0; k < count; ++k) trainer.step(batch);
  }
  /// The first moment, then the second.
  std::vector<float> moments() {
    TrainingState const state = training_state(trainer);
    std::size_t const count = net.parameters().extent(0);
    std::vector<float> both(2 * count);
    state.optimizer.array("first_moment").read(0, std::int64_t(count), both.data());
    state.optimizer.array("second_moment").read(0, std::int64_t(count), both.data() + count);
    return both;
  }
  std::vector<float> state() {
    auto all = joined({to_host(net.parameters()), moments()});
    for (auto const& average : trainer.ema().averages()) all = joined({all, to_host(average.values)});
    return all;
  }
};

std::string dtype_of(std::string const& path, std::string const& prefix) {
  SafetensorsTensors const file(path);
  for (TensorEntry const& entry : file.entries())
    if (entry.name.starts_with(prefix)) return entry.dtype;
  return "none";
}

}  // namespace

TEST_CASE("a run with moments in bfloat16 and averages on disk goes on from its checkpoint bit for bit") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string(), disk = folder.path().string();
  Run first(MomentFormat::bfloat16, disk);
  first.steps(3);
  save_checkpoint(path, first.trainer);
  first.steps(2);
  CHECK(dtype_of(path, "optimizer.first_moment.") == "BF16");
  CHECK(dtype_of(path, "optimizer.second_moment.") == "BF16");
  CHECK(dtype_of(path, "ema_0.5.") == "F32");

  for (bool on_disk : {false, true}) {  // where averages lie is no part of a run's identity
    CAPTURE(on_disk);
    Run second(MomentFormat::bfloat16, on_disk ? disk : "");
    load_checkpoint(path, second.trainer);
    second.steps(2);
    CHECK(same_bits(first.state(), second.state()));
  }
}

TEST_CASE("snapshots of averages on disk are those of averages in memory") {
  TemporaryFolder const folder;
  Run memory(MomentFormat::float32), disk(MomentFormat::float32, folder.path().string());
  std::vector<std::vector<float>> found;
  for (Run* run : {&memory, &disk}) {
    run->steps(3);
    std::string const path = (folder / "snapshot.safetensors").string();
    save_snapshot(path, run->trainer);
    auto& weights = found.emplace_back(run->net.parameters().extent(0));
    load_weights(path, "ema_power_0.1.", parameter_blocks(run->net.parameter_list()), weights.data());
  }
  CHECK(same_bits(found[0], found[1]));
}

TEST_CASE("moments of the other format are converted, to bfloat16 by rounding to the nearest") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  Run wide(MomentFormat::float32), narrow(MomentFormat::bfloat16);
  wide.steps(2);
  save_checkpoint(path, wide.trainer);
  load_checkpoint(path, narrow.trainer);
  CHECK(narrow.trainer.steps() == 2);
  auto expected = wide.moments();
  for (float& x : expected) x = bfloat16_to_float(float_to_bfloat16(x));
  CHECK(same_bits(narrow.moments(), expected));

  save_checkpoint(path, narrow.trainer);
  load_checkpoint(path, wide.trainer);
  CHECK(same_bits(wide.moments(), expected));
}

}  // namespace train_checkpoint_tests
