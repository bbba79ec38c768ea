#include "files.hpp"

#include "../arenas.hpp"

#include <glyphdiff/checkpoint/config_description.hpp>
#include <glyphdiff/checkpoint/load_checkpoint.hpp>
#include <glyphdiff/checkpoint/save_checkpoint.hpp>
#include <glyphdiff/checkpoint/weights.hpp>
#include <glyphdiff/optim/adamw.hpp>

#include <doctest/doctest.h>

#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <cstring>

namespace checkpoint_training_state_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

namespace {

constexpr std::int64_t arena_size = 30;

/// Arenas in host memory with a gap between two parameters, as an aligned arena may have.
struct Run {
  std::vector<float> p = scattered(arena_size, 1), e1 = scattered(arena_size, 2),
                     e2 = scattered(arena_size, 3), m = scattered(arena_size, 4),
                     v = scattered(arena_size, 5);

  TrainingState state() {
    TrainingState s;
    s.table = {{"in.weight", {2, 3, 2}, 0, 12}, {"in.bias", {2}, 16, 2}, {"out.weight", {1, 4}, 18, 4}};
    s.parameters = p.data();
    s.averages = {{0.99, e1.data()}, {0.9999, e2.data()}};
    s.optimizer = adamw_state(m.data(), v.data());
    s.configuration = describe(UNetConfig{.channel_mult = {1, 2, 4}});
    s.step = 1234567890123;
    s.seed = UINT64_MAX;
    s.values = {{"loss_history", {1.0 / 3.0, -0.0, 1e-310}}, {"totals", {}}};
    return s;
  }

  void clear() {
    for (auto* const arena : {&p, &e1, &e2, &m, &v}) std::fill(arena->begin(), arena->end(), -7.0f);
  }
  bool untouched() const {
    for (auto const* const arena : {&p, &e1, &e2, &m, &v})
      for (float const x : *arena)
        if (x != -7.0f) return false;
    return true;
  }
};

std::string load_error(std::string const& path, Run& run, TrainingState& state) {
  run.clear();
  return files::message_of<Error>([&] { load_checkpoint(path, state); });
}

/// Replaces text of equal length in the header of a file, which loses its own checksum by it.
void replace_in_file(std::string const& path, std::string const& from, std::string const& to) {
  std::string bytes = files::read(path);
  if (auto const own = bytes.find("glyphdiff.xxh64"); own != std::string::npos)
    bytes.replace(own, 15, "glyphdiff.xxh65");
  auto const at = bytes.find(from);
  REQUIRE(at != std::string::npos);
  REQUIRE(from.size() == to.size());
  files::write(path, bytes.replace(at, from.size(), to));
}

}  // namespace

TEST_CASE("a training state comes back bit for bit") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  Run run;
  save_checkpoint(path, run.state());

  Run other;
  other.clear();
  TrainingState state = other.state();
  state.step = 0;
  state.seed = 0;
  state.values = {{"old", {1.0}}};
  load_checkpoint(path, state);
  CHECK(state.step == 1234567890123);
  CHECK(state.seed == UINT64_MAX);
  REQUIRE(state.values.size() == 2);
  for (auto const& [name, values] : state.values) {
    if (name == "totals") CHECK(values.empty());
    if (name == "loss_history")
      CHECK(std::memcmp(values.data(), run.state().values[0].second.data(), 3 * sizeof(double)) == 0);
  }
  for (auto const& [ours, theirs] :
       {std::pair(&other.p, &run.p), std::pair(&other.e1, &run.e1), std::pair(&other.e2, &run.e2),
        std::pair(&other.m, &run.m), std::pair(&other.v, &run.v)})
    for (std::size_t i = 0; i < arena_size; ++i) {
      CAPTURE(i);
      bool const gap = (i >= 12 && i < 16) || i >= 22;
      CHECK((*ours)[i] == (gap ? -7.0f : (*theirs)[i]));
    }
}

TEST_CASE("the file has PyTorch's names and shapes") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  Run run;
  save_checkpoint(path, run.state());
  SafetensorsFile const file(path);
  CHECK(file.entries().size() == 5 * 3 + 2);
  CHECK(*find_value(file.metadata(), "config.channel_mult") == "1,2,4");
  CHECK(*find_value(file.metadata(), "glyphdiff.step") == "1234567890123");
  bool found = false;
  for (auto const& entry : file.entries())
    found =
        found || (entry.name == "ema_0.9999.in.weight" && entry.shape == std::vector<std::int64_t>{2, 3, 2});
  CHECK(found);

  auto const summary = summarize_checkpoint(path);
  CHECK(summary.step == 1234567890123);
  CHECK(summary.prefixes == std::vector<std::string>{"model.", "ema_0.99.", "ema_0.9999."});
  CHECK(differences(summary.configuration, run.state().configuration) == "");
}

