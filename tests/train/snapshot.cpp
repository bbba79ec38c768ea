#include "../arrays.hpp"
#include "../io/temporary_folder.hpp"
#include "../small_networks.hpp"

#include <glyphdiff/checkpoint/post_hoc_average.hpp>
#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/train/checkpoint.hpp>

#include <doctest/doctest.h>

namespace train_snapshot_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

using Exec = Kokkos::DefaultExecutionSpace;
using Net = UNet<OneLevel, Exec>;
using Coach = Trainer<Net, ContinuousDiffusion<ContinuousCosine, V>>;

bool is_vector(ParameterInfo const& info) { return info.shape.size() == 1; }

}  // namespace

TEST_CASE("a snapshot holds every average as a whole network, to half precision or exactly") {
  TemporaryFolder const folder;
  std::string const path = folder.path() / "snapshot.safetensors";
  Exec const exec;
  for (bool part : {false, true})
    for (bool full : {false, true}) {
      CAPTURE(part);
      CAPTURE(full);
      Net net(exec, 1);
      TrainOptions options;
      options.batch = 2;
      options.learning_rate.peak = 1e-2;
      options.ema_rates = {0.5};
      options.ema_widths = {0.1};
      auto trainable = part ? Trainable<Net>(exec, net, ParameterSelection(net.parameter_list(), is_vector))
                            : Trainable<Net>(exec, net);
      Coach trainer(exec, net, ContinuousDiffusion<ContinuousCosine, V>(), options, std::move(trainable));
      HostImages const batch("batch", 2, 8, 8, 1);
      for (int step = 0; step < 3; ++step) trainer.step(batch);
      auto const before = to_host(net.parameters());
      save_checkpoint(path, trainer);
      if (!part)  // moments are no weights
        CHECK(weight_sets(SafetensorsTensors(path)) ==
              std::vector<std::string>{"model.", "ema_0.5.", "ema_power_0.1."});
      save_snapshot(path, trainer, {{"preset", "Tiny"}}, full);
      CHECK(same_bits(to_host(net.parameters()), before));

      SafetensorsTensors const file(path);
      CHECK(weight_sets(file) == std::vector<std::string>{"ema_0.5.", "ema_power_0.1."});
      CHECK(choose_weights(file, "") == "ema_0.5.");
      CHECK(choose_weights(file, "ema_power_0.1") == "ema_power_0.1.");
      CHECK_THROWS_WITH_AS(choose_weights(file, "model"),
                           (path + ": expected weights named model, found ema_0.5, ema_power_0.1").c_str(),
                           Error);
      CHECK(*find_value(file.metadata(), "config.preset") == "Tiny");
      for (auto const& average : trainer.ema().averages()) {
        std::vector<float> expected, found(before.size());
        trainer.trainable().with(exec, average.values, [&](auto const& arena) { expected = to_host(arena); });
        load_weights(file, average_prefix(average.rate, average.width),
                     parameter_blocks(net.parameter_list()), found.data());
        if (full)
          CHECK(same_bits(found, expected));
        else
          CHECK(relative_error(found, expected) < 5e-4);
        CHECK(!same_bits(expected, before));
      }
    }
}

TEST_CASE("an average of any width is composed from a run's snapshots") {
  TemporaryFolder const folder;
  Exec const exec;
  Net net(exec, 1);
  TrainOptions options;
  options.batch = 2;
  options.learning_rate.peak = 1e-3;
  options.ema_rates = {};
  options.ema_widths = {0.05, 0.1, 0.15};
  Coach trainer(exec, net, ContinuousDiffusion<ContinuousCosine, V>(), options);
  HostImages const batch("batch", 2, 8, 8, 1);
  auto const numbers = values(batch.size(), 1);
  std::copy(numbers.begin(), numbers.end(), batch.data());
  auto const start = to_host(net.parameters());
  auto const file = [&](int step) {
    return (folder.path() / ("step_" + std::to_string(step) + ".safetensors")).string();
  };
  for (int step = 1; step <= 160; ++step) {
    trainer.step(batch);
    if (step % 20 == 0) save_snapshot(file(100 + step), trainer, {}, true);
  }
  auto const truth = [&](std::size_t k) { return to_host(trainer.ema().averages()[k].values); };
  auto const moved = [&](std::vector<float> v) {  // what differs is how far the parameters have come
    for (std::size_t i = 0; i < v.size(); ++i) v[i] -= start[i];
    return v;
  };
  auto const table = parameter_blocks(net.parameter_list());
  std::vector<float> found(start.size());
  load_post_hoc_average(folder.path(), 0.1, 0, table, found.data());
  CHECK(relative_error(moved(found), moved(truth(1))) < 1e-3);
  // 0.12 is not kept: between its neighbours, and near neither.
  load_post_hoc_average(folder.path(), 0.12, 0, table, found.data());
  CHECK(relative_error(moved(found), moved(truth(1))) < relative_error(moved(truth(2)), moved(truth(1))));
  CHECK(relative_error(moved(found), moved(truth(1))) > 1e-3);
  load_post_hoc_average(folder.path(), 0.1, 80, table, found.data());
  CHECK(relative_error(moved(found), moved(truth(1))) > 0.1);  // an earlier moment
  CHECK_THROWS_AS(load_post_hoc_average(folder.path() / "none", 0.1, 0, table, found.data()), Error);
}

}  // namespace train_snapshot_tests
