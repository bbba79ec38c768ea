// A checkpoint that is damaged in any part, or of another run, changes no bit of a trainer.
#include "../arrays.hpp"
#include "../checkpoint/edited_file.hpp"
#include "../checkpoint/files.hpp"
#include "../golden/checkpoints_0.1.0/runs.hpp"
#include "../sanitized.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace train_damaged_checkpoints_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

constexpr std::size_t stride = sanitized ? 7 : 1;  ///< tensors from one that is damaged to the next
constexpr double not_finite[] = {NAN, INFINITY, -INFINITY};

template <class View>
void append(std::vector<float>& all, View const& arena) {
  if constexpr (std::is_same_v<typename View::value_type, float>) {
    all.insert(all.end(), arena.data(), arena.data() + arena.extent(0));
  } else {
    for (std::size_t i = 0; i < arena.extent(0); ++i) all.push_back(float(arena(i)));
  }
}

/// All that a trainer's next update depends on.
template <class Run>
std::vector<float> everything(Run& run) {
  std::vector<float> all;
  append(all, run.net.parameters());
  auto& adamw = run.trainer.adamw();
  append(all, adamw.first_moment);
  append(all, adamw.second_moment);
  append(all, adamw.first_moment_bfloat16);
  append(all, adamw.second_moment_bfloat16);
  all.push_back(float(run.trainer.steps()));
  if constexpr (requires { run.trainer.ema(); }) {
    append(all, run.trainer.trainable().values());
    for (auto const& average : run.trainer.ema().averages()) append(all, average.values);
  }
  if constexpr (requires { run.trainer.timestep_sampler().history(); }) {
    for (double const x : run.trainer.timestep_sampler().history()) {
      float halves[2];
      std::memcpy(halves, &x, sizeof x);
      all.insert(all.end(), halves, halves + 2);
    }
    for (int const x : run.trainer.timestep_sampler().counts()) all.push_back(float(x));
  }
  return all;
}

/// A trainer in the middle of its run, and a checkpoint of a later moment.
template <class Run>
struct Fixture {
  TemporaryFolder folder;
  std::string path = (folder / "run.safetensors").string(), bytes;
  Run run;
  std::vector<float> before;

  Fixture() {
    Run later;
    for (int k = 0; k < 4; ++k) later.step();
    save_checkpoint(path, later.trainer, Run::identity());
    bytes = files::read(path);
    for (int k = 0; k < 2; ++k) run.step();
    before = everything(run);
  }

  /// The message with which what lies at `path` is refused, having changed nothing.
  std::string refused() {
    std::string const message =
        files::message_of<Error>([&] { load_checkpoint(path, run.trainer, Run::identity()); });
    REQUIRE(message != "no error");
    REQUIRE(same_bits(everything(run), before));
    return message;
  }
  template <class Change>
  std::string refused_when(Change const& change) {
    files::write(path, bytes);
    files::Edited file(path);
    change(file);
    file.write(path);
    return refused();
  }
};

}  // namespace

TEST_CASE_TEMPLATE("a damaged checkpoint changes no bit of a trainer, which trains on", Run,
                   old_runs::Learned, old_runs::Bfloat16, old_runs::LowRank, old_runs::Classifier) {
  CAPTURE(Run::name);
  Fixture<Run> f;
  files::Edited const whole(f.path);

  for (std::size_t number = 0; number < whole.tensors.size(); number += stride) {
    auto const& tensor = whole.tensors[number];
    CAPTURE(tensor.name);
    // One number that is not finite, in the middle or at the end, written as if it were right.
    std::size_t const width = tensor.dtype == "F64" ? 8 : tensor.dtype == "BF16" ? 2 : 4;
    std::size_t const count = tensor.bytes.size() / width;
    std::size_t const at = number % 2 == 0 ? count / 2 : count - 1;
    double const bad = not_finite[number % 3];
    CHECK(f.refused_when([&](files::Edited& file) {
      auto& t = file[tensor.name];
      if (width == 8) t.set(at, bad);
      if (width == 4) t.set(at, float(bad));
      if (width == 2) t.set(at, float_to_bfloat16(float(bad)));
    }) == f.path + ": expected finite numbers, found one that is not in " + tensor.name);
    if (number % 16 > 0 && !tensor.name.starts_with("state.")) continue;
    // Missing, or of another shape.
    CHECK(f.refused_when([&](files::Edited& file) {
      std::erase_if(file.tensors, [&](auto const& t) { return t.name == tensor.name; });
    }) != "");
    CHECK(f.refused_when([&](files::Edited& file) {
      file[tensor.name].shape.push_back(1);
      file[tensor.name].shape[0] += 1;
      file[tensor.name].bytes.resize(file[tensor.name].bytes.size() * 3);
    }) != "");
  }
  f.refused_when([](files::Edited& file) {
    auto extra = file.tensors.front();
    extra.name = "model.extra";
    file.tensors.push_back(extra);
  });

  // Metadata.
  for (auto const& [key, value] : whole.metadata) {
    CAPTURE(key);
    if (key.starts_with("note.") || key == "glyphdiff.seed" || key == "glyphdiff.step") continue;
    f.refused_when([&](files::Edited& file) { file.value(key) += "9"; });
  }
  for (std::string const wrong : {"-1", "x", "", "1e3", "99999999999999999999"})
    f.refused_when([&](files::Edited& file) { file.value("glyphdiff.step") = wrong; });
  f.refused_when([](files::Edited& file) { file.value("glyphdiff.seed") = "-1"; });

  // Cut short.
  for (std::size_t length = 0; length < f.bytes.size(); length += f.bytes.size() / 40) {
    files::write(f.path, f.bytes.substr(0, length));
    f.refused();
  }

  Run twin;
  for (int k = 0; k < 2; ++k) twin.step();
  CHECK(f.run.step() == twin.step());
  CHECK(same_bits(everything(f.run), everything(twin)));
}

