// What must be the same for a run to go on, and what may change.
#include "../arrays.hpp"
#include "../checkpoint/edited_file.hpp"
#include "../checkpoint/files.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/train/checkpoint.hpp>

#include <doctest/doctest.h>

namespace train_checkpoint_identity_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

struct Tiny {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 4,
                                     .channel_mult = {1},
                                     .res_blocks = 1,
                                     .norm_groups = 2};
};

using Exec = Kokkos::DefaultHostExecutionSpace;
using Net = UNet<Tiny, Exec>;

struct Linear10 : LinearSchedule<10> {
  static constexpr auto name = "ten";
};

struct Own {
  struct Nested {};
};

template <class D, class Objective = Mse, class Times = UniformTimesteps>
struct Run {
  Exec exec;
  Net net{exec, 1};
  Trainer<Net, D, Objective, Times> trainer;

  explicit Run(D process = D(), TrainOptions options = {})
      : trainer(exec, net, process, with_batch(options)) {}
  static TrainOptions with_batch(TrainOptions o) {
    o.batch = 4;
    return o;
  }
};

using Process = Diffusion<LinearSchedule<10>, Epsilon, FixedLarge>;

/// With a parameter that is known at run time, which it tells.
struct Described : ContinuousDiffusion<ContinuousCosine, V> {
  double shift;
  explicit Described(double s) : shift(s) {}
  KeyValues description() const { return {{"shift", detail::to_text(shift)}}; }
};

struct File {
  TemporaryFolder folder;
  std::string path = (folder / "run.safetensors").string();

  template <class R>
  std::string resume(R&& run, KeyValues const& more = {}) const {
    auto const before = to_host(run.net.parameters());
    std::string const message = files::message_of<Error>([&] { load_checkpoint(path, run.trainer, more); });
    if (message != "no error") CHECK(same_bits(to_host(run.net.parameters()), before));
    return message;
  }
  std::string other(std::string const& differences) const {
    return path + " is a checkpoint of another configuration: " + differences + ".";
  }
};

}  // namespace

TEST_CASE("a type's name is the one in its source") {
  CHECK(detail::type_name<Mse>() == "Mse");
  CHECK(detail::type_name<LinearSchedule<10>>() == "LinearSchedule<10>");
  CHECK(detail::type_name<ShiftedCosine<64, 32>>() == "ShiftedCosine<64,32>");
  CHECK(detail::type_name<Own::Nested>() == "Nested");  // also without "(anonymous namespace)"
  CHECK(detail::type_name<Process>() == "Diffusion<LinearSchedule<10>,Epsilon,FixedLarge>");
  CHECK(detail::type_name<std::vector<Own>>().starts_with("vector<Own"));
  CHECK(detail::part_name<Linear10>() == "ten");
}

TEST_CASE("a run's identity is readable in its checkpoint") {
  File const file;
  TrainOptions options;
  options.adamw.beta2 = 0.99;
  Run<Process> run(Process(), options);
  save_checkpoint(file.path, run.trainer, {{"letters", "a"}});
  SafetensorsFile const written(file.path);
  auto const says = [&](std::string const& key) {
    std::string const* const value = find_value(written.metadata(), key);
    return value == nullptr ? "none" : *value;
  };
  CHECK(says("optimizer") == "AdamW");
  CHECK(says("run.process.kind") == "Diffusion");
  CHECK(says("run.process.schedule") == "LinearSchedule<10>");
  CHECK(says("run.process.prediction") == "Epsilon");
  CHECK(says("run.process.variance") == "FixedLarge");
  CHECK(says("run.process.steps") == "10");
  CHECK(says("run.process.timesteps") == "0, 2, 4, 6, 9");
  CHECK(says("run.process.levels").starts_with("0.994987 0.1, "));
  CHECK(says("run.objective.kind") == "Mse");
  CHECK(says("run.objective.microbatches") == "mean");
  CHECK(says("run.timesteps.sampler") == "UniformTimesteps");
  CHECK(says("run.optimizer.beta2") == "0.99");
  CHECK(says("run.precision.parameters") == "float32");
  CHECK(says("run.precision.compute") == "float32");
  CHECK(says("config.model_channels") == "4");
  CHECK(says("config.letters") == "a");
  CHECK(says("note.learning_rate") != "none");
}

