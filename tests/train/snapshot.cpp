#include "../arrays.hpp"
#include "../io/temporary_folder.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/train/checkpoint.hpp>

#include <doctest/doctest.h>

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

struct Tiny {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 8,
                                     .channel_mult = {1},
                                     .res_blocks = 1,
                                     .norm_groups = 4};
};

using Exec = Kokkos::DefaultExecutionSpace;
using Net = UNet<Tiny, Exec>;
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