TEST_CASE_TEMPLATE("arenas of any space are saved and filled, and training goes on with the same bits", Exec,
                   GLYPHDIFF_TEST_SPACES) {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  Exec const exec;
  std::int64_t const count = (1 << 20) + 77;  // more than one chunk
  auto const state_of = [&](Arena<Exec> const& p, Ema<Exec> const& ema, AdamW<Exec> const& adamw) {
    TrainingState s;
    s.table = {{"bias", {77}, 0, 77}, {"weight", {1024, 1024}, 77, 1 << 20}};
    s.parameters = p;
    for (auto const& average : ema.averages()) s.averages.push_back({average.rate, average.values});
    s.optimizer = adamw_state(adamw.first_moment, adamw.second_moment);
    s.step = adamw.steps;
    return s;
  };
  auto const step = [&](Arena<Exec> const& p, Ema<Exec> const& ema, AdamW<Exec>& adamw) {
    adamw.update(exec, p, to_space<Exec>(scattered(std::size_t(count), unsigned(adamw.steps))), 1e-3, ema);
  };

  auto const p = to_space<Exec>(scattered(std::size_t(count), 99));
  Ema<Exec> const ema(exec, p, {0.9, 0.999});
  AdamW<Exec> adamw(count);
  for (int k = 0; k < 2; ++k) step(p, ema, adamw);
  save_checkpoint(path, state_of(p, ema, adamw));

  Arena<Exec> const q("q", count);
  Ema<Exec> const resumed_ema(exec, q, {0.9, 0.999});
  AdamW<Exec> resumed(count);
  TrainingState state = state_of(q, resumed_ema, resumed);
  load_checkpoint(path, state);
  resumed.steps = state.step;
  for (int k = 0; k < 2; ++k) {
    step(p, ema, adamw);
    step(q, resumed_ema, resumed);
  }
  CHECK(to_host(p) == to_host(q));
  CHECK(to_host(ema.averages()[1].values) == to_host(resumed_ema.averages()[1].values));
  CHECK(to_host(adamw.second_moment) == to_host(resumed.second_moment));
}

TEST_CASE("a checkpoint of another configuration is refused with the list of what differs") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  Run run;
  TrainingState state = run.state();
  save_checkpoint(path, state);
  state.configuration = describe(UNetConfig{.channel_mult = {1, 2, 2}, .dropout = 0.25});
  state.averages.pop_back();
  CHECK(
      load_error(path, run, state) ==
      path +
          " is a checkpoint of another configuration: channel_mult: checkpoint 1,2,4, this program 1,2,2; "
          "dropout: checkpoint 0, this program 0.25; ema_rates: checkpoint 0.99,0.9999, this program 0.99.");
  CHECK(run.untouched());
}

TEST_CASE("a checkpoint of a newer format, and a file that is none, are refused") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  Run run;
  TrainingState state = run.state();
  save_checkpoint(path, state);
  replace_in_file(path, "\"glyphdiff.checkpoint\":\"2\"", "\"glyphdiff.checkpoint\":\"3\"");
  CHECK(load_error(path, run, state) ==
        path + ": expected checkpoint format 2 or older, found format 3, written by a newer glyphdiff");
  replace_in_file(path, "\"glyphdiff.checkpoint\":\"3\"", "\"glyphdiff.checkpoint\":\"x\"");
  CHECK(load_error(path, run, state) == path + ": expected an integer as glyphdiff.checkpoint, found \"x\"");
  replace_in_file(path, "glyphdiff.checkpoint", "glyphdiff.checkpaint");
  CHECK(load_error(path, run, state) ==
        path + ": expected a checkpoint of glyphdiff, found no glyphdiff.checkpoint in its metadata");
  CHECK(run.untouched());
}

TEST_CASE("tensors that are missing, too many or of another shape are listed") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  Run run;
  TrainingState saved = run.state();
  save_checkpoint(path, saved);
  TrainingState state = run.state();
  state.table = {{"in.weight", {3, 2, 2}, 0, 12}, {"in.bias", {2}, 16, 2}, {"last.weight", {1, 4}, 18, 4}};
  CHECK(load_error(path, run, state) ==
        path +
            " does not hold the tensors of this program's model: model.in.weight is F32 (2,3,2) and not F32 "
            "(3,2,2); "
            "no model.last.weight; ema_0.99.in.weight is F32 (2,3,2) and not F32 (3,2,2); no "
            "ema_0.99.last.weight; "
            "ema_0.9999.in.weight is F32 (2,3,2) and not F32 (3,2,2); no ema_0.9999.last.weight; "
            "optimizer.first_moment.in.weight is F32 (2,3,2) and not F32 (3,2,2); no "
            "optimizer.first_moment.last.weight; optimizer.second_moment.in.weight is F32 (2,3,2) and not "
            "F32 (3,2,2); no optimizer.second_moment.last.weight; and 5 more.");
  CHECK(run.untouched());

  state = run.state();
  state.table.pop_back();
  CHECK(load_error(path, run, state).find("model.out.weight is not part of it") != std::string::npos);
  CHECK(run.untouched());
}