TEST_CASE_TEMPLATE("a flipped bit in any tensor is an Error that names it, and changes nothing", Run,
                   old_runs::Learned, old_runs::LowRank, old_runs::Classifier) {
  CAPTURE(Run::name);
  Fixture<Run> f;
  std::uint64_t header;
  std::memcpy(&header, f.bytes.data(), 8);
  auto const entries = SafetensorsFile(f.path).entries();
  for (std::size_t number = 0; number < entries.size(); number += stride) {
    auto const& entry = entries[number];
    CAPTURE(entry.name);
    std::uint64_t const at = entry.offset + (number % 3 == 0   ? 0
                                             : number % 3 == 1 ? entry.bytes / 2
                                                               : entry.bytes - 1);
    std::string changed = f.bytes;
    changed[8 + header + at] = char(changed[8 + header + at] ^ 1 << number % 8);
    files::write(f.path, changed);
    std::string const expected =
        f.path + ": expected the tensor " + entry.name + " as it was written, with the checksum ";
    CHECK(f.refused().starts_with(expected));
    // Weights alone are looked at in the same way.
    if (!entry.name.starts_with("model.") || std::string(Run::name) == "low_rank") continue;
    std::vector<float> weights(f.run.net.parameters().extent(0), -7.0f);
    CHECK(files::message_of<Error>([&] {
            load_weights(f.path, "model.", parameter_blocks(f.run.net.parameter_list()), weights.data());
          }).starts_with(expected));
    CHECK(weights == std::vector<float>(weights.size(), -7.0f));
  }
}

TEST_CASE("a loss history that is none is refused before anything changes") {
  Fixture<old_runs::Learned> f;
  auto const with_count = [&](double count) {
    return f.refused_when([&](files::Edited& file) { file["state.loss_history_counts"].set(1, count); });
  };
  for (double const count : {-1.0, 11.0, 2.5, 1e300, -1e300, 4294967296.0 * 4294967296.0})
    CHECK(with_count(count).find("loss history") != std::string::npos);
  for (std::string const name : {"state.loss_history", "state.loss_history_counts"}) {
    f.refused_when([&](files::Edited& file) {
      std::erase_if(file.tensors, [&](auto const& tensor) { return tensor.name == name; });
    });
    f.refused_when([&](files::Edited& file) {  // of a process of fewer timesteps
      auto& tensor = file[name];
      tensor.shape[0] /= 2;
      tensor.bytes.resize(tensor.bytes.size() / 2);
    });
    f.refused_when([&](files::Edited& file) {
      auto& tensor = file[name];
      tensor.dtype = "I64";
    });
  }
  f.refused_when([&](files::Edited& file) {  // of a run that drew its timesteps evenly
    std::erase_if(file.tensors, [](auto const& tensor) { return tensor.name.starts_with("state."); });
  });
}

TEST_CASE("a moment that bfloat16 can't hold is refused before anything changes") {
  Fixture<old_runs::Bfloat16> f;
  CHECK(f.refused_when([](files::Edited& file) {
           for (auto& tensor : file.tensors) {
             if (tensor.dtype != "BF16") continue;
             std::vector<float> wide(tensor.bytes.size() / 2, 1.0f);
             wide.back() = std::numeric_limits<float>::max();
             tensor.dtype = "F32";
             tensor.bytes.assign(reinterpret_cast<char const*>(wide.data()),
                                 reinterpret_cast<char const*>(wide.data() + wide.size()));
           }
         }).find("expected numbers that bfloat16 has, found a larger one in ") != std::string::npos);
}

}  // namespace train_damaged_checkpoints_tests
