#include "files.hpp"

#include "../golden/golden.hpp"

#include <glyphdiff/checkpoint/open_tensor_file.hpp>
#include <glyphdiff/checkpoint/reference_run.hpp>
#include <glyphdiff/checkpoint/weights.hpp>
#include <glyphdiff/optim/adamw.hpp>

#include "../arrays.hpp"

#include <doctest/doctest.h>

namespace checkpoint_reference_run_tests {

using namespace glyphdiff;

namespace {

using Exec = Kokkos::DefaultExecutionSpace;

std::vector<ParameterBlock> const table{{"in.weight", {3, 2, 2}, 0, 12},
                                        {"in.bias", {3}, 16, 3},
                                        {"out.weight", {2, 3}, 19, 6},
                                        {"out.bias", {2}, 25, 2}};

/// The network of make.py, in an arena with a gap.
struct Run {
  Arena<Exec> p = test::unset<Exec>(27), e = test::unset<Exec>(27);
  AdamW<Exec> adamw{27};

  TrainingState state(std::vector<double> const& rates = {0.99}) {
    TrainingState s;
    s.table = table;
    s.parameters = p;
    for (double const rate : rates) s.averages.push_back({rate, e});
    s.optimizer = adamw_state(adamw.first_moment, adamw.second_moment);
    return s;
  }
};

std::vector<float> arena_of(std::string const& path) {
  std::vector<float> values(27);
  load_weights(*open_tensor_file(path), "", table, values.data());
  return values;
}

std::string model_of(std::string const& folder) {
  return golden::path("torch/" + folder + "/model000007.pt");
}

/// Compares two files tensor for tensor, bit for bit.
void check_same(std::string const& a, std::string const& b) {
  TorchFile const left(a), right(b);
  std::map<std::string, std::size_t> by_name;
  for (std::size_t i = 0; i < right.entries().size(); ++i) by_name[right.entries()[i].name] = i;
  for (std::size_t i = 0; i < left.entries().size(); ++i) {
    TensorEntry const& entry = left.entries()[i];
    if (entry.name.ends_with(".step")) continue;  // an integer in ours
    CAPTURE(entry.name);
    REQUIRE(by_name.contains(entry.name));
    CHECK(right.entries()[by_name[entry.name]].shape == entry.shape);
    std::vector<float> x(std::size_t(entry.count())), y(x.size());
    left.read(i, 0, entry.count(), x.data());
    right.read(by_name[entry.name], 0, entry.count(), y.data());
    CHECK(std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0);
  }
}

}  // namespace

TEST_CASE("runs of every kind load, go on as PyTorch does, and are saved as they were") {
  for (std::string const kind : {"per_parameter", "two_flat", "one_flat"}) {
    CAPTURE(kind);
    Run run;
    TrainingState state = run.state();
    ReferenceOptimizer const options = load_reference_run(model_of(kind), state);
    CHECK(state.step == 8);  // the file is called 7
    CHECK(options.learning_rate == 0.01);
    CHECK(options.beta1 == 0.9);
    CHECK(options.beta2 == 0.999);
    CHECK(options.eps == 1e-8);
    CHECK(options.weight_decay == 0.05);

    TemporaryFolder const folder;
    auto const moments = kind == "per_parameter" ? ReferenceMoments::per_parameter
                         : kind == "two_flat"    ? ReferenceMoments::two_flat
                                                 : ReferenceMoments::one_flat;
    std::string const saved = save_reference_run(folder.path().string(), state, options, moments);
    CHECK(saved == (folder / "model000008.pt").string());
    check_same(model_of(kind), saved);
    for (std::string const name : {"ema_0.99_00000", "opt00000"})
      check_same(golden::path("torch/" + kind + "/" + name + "7.pt"), (folder / (name + "8.pt")).string());
    Run again;
    TrainingState other = again.state();
    ReferenceOptimizer const same = load_reference_run(saved, other);
    CHECK(other.step == 8);
    CHECK(same.learning_rate == 0.01);
    CHECK(same.weight_decay == 0.05);

    // The ninth update.
    Exec const exec;
    auto const gradients =
        test::to_space<Exec>(arena_of(golden::path("torch/" + kind + "/ninth_gradient.pt")));
    Ema<Exec> const ema(exec, again.p, {0.99}, false);
    Kokkos::deep_copy(ema.averages()[0].values, again.e);
    again.adamw.options = {same.beta1, same.beta2, same.eps, same.weight_decay};
    again.adamw.steps = other.step;
    again.adamw.update(exec, again.p, gradients, same.learning_rate, ema);
    auto const near = [&](Arena<Exec> const& ours, std::string const& file) {
      auto const expected = arena_of(golden::path("torch/" + kind + "/" + file)), found = test::to_host(ours);
      for (ParameterBlock const& block : table)
        for (std::int64_t i = block.offset; i < block.offset + block.count; ++i)
          CHECK(std::abs(found[std::size_t(i)] - expected[std::size_t(i)]) <= 1e-6f);
    };
    near(again.p, "ninth_model.pt");
    near(ema.averages()[0].values, "ninth_ema.pt");
  }
}

TEST_CASE("files that are missing or don't fit are named, and nothing is changed") {
  Run run;
  TrainingState state = run.state();
  auto const error = [&](std::string const& path) {
    return files::message_of<Error>([&] { load_reference_run(path, state); });
  };
  CHECK(error(golden::path("torch/tensors.pt")) ==
        golden::path("torch/tensors.pt") +
            ": expected a name like model000010.pt, so that the run's other "
            "files can be found, found tensors.pt");
  std::string const model = model_of("per_parameter");
  state = run.state({0.99, 0.9999});
  CHECK(error(model) == golden::path("torch/per_parameter/ema_0.9999_000007.pt") +
                            ": expected the moving average of rate 0.9999 beside " + model +
                            ", found no such file");

  TemporaryFolder const folder;
  std::filesystem::copy(
      golden::path("torch/per_parameter"), folder.path(),
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  std::string const copy = (folder / "model000007.pt").string(),
                    optimizer = (folder / "opt000007.pt").string();
  state = run.state();
  std::filesystem::copy_file(golden::path("torch/nested.pt"), optimizer,
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(error(copy) == optimizer + ": expected the state of an optimiser, found a dict");
  state.table.pop_back();
  CHECK(error(model).find("out.bias is not part of it") != std::string::npos);
  state = run.state();
  state.table[1].shape = {1, 3};
  CHECK(error(model).find("in.bias is F32 (3) and not F32 (1,3)") != std::string::npos);
  std::filesystem::remove(optimizer);
  state = run.state();
  CHECK(error(copy) == optimizer + ": expected the optimiser's file beside " + copy + ", found no such file");
  auto const untouched = test::to_host(run.p);
  CHECK(std::isnan(untouched[0]));
  CHECK(state.step == 0);
}

TEST_CASE("a number that is not finite at the end of the last file leaves the state as it was") {
  TemporaryFolder const folder;
  Run run;
  TrainingState state = run.state();
  load_reference_run(model_of("per_parameter"), state);
  auto const last = Kokkos::subview(run.adamw.second_moment, std::pair(26, 27));
  Kokkos::deep_copy(last, NAN);
  std::string const model = save_reference_run(folder.path().string(), state, {});
  Run other;
  TrainingState untouched = other.state();
  CHECK(files::message_of<Error>([&] {
          load_reference_run(model, untouched);
        }).ends_with(": expected finite numbers, found one that is not in state.3.exp_avg_sq"));
  CHECK(untouched.step == 0);
  for (float const x : test::to_host(other.p)) CHECK(std::isnan(x));
  for (float const x : test::to_host(other.adamw.first_moment)) CHECK(x == 0.0f);
}

TEST_CASE("optimisers of other kinds are refused") {
  TemporaryFolder const folder;
  std::filesystem::copy(
      golden::path("torch/per_parameter"), folder.path(),
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  std::string const model = (folder / "model000007.pt").string(),
                    optimizer = (folder / "opt000007.pt").string();
  struct Change {
    std::vector<int> steps{8, 8, 8, 8};
    bool amsgrad = false;
    int parameters = 4;
    std::vector<std::int64_t> shape{};
    bool states = true;
    std::int64_t stride = 1;  // between the numbers of the parameters
  };
  auto const error = [&](Change const& change) {
    PickleWriter writer;
    std::vector<float> const zeros(12);
    std::vector<TensorSource> storages;
    writer.begin_dict().text("state").begin_dict();
    for (std::size_t i = 0; change.states && i < 4; ++i) {
      writer.integer(std::int64_t(i) * change.stride).begin_dict().text("step").integer(change.steps[i]);
      for (char const* const name : {"exp_avg", "exp_avg_sq"}) {
        auto const& shape = i == 1 && !change.shape.empty() ? change.shape : table[i].shape;
        writer.text(name).tensor(std::to_string(storages.size()), shape);
        storages.push_back(safetensors_source(name, shape, zeros.data()));
      }
      writer.end_dict();
    }
    writer.end_dict().text("param_groups").begin_list().begin_dict().text("lr").real(1e-4).text("betas");
    writer.begin_list()
        .real(0.9)
        .real(0.999)
        .end_list()
        .text("eps")
        .real(1e-8)
        .text("weight_decay")
        .integer(0);
    writer.text("amsgrad").boolean(change.amsgrad).text("params").begin_list();
    for (int i = 0; i < change.parameters; ++i) writer.integer(i * change.stride);
    write_torch_archive(optimizer, writer.end_list().end_dict().end_list().end_dict().finish(), storages);
    Run run;
    TrainingState state = run.state();
    state.step = 5;
    std::string const message = files::message_of<Error>([&] { load_reference_run(model, state); });
    if (message == "no error" && !change.states) {
      CHECK(state.step == 0);
      CHECK(test::to_host(run.adamw.first_moment)[26] == 0.0f);
    }
    return message;
  };
  CHECK(error({}) == "no error");
  CHECK(error({.states = false}) == "no error");
  CHECK(error({.stride = 140737488355328}) ==
        "no error");  // old versions number parameters by their addresses
  CHECK(error({.steps = {8, 8, 9, 8}}) ==
        optimizer + ": expected as many updates of every parameter, 8, found 9");
  CHECK(error({.steps = {-1, -1, -1, -1}}) != "no error");
  CHECK(error({.amsgrad = true}) ==
        optimizer + ": expected AdamW as it was published, found its variant amsgrad");
  CHECK(error({.parameters = 3}) ==
        optimizer + ": expected a state for each of 4 parameters, or one or two for all, found 3");
  CHECK(error({.parameters = 2}) != "no error");
  CHECK(error({.shape = {4}}) == optimizer + ": expected F32 (3) as state.1.exp_avg, found F32 (4)");
}

TEST_CASE(
    "power-function averages, which the reference doesn't know, are refused before anything is written") {
  TemporaryFolder const folder;
  Run run;
  TrainingState state = run.state();
  state.averages.push_back({0, run.e, 0.1});
  CHECK_THROWS_AS(load_reference_run(model_of("per_parameter"), state), Error);
  CHECK_THROWS_AS(save_reference_run(folder.path().string(), state, {}), Error);
  CHECK(files::count(folder) == 0);
}

}  // namespace checkpoint_reference_run_tests