TEST_CASE("a damaged checkpoint never half-fills the state") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  Run run;
  TrainingState state = run.state();
  save_checkpoint(path, state);
  std::string const bytes = files::read(path);
  state.step = 3;
  for (std::size_t length = 0; length < bytes.size(); length += 7) {
    CAPTURE(length);
    files::write(path, bytes.substr(0, length));
    CHECK(load_error(path, run, state) != "no error");
    CHECK(run.untouched());
    CHECK(state.step == 3);
  }
  std::uint64_t header;
  std::memcpy(&header, bytes.data(), 8);
  for (std::size_t at = 0; at < 8 + header; at += 5) {
    CAPTURE(at);
    std::string changed = bytes;
    changed[at] = char(changed[at] ^ 0x02);
    files::write(path, changed);
    if (load_error(path, run, state) != "no error") CHECK(run.untouched());
    state.step = 3;
  }
}

TEST_CASE("a full disk while saving keeps the previous checkpoint") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  Run run;
  save_checkpoint(path, run.state());
  std::string const before = files::read(path);
  ::rlimit original{};
  ::getrlimit(RLIMIT_FSIZE, &original);
  ::rlimit limited = original;
  auto const handler = std::signal(SIGXFSZ, SIG_IGN);
  for (std::size_t const length : {std::size_t(0), std::size_t(4), std::size_t(1000), before.size() - 1}) {
    CAPTURE(length);
    limited.rlim_cur = length;
    ::setrlimit(RLIMIT_FSIZE, &limited);
    std::string const message = files::message_of<Error>([&] { save_checkpoint(path, run.state()); });
    ::setrlimit(RLIMIT_FSIZE, &original);
    CHECK(message == path + " cannot be written: File too large.");
    CHECK(files::read(path) == before);
    CHECK(files::count(folder) == 1);
  }
  std::signal(SIGXFSZ, handler);
}

TEST_CASE("one set of weights is read alone, for sampling") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  Run run;
  TrainingState const state = run.state();
  save_checkpoint(path, state);
  std::vector<float> weights(arena_size, -7.0f);
  load_weights(path, average_prefix(0.9999), state.table, weights.data(), state.configuration);
  CHECK(std::equal(weights.begin(), weights.begin() + 12, run.e2.begin()));
  CHECK(std::equal(weights.begin() + 16, weights.begin() + 22, run.e2.begin() + 16));
  CHECK(weights[12] == -7.0f);

  CHECK(files::message_of<Error>([&] {
          load_weights(path, "ema_0.5.", state.table, weights.data());
        }).find("no ema_0.5.in.weight") != std::string::npos);
  CHECK(files::message_of<Error>([&] {
          load_weights(path, "model.", state.table, weights.data(), describe(UNetConfig{.channels = 1}));
        }).find("channels: checkpoint 3, this program 1") != std::string::npos);

  write_safetensors(path, {safetensors_source("in.bias", {2}, run.p.data())}, {});
  load_weights(path, "", {{"in.bias", {2}, 5, 2}}, weights.data());
  CHECK(weights[6] == run.p[1]);
}

TEST_CASE("a number that is not finite is named") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  Run run;
  run.e2[19] = NAN;
  save_checkpoint(path, run.state());
  TrainingState state = run.state();
  CHECK(load_error(path, run, state) ==
        path + ": expected finite numbers, found one that is not in ema_0.9999.out.weight");
  CHECK(run.untouched());

  std::vector<float> weights(arena_size, -7.0f);
  CHECK(files::message_of<Error>([&] { load_weights(path, "ema_0.9999.", state.table, weights.data()); }) ==
        path + ": expected finite numbers, found one that is not in ema_0.9999.out.weight");
  CHECK(weights == std::vector<float>(arena_size, -7.0f));
}

TEST_CASE("a file from before a configuration had a field loads where the field has its default") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  Run run;
  TrainingState old = run.state();
  std::erase_if(old.configuration, [](auto const& pair) { return pair.first == "space_to_depth"; });
  save_checkpoint(path, old);

  TrainingState state = run.state();
  CHECK(load_error(path, run, state).find("space_to_depth: checkpoint has none, this program 1") !=
        std::string::npos);
  state.defaults = describe(UNetConfig{});
  CHECK_NOTHROW(load_checkpoint(path, state));
  state.configuration = describe(UNetConfig{.channel_mult = {1, 2, 4}, .space_to_depth = 2});
  CHECK(load_error(path, run, state).find("space_to_depth: checkpoint 1, this program 2") !=
        std::string::npos);
}

}  // namespace checkpoint_training_state_tests