TEST_CASE("a run of another identity is refused in one sentence that says what differs") {
  File const file;
  Run<Process> run;
  save_checkpoint(file.path, run.trainer);
  CHECK(file.resume(Run<Process>()) == "no error");

  CHECK(file.resume(Run<Diffusion<LinearSchedule<10>, V, FixedLarge>>()) ==
        file.other("process.prediction: checkpoint Epsilon, this program V"));
  CHECK(file.resume(Run<Diffusion<LinearSchedule<10>, Epsilon, FixedSmall>>()) ==
        file.other("process.variance: checkpoint FixedLarge, this program FixedSmall"));
  std::string const cosine = file.resume(Run<Diffusion<CosineSchedule<10>, Epsilon, FixedLarge>>());
  CHECK(cosine.find("process.schedule: checkpoint LinearSchedule<10>, this program CosineSchedule<10>") !=
        std::string::npos);
  CHECK(cosine.find("process.levels") != std::string::npos);
  CHECK(file.resume(Run<Diffusion<LinearSchedule<20>, Epsilon, FixedLarge>>())
            .find("process.steps: checkpoint 10, this program 20") != std::string::npos);
  CHECK(file.resume(Run<Process>(Process(true)))
            .starts_with(file.other("process.timesteps: checkpoint 0, 2").substr(0, 90)));
  CHECK(file.resume(Run<Process, RescaledMse>()) ==
        file.other("objective.kind: checkpoint Mse, this program RescaledMse"));
  CHECK(file.resume(Run<Process, Mse, LossSecondMoment>()) ==
        file.other("timesteps.sampler: checkpoint UniformTimesteps, this program LossSecondMoment"));
  for (auto const& [name, change] :
       {std::pair<std::string, void (*)(AdamWOptions&)>("beta1", [](AdamWOptions& o) { o.beta1 = 0.5; }),
        {"beta2", [](AdamWOptions& o) { o.beta2 = 0.5; }},
        {"eps", [](AdamWOptions& o) { o.eps = 1e-5; }},
        {"weight_decay", [](AdamWOptions& o) { o.weight_decay = 0.5; }}}) {
    TrainOptions options;
    change(options.adamw);
    CHECK(file.resume(Run<Process>(Process(), options))
              .find("configuration: optimizer." + name + ": checkpoint ") != std::string::npos);
  }
  TrainOptions sum;
  sum.sum_microbatches = true;
  sum.microbatch = 2;
  CHECK(file.resume(Run<Process>(Process(), sum)) ==
        file.other("objective.microbatches: checkpoint mean, this program sum of 2"));
  using Continuous = ContinuousDiffusion<ContinuousCosine, V>;
  CHECK(file.resume(Run<Continuous, Mse, StratifiedTimesteps>())
            .find("process.kind: checkpoint Diffusion, this program ContinuousDiffusion") !=
        std::string::npos);
}

TEST_CASE("what a process tells of its own parameters is part of the identity") {
  File const file;
  Run<Described, Mse, StratifiedTimesteps> run(Described(1));
  save_checkpoint(file.path, run.trainer);
  CHECK(file.resume(Run<Described, Mse, StratifiedTimesteps>(Described(1))) == "no error");
  CHECK(file.resume(Run<Described, Mse, StratifiedTimesteps>(Described(2))) ==
        file.other("process.shift: checkpoint 1, this program 2"));
}

TEST_CASE("learning rate, clipping, microbatches, the moments' format and sampling steps may change") {
  File const file;
  using Continuous = ContinuousDiffusion<ContinuousCosine, V>;
  Run<Continuous, Mse, StratifiedTimesteps> run(Continuous(50));
  save_checkpoint(file.path, run.trainer);
  TrainOptions options;
  options.learning_rate = {.peak = 0.5, .warm_up = 7};
  options.clip_norm = 1;
  options.microbatch = 2;
  options.adamw.moments = MomentFormat::bfloat16;
  CHECK(file.resume(Run<Continuous, Mse, StratifiedTimesteps>(Continuous(10), options)) == "no error");
}

TEST_CASE("the data is compared where both sides say it") {
  File const file;
  HostImages const images("images", 2, 8, 8, 1);
  auto const data = data_identity("letters_a", images);
  CHECK(data.first == "data");
  CHECK(data.second.starts_with("letters_a, 2 of 8x8x1, xxh64 "));
  images(1, 7, 7, 0) = 0.5f;
  auto const changed = data_identity("letters_a", images);
  CHECK(data != changed);

  Run<Process> run;
  save_checkpoint(file.path, run.trainer, {data});
  CHECK(file.resume(Run<Process>(), {data}) == "no error");
  CHECK(file.resume(Run<Process>()) == "no error");
  CHECK(file.resume(Run<Process>(), {changed}) ==
        file.other("data: checkpoint " + data.second + ", this program " + changed.second));
  save_checkpoint(file.path, run.trainer);
  CHECK(file.resume(Run<Process>(), {changed}) == "no error");
}

TEST_CASE("a key that came later has its default in older files, and a key of a newer program is refused") {
  File const file;
  Run<Process> run;
  TrainingState state = training_state(run.trainer);
  save_checkpoint(file.path, run.trainer);
  auto const load = [&] { return files::message_of<Error>([&] { load_checkpoint(file.path, state); }); };
  state.identity.emplace_back("process.later", "on");
  CHECK(load() == file.other("process.later: checkpoint has none, this program on"));
  state.defaults.emplace_back("process.later", "on");
  CHECK(load() == "no error");
  state.identity.back().second = "off";
  CHECK(load() == file.other("process.later: checkpoint on, this program off"));

  files::Edited newer(file.path);
  newer.value("run.process.newer") = "1";
  newer.write(file.path);
  CHECK(file.resume(Run<Process>()) == file.other("process.newer: checkpoint 1, this program has none"));
}

}  // namespace train_checkpoint_identity_tests
