// Checkpoints that glyphdiff 0.1.0 wrote load, sample and go on bit for bit. What the file holds is read here
// by another way, straight from its tensors.
#include "../arrays.hpp"
#include "../golden/checkpoints_0.1.0/runs.hpp"
#include "../golden/golden.hpp"
#include "../io/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <map>

namespace train_old_checkpoints_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

std::string old(std::string const& name) {
  return golden::path("checkpoints_0.1.0/" + name + ".safetensors");
}

/// The numbers of a file by name, as they lie there.
class Tensors {
 public:
  explicit Tensors(std::string const& path) : file_(path) {
    for (auto const& entry : file_.entries()) entries_[entry.name] = &entry;
  }

  template <class T>
  void read(std::string const& name, T* to) const {
    REQUIRE(entries_.contains(name));
    REQUIRE(entries_.at(name)->dtype == (sizeof(T) == 8 ? "F64" : sizeof(T) == 2 ? "BF16" : "F32"));
    file_.read(*entries_.at(name), 0, entries_.at(name)->bytes, to);
  }
  /// All parameters of a list, behind a prefix.
  template <class View>
  void fill(std::string const& prefix, ParameterList const& list, View const& arena) const {
    for (ParameterInfo const& info : list) read(prefix + info.name, arena.data() + info.offset);
  }
  std::int64_t step() const { return std::stoll(*find_value(file_.metadata(), "glyphdiff.step")); }

 private:
  SafetensorsFile file_;
  std::map<std::string, SafetensorsEntry const*> entries_;
};

template <class Trainer>
void fill_moments(Tensors const& file, ParameterList const& list, Trainer& trainer) {
  auto& adamw = trainer.adamw();
  adamw.steps = file.step();
  if (adamw.bfloat16()) {
    file.fill("adam_m.", list, adamw.first_moment_bfloat16);
    file.fill("adam_v.", list, adamw.second_moment_bfloat16);
  } else {
    file.fill("adam_m.", list, adamw.first_moment);
    file.fill("adam_v.", list, adamw.second_moment);
  }
}

/// Puts the run into the state of the file.
template <class Run>
void fill(Tensors const& file, Run& run) {
  auto& trainer = run.trainer;
  ParameterList const& list = trainer.trainable().list();
  file.fill("model.", list, trainer.trainable().values());
  for (auto const& average : trainer.ema().averages())
    file.fill(average_prefix(average.rate, average.width), list, average.values);
  fill_moments(file, list, trainer);
  if constexpr (requires { trainer.timestep_sampler().history(); }) {
    std::vector<double> history(40), counts(4);
    file.read("state.loss_history", history.data());
    file.read("state.loss_history_counts", counts.data());
    trainer.timestep_sampler().restore(history, {counts.begin(), counts.end()});
  }
  trainer.trainable().apply(trainer.exec(), trainer.trainable().values());
}
void fill(Tensors const& file, old_runs::Classifier& run) {
  file.fill("model.", run.net.parameter_list(), run.net.parameters());
  fill_moments(file, run.net.parameter_list(), run.trainer);
}

template <class Run>
std::vector<float> everything(Run& run) {
  auto all = joined({to_host(run.net.parameters())});
  if constexpr (requires { run.trainer.ema(); })
    for (auto const& average : run.trainer.ema().averages()) all = joined({all, to_host(average.values)});
  return all;
}

/// What the run does next: its losses to the last bit, then everything.
template <class Run>
std::vector<float> two_updates(Run& run) {
  std::vector<float> losses;
  for (int k = 0; k < 2; ++k) {
    double const loss = run.step();
    losses.resize(losses.size() + 2);
    std::memcpy(losses.data() + 2 * k, &loss, sizeof loss);
  }
  return joined({losses, everything(run)});
}

}  // namespace

TEST_CASE_TEMPLATE("a checkpoint of 0.1.0 goes on and samples bit for bit", Run, old_runs::Learned,
                   old_runs::Letter, old_runs::Bfloat16, old_runs::LowRank, old_runs::Norms,
                   old_runs::Classifier) {
  CAPTURE(Run::name);
  TemporaryFolder const folder;
  std::string const path = old(Run::name), saved = (folder / "again.safetensors").string();
  Run loaded, expected, again;
  auto const fresh = everything(loaded);
  load_checkpoint(path, loaded.trainer, Run::identity());
  CHECK(loaded.trainer.steps() == Run::saved_at);
  CHECK(!same_bits(everything(loaded), fresh));
  fill(Tensors(path), expected);
  CHECK(same_bits(everything(loaded), everything(expected)));

  // Saved anew it is a file of version 2, which goes on as well.
  save_checkpoint(saved, loaded.trainer, Run::identity());
  CHECK(*find_value(SafetensorsFile(saved).metadata(), "glyphdiff.checkpoint") == "2");
  load_checkpoint(saved, again.trainer, Run::identity());

  auto const wanted = two_updates(expected);
  CHECK(same_bits(two_updates(loaded), wanted));
  CHECK(same_bits(two_updates(again), wanted));
  if constexpr (requires { loaded.sample(); }) {
    auto const samples = to_host(expected.sample());
    CHECK(same_bits(to_host(loaded.sample()), samples));
    CHECK(same_bits(to_host(again.sample()), samples));
  } else {
    auto const share = [](Run& run) {
      return run.trainer.accuracy(old_runs::images_of(9), old_runs::labels_of(9), 100, 1);
    };
    CHECK(share(loaded) == share(expected));
  }
}

TEST_CASE("a snapshot of 0.1.0 holds its run's average to half precision") {
  using Run = old_runs::Letter;
  Run run;
  fill(Tensors(old("letter")), run);
  auto const table = parameter_blocks(run.net.parameter_list());
  std::vector<float> found(run.net.parameters().extent(0));
  SafetensorsTensors const file(old("snapshot"));
  CHECK(choose_weights(file, "") == "ema_0.9.");
  load_weights(file, "ema_0.9.", table, found.data());
  auto expected = to_host(run.trainer.ema().averages()[0].values);
  for (float& x : expected) x = detail::half_to_float(detail::float_to_half(x));
  CHECK(same_bits(found, expected));
}

TEST_CASE("a checkpoint of 0.1.0 of another run is refused") {
  old_runs::Letter run;
  CHECK_THROWS_WITH_AS(
      load_checkpoint(old("letter"), run.trainer, {{"preset", "Other"}}),
      doctest::Contains("is a checkpoint of another configuration: preset: checkpoint Letter, "
                        "this program Other; letters: checkpoint letters_a, 24"),
      Error);
  // Its timesteps were drawn by their losses.
  old_runs::Learned learned;
  Trainer<old_runs::Learned::Net, old_runs::Learned::Process, RescaledMse, UniformTimesteps> uniform(
      learned.exec, learned.net, old_runs::Learned::Process(), old_runs::Learned::options());
  CHECK_THROWS_WITH_AS(
      load_checkpoint(old("learned"), uniform, old_runs::Learned::identity()),
      doctest::Contains(
          "expected a run whose timesteps UniformTimesteps draws, found one with state.loss_history"),
      Error);
  CHECK(uniform.steps() == 0);
}

}  // namespace train_old_checkpoints_tests
