// Checkpoints in pieces: written by any number of processes, read by any other number.
#include "edited_file.hpp"
#include "files.hpp"

#include "../arenas.hpp"

#include <glyphdiff/checkpoint/load_checkpoint.hpp>
#include <glyphdiff/checkpoint/open_tensor_file.hpp>
#include <glyphdiff/checkpoint/save_checkpoint.hpp>
#include <glyphdiff/checkpoint/weights.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <set>

namespace checkpoint_save_checkpoint_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

namespace {

constexpr std::int64_t arena_size = 61, factor_size = 7;

/// A run whose optimiser keeps an array of floats, one of bfloat16 and a factored one.
struct Run {
  std::vector<float> p = scattered(arena_size, 1), e = scattered(arena_size, 2), m = scattered(arena_size, 3),
                     v = scattered(arena_size, 4), rows = scattered(factor_size, 5);

  explicit Run(bool clear = false) {
    for (float& x : v) x = bfloat16_to_float(float_to_bfloat16(x));
    if (clear)
      for (auto* const arena : {&p, &e, &m, &v, &rows}) std::fill(arena->begin(), arena->end(), -7.0f);
  }
  TrainingState state() {
    TrainingState s;
    s.table = {
        {"time_embed.0.weight", {7, 5}, 0, 35}, {"in.bias", {1}, 35, 1}, {"out.weight", {5, 5}, 36, 25}};
    s.parameters = p.data();
    s.averages = {{0.99, e.data()}};
    FloatStore half(v.data());
    half.dtype = "BF16";
    s.optimizer = {"Factored",
                   {{"momentum", m.data()},
                    {"second", half},
                    {"rows", rows.data(), {{"time_embed.0.weight", {5}, 0, 5}, {"out.weight", {2}, 5, 2}}}},
                   {{"scale", 0.1}, {"beta_product", 1e-300}}};
    s.configuration = {{"preset", "Tiny"}};
    s.identity = {{"objective.kind", "Mse"}};
    s.step = 12;
    s.seed = 3;
    s.values = {{"history", {1.0 / 3.0, -0.0}}};
    return s;
  }
  std::vector<std::vector<float>> all() const { return {p, e, m, v, rows}; }
};

struct Set {
  TemporaryFolder folder;
  std::string index = (folder / "run.safetensors.index.json").string();

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (auto const& entry : std::filesystem::directory_iterator(folder.path()))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string save(Run& run, int pieces, std::int64_t step = 12) {
    TrainingState state = run.state();
    state.step = step;
    std::string const name = new_save(step);
    for (int k = pieces - 1; k >= 0; --k) save_checkpoint_piece(index, name, k, pieces, state);
    publish_checkpoint(index, name, pieces, state);
    return name;
  }
  std::string piece(std::string const& save, int number, int count) const {
    return detail::piece_path(index, save, number, count);
  }
  std::string load_error() const {
    Run other(true);
    TrainingState state = other.state();
    std::string const message = files::message_of<Error>([&] { load_checkpoint(index, state); });
    if (message != "no error") CHECK(other.all() == Run(true).all());
    return message;
  }
};

bool same_bits(std::vector<float> const& a, std::vector<float> const& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("what any number of processes write, any number read, each its share") {
  for (int const writers : {1, 2, 3, 7, 80}) {
    CAPTURE(writers);
    Set set;
    Run run;
    set.save(run, writers);
    CHECK(set.files().size() == std::size_t(writers) + 1);
    for (int const readers : {1, 2, 3, 4, 5}) {
      CAPTURE(readers);
      Run other(true);
      for (int k = 0; k < readers; ++k) {
        // A reader's stores have its own share alone.
        auto const share = equal_shares(k, readers);
        std::vector<std::vector<float>> own;
        auto const part = [&](std::vector<float> const& arena) {
          ArenaRange const range = share("", std::int64_t(arena.size()));
          own.emplace_back(std::size_t(range.last - range.first), -7.0f);
          return shifted(FloatStore(own.back().data()), range.first);
        };
        own.reserve(5);
        TrainingState state = other.state();
        state.parameters = part(other.p);
        state.averages[0].values = part(other.e);
        state.optimizer.arrays[0].values = part(other.m);
        state.optimizer.arrays[1].values = part(other.v);
        state.optimizer.arrays[2].values = part(other.rows);
        state.optimizer.scalars = {{"scale", 0.0}, {"beta_product", 0.0}};
        load_checkpoint(set.index, state, share);
        CHECK(state.step == 12);
        CHECK(state.seed == 3);
        REQUIRE(state.values.size() == 1);
        CHECK(std::memcmp(state.values[0].second.data(), run.state().values[0].second.data(), 16) == 0);
        CHECK(state.optimizer.scalars == run.state().optimizer.scalars);
        std::size_t number = 0;
        for (auto* const arena : {&other.p, &other.e, &other.m, &other.v, &other.rows}) {
          ArenaRange const range = share("", std::int64_t(arena->size()));
          std::copy(own[number].begin(), own[number].end(), arena->begin() + range.first);
          ++number;
        }
      }
      for (std::size_t k = 0; k < 5; ++k) CHECK(same_bits(other.all()[k], run.all()[k]));
    }
    // As a file of tensors, for sampling.
    auto const file = open_tensor_file(set.index);
    CHECK(weight_sets(*file) == std::vector<std::string>{"model.", "ema_0.99."});
    std::vector<float> weights(arena_size);
    load_weights(set.index, "ema_0.99.", run.state().table, weights.data());
    CHECK(same_bits(weights, run.e));
    CHECK(summarize_checkpoint(set.index).step == 12);
  }
}

TEST_CASE("a reader reads its share of the file alone, and all readers together check all of it") {
  Set set;
  Run run;
  std::string const save = set.save(run, 3);
  int const readers = 4;
  std::vector<std::string> paths;
  for (int k = 0; k < 3; ++k) paths.push_back(set.piece(save, k, 3));
  for (std::string const& path : paths) {
    std::string const bytes = files::read(path);
    std::uint64_t header;
    std::memcpy(&header, bytes.data(), 8);
    for (SafetensorsEntry const& entry : std::vector(SafetensorsFile(path).entries())) {
      CAPTURE(entry.name);
      std::string changed = bytes;
      char& byte = changed[8 + header + entry.offset + entry.bytes - 1];
      byte = char(byte ^ 1);
      files::write(path, changed);
      int found = 0;
      for (int k = 0; k < readers; ++k) {
        Run other(true);
        TrainingState state = other.state();
        std::string const message =
            files::message_of<Error>([&] { load_checkpoint(set.index, state, equal_shares(k, readers)); });
        found += message.starts_with(path + ": expected the tensor " + entry.name + " as it was written");
      }
      CHECK(found == (entry.name == "state.history" ? readers : 1));
      CHECK(
          set.load_error().starts_with(path + ": expected the tensor " + entry.name + " as it was written"));
    }
    files::write(path, bytes);
  }
  CHECK(set.load_error() == "no error");
}

TEST_CASE("a new save takes the place of the old one when its index is there, and not before") {
  Set set;
  Run run;
  std::string const first = set.save(run, 3, 12), second = new_save(13);
  TrainingState state = run.state();
  state.step = 13;
  files::write((set.folder / "run-2-s12-0123456789abcdef-00001-of-00001.safetensors").string(),
               "another set's");
  files::write((set.folder / "run-notes.safetensors").string(), "no piece");
  save_checkpoint_piece(set.index, second, 0, 2, state);
  auto const step = [&] { return summarize_checkpoint(set.index).step; };
  CHECK(step() == 12);
  CHECK_THROWS_WITH_AS(publish_checkpoint(set.index, second, 2, state),
                       (set.piece(second, 1, 2) + " cannot be opened: No such file or directory.").c_str(),
                       Error);
  CHECK(step() == 12);
  CHECK(set.load_error() == "no error");
  save_checkpoint_piece(set.index, second, 1, 2, state);
  CHECK(step() == 12);
  publish_checkpoint(set.index, second, 2, state);
  CHECK(step() == 13);
  CHECK(set.load_error() == "no error");
  CHECK(set.files() == std::vector<std::string>{
                           "run-2-s12-0123456789abcdef-00001-of-00001.safetensors", "run-notes.safetensors",
                           "run-" + second + "-00001-of-00002.safetensors",
                           "run-" + second + "-00002-of-00002.safetensors", "run.safetensors.index.json"});
  CHECK(new_save(13) != second);
}

TEST_CASE("a piece that is missing, cut short or of another save is named") {
  Set set;
  Run run;
  std::string const old = set.save(run, 2, 11), old_bytes = files::read(set.piece(old, 1, 2)),
                    save = set.save(run, 2), path = set.piece(save, 1, 2), bytes = files::read(path);
  CHECK(set.load_error() == "no error");
  files::write(path, bytes.substr(0, bytes.size() - 5));
  CHECK(set.load_error().starts_with(path + ": expected "));
  files::write(path, old_bytes);
  CHECK(set.load_error() ==
        path + ": expected a piece of the save " + save + ", as the index says, found one of " + old);
  files::write(path, files::read(set.piece(save, 0, 2)));
  CHECK(set.load_error().starts_with(path + ": expected tensors that the index places there, found "));
  std::filesystem::remove(path);
  CHECK(set.load_error() == path + " cannot be opened: No such file or directory.");
  files::write(path, bytes);
  CHECK(set.load_error() == "no error");

  files::Edited less(path);
  std::string const gone = less.tensors.back().name;
  less.tensors.pop_back();
  less.write(path);
  CHECK(set.load_error() == path + ": expected " + gone + ", as the index says, found none");
  files::write(path, bytes);
  files::Edited odd(path);
  for (auto& [key, value] : odd.metadata)
    if (key.starts_with("shape.")) value = "3,3";
  odd.write(path);
  CHECK(set.load_error() != "no error");
}

TEST_CASE("ranges that leave a hole or overlap are no save") {
  Set set;
  Run run;
  TrainingState const state = run.state();
  for (std::int64_t const border : {19, 21}) {
    std::string const save = new_save(1);
    save_checkpoint_piece(set.index, save, 0, 2, state, [](std::string const&, std::int64_t values) {
      return ArenaRange{0, std::min<std::int64_t>(20, values)};
    });
    save_checkpoint_piece(set.index, save, 1, 2, state, [&](std::string const&, std::int64_t values) {
      return ArenaRange{std::min(border, values), values};
    });
    std::string const message =
        files::message_of<Error>([&] { publish_checkpoint(set.index, save, 2, state); });
    CHECK(message.find("expected every value of ") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(set.index));
  }
  std::string const save = new_save(1);
  save_checkpoint_piece(set.index, save, 0, 1, state, [](std::string const& part, std::int64_t values) {
    return ArenaRange{0, part == "model." ? 0 : values};
  });
  CHECK(files::message_of<Error>([&] {
          publish_checkpoint(set.index, save, 1, state);
        }).find("no model.time_embed.0.weight") != std::string::npos);
  CHECK_THROWS_AS(save_checkpoint_piece((set.folder / "run.safetensors").string(), save, 0, 1, state), Error);
}

TEST_CASE("an index that is damaged is refused in one sentence") {
  Set set;
  Run run;
  set.save(run, 2);
  std::string const text = files::read(set.index);
  auto const with = [&](std::string const& changed) {
    files::write(set.index, changed);
    std::string const message = set.load_error();
    CHECK(message != "no error");
    return message;
  };
  for (std::size_t length = 0; length + 2 < text.size(); length += 3) with(text.substr(0, length));
  CHECK(with("[]") ==
        set.index + ": expected an index of safetensors files with a weight_map, found other JSON");
  CHECK(with("{\"weight_map\":{}}") == set.index + ": expected the names of files, found none");
  for (char const* const place : {"\"../a\"", "\"/etc/passwd\"", "\"\"", "3", "[]", "\"..\""})
    CHECK(with(std::string("{\"weight_map\":{\"a\":") + place + "}}")
              .starts_with(set.index + ": expected the name of a file in the folder"));
}

TEST_CASE("a set that another program wrote is read") {
  TemporaryFolder const folder;
  std::vector<float> const a{1, 2, 3, 4}, b{5, 6};
  write_safetensors((folder / "model-00001-of-00002.safetensors").string(),
                    {safetensors_source("a[0:4]", {2, 2}, a.data())}, {});
  write_safetensors((folder / "model-00002-of-00002.safetensors").string(),
                    {safetensors_source("b", {2}, b.data())}, {});
  std::string const index = (folder / "model.safetensors.index.json").string();
  files::write(
      index, R"({"metadata": {"total_size": 24}, "weight_map": {"a[0:4]": "model-00001-of-00002.safetensors",
                        "b": "model-00002-of-00002.safetensors"}})");
  std::vector<float> found(6);
  load_weights(index, "", {{"a[0:4]", {2, 2}, 0, 4}, {"b", {2}, 4, 2}}, found.data());
  CHECK(found == std::vector<float>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("an optimiser's arrays are in the file by its name, and another one's file is refused") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  Run run;
  save_checkpoint(path, run.state());
  std::set<std::string> found;
  for (SafetensorsEntry const& entry : std::vector(SafetensorsFile(path).entries()))
    if (entry.name.starts_with("optimizer.")) found.insert(entry.name + " " + entry.dtype);
  CHECK(found == std::set<std::string>{
                     "optimizer.momentum.in.bias F32", "optimizer.momentum.out.weight F32",
                     "optimizer.momentum.time_embed.0.weight F32", "optimizer.rows.out.weight F32",
                     "optimizer.rows.time_embed.0.weight F32", "optimizer.second.in.bias BF16",
                     "optimizer.second.out.weight BF16", "optimizer.second.time_embed.0.weight BF16"});

  Run other(true);
  TrainingState state = other.state();
  state.optimizer.scalars = {{"scale", 0.0}, {"beta_product", 0.0}};
  load_checkpoint(path, state);
  for (std::size_t k = 0; k < 5; ++k) CHECK(same_bits(other.all()[k], run.all()[k]));
  CHECK(state.optimizer.scalars == run.state().optimizer.scalars);

  other = Run(true);
  state = other.state();
  state.optimizer = adamw_state(other.m.data(), other.v.data());
  CHECK(files::message_of<Error>([&] { load_checkpoint(path, state); }) ==
        path +
            " is a checkpoint of another configuration: optimizer: checkpoint Factored, this program AdamW.");
  state = other.state();
  for (std::string const wrong : {"nan", "x", "inf", ""}) {
    files::Edited file(path);
    file.value("optimizer.scale") = wrong;
    file.write(path);
    CHECK(files::message_of<Error>([&] { load_checkpoint(path, state); }) ==
          path + ": expected a finite number as optimizer.scale, found \"" + wrong + "\"");
  }
  CHECK(other.all() == Run(true).all());
  // Sampling does not care.
  std::vector<float> weights(arena_size);
  CHECK_NOTHROW(load_weights(path, "model.", run.state().table, weights.data()));
}

}  // namespace checkpoint_save_checkpoint_tests
