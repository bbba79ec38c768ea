#include "files.hpp"

#include "../golden/golden.hpp"

#include <glyphdiff/checkpoint/inspection.hpp>
#include <glyphdiff/checkpoint/save_checkpoint.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

namespace checkpoint_inspection_tests {

using namespace glyphdiff;

namespace {

/// A file of which only names, shapes and metadata matter.
class Listed final : public TensorFile {
 public:
  std::vector<TensorEntry> tensors;
  KeyValues pairs;
  std::string name = "listed.pt";

  std::string const& path() const override { return name; }
  std::vector<TensorEntry> const& entries() const override { return tensors; }
  KeyValues const& metadata() const override { return pairs; }
  void read(std::size_t, std::int64_t, std::int64_t, float*) const override {
    throw Error("nothing to read");
  }
};

/// The numbers in "[192, 3, 3]" or "192x3x3".
std::vector<std::int64_t> shape_of(std::string text) {
  for (char& c : text)
    if (c < '0' || c > '9') c = ' ';
  std::istringstream numbers(text);
  std::vector<std::int64_t> shape;
  for (std::int64_t n; numbers >> n;) shape.push_back(n);
  return shape;
}

/// Lines of name, tab, shape.
Listed listed(std::string const& path, std::string const& prefix = "") {
  Listed file;
  std::ifstream lines(golden::path(path));
  for (std::string line, name, shape; std::getline(lines, line);) {
    std::istringstream columns(line);
    std::getline(columns, name, '\t');
    std::getline(columns, shape, '\t');
    file.tensors.push_back({prefix + name, "F32", shape_of(shape)});
  }
  REQUIRE(file.tensors.size() > 100);
  return file;
}

bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the released files are recognised by their names and shapes") {
  std::string const bedrooms = describe_tensor_file(listed("statedict/iddpm_lsun_bedroom256_100M.tsv"));
  CHECK(bedrooms.starts_with("listed.pt: A UNet of ADM or IDDPM: 426 tensors, 113676678 values of F32.\n"));
  CHECK(contains(bedrooms, "widths of the levels: 128,128,256,256,512,512\n"));
  CHECK(contains(bedrooms, "levels with attention: 4\n"));
  CHECK(contains(bedrooms, "presets::IddpmLsun256: lsun_uncond_100M_*.pt; linear schedule"));
  CHECK(contains(
      bedrooms,
      "glyphdiff::UNetConfig config{.image_size = 256, .learned_sigma = true, .model_channels = 128, "
      ".channel_mult = {1, 1, 2, 2, 4, 4}, .attention_resolutions = {16}, .scale_shift_norm = false};"));

  std::string const adm = describe_tensor_file(listed("statedict/adm_lsun_bedroom256.tsv", "module."));
  CHECK(contains(adm, "presets::Adm256:"));
  CHECK(contains(adm, "presets::AdmLsun256:"));
  CHECK_FALSE(contains(adm, "presets::Adm64:"));
  CHECK(contains(adm, "names begin with \"module.\""));

  std::string const classes = describe_tensor_file(listed("statedict/adm_imagenet64_cond.tsv"));
  CHECK(contains(classes, "presets::Adm64: 64x64_diffusion.pt"));
  CHECK(contains(classes, ".qkv_order = QkvOrder::grouped"));
  CHECK(contains(classes, ".classes = 1000"));
}

TEST_CASE("every released model is recognised from its own table, and told from all others") {
  for (ReleasedModel const& model : released_models()) {
    CAPTURE(model.preset);
    Listed file;
    for (ParameterBlock const& block : model.table) file.tensors.push_back({block.name, "F16", block.shape});
    CHECK(contains(describe_tensor_file(file), "presets::" + std::string(model.preset) + ":"));
    for (ReleasedModel const& other : released_models())
      CHECK(list_faults(file, other.table).empty() == (inferable(model.config) == inferable(other.config)));
  }
  CHECK_THROWS_WITH_AS(
      released_model("Adm1"),
      "There is no preset Adm1, only IddpmLsun256, IddpmCifar10, IddpmImageNet64, Adm64, Adm128, "
      "Adm256, AdmLsun256, Adm256Conditional, Adm512, Adm512Conditional.",
      Error);
}

TEST_CASE("other networks are described with what can't be known") {
  for (std::string const name : {"adm_tiny", "iddpm_tiny", "cond_tiny"}) {
    Listed file = listed(name + "/params.tsv");
    if (file.tensors.front().name == "name") file.tensors.erase(file.tensors.begin());
    std::string const text = describe_tensor_file(file);
    CAPTURE(text);
    CHECK(contains(text, "No released model has these names and shapes"));
    CHECK(contains(text, "static constexpr glyphdiff::UNetConfig config{"));
    CHECK(contains(text, name == "cond_tiny" ? "classes: 26\n" : "classes: 0\n"));
  }
}

TEST_CASE("what keeps a file from being loaded is listed") {
  Listed file = listed("statedict/adm_imagenet64_cond.tsv", "module.");
  auto const& table = released_model("Adm64").table;
  CHECK(list_faults(file, table, "module.").empty());
  file.tensors[3].shape = {1};
  file.tensors[5].dtype = "I64";
  std::string const missing = file.tensors.back().name;
  file.tensors.pop_back();
  file.tensors.push_back({"module.extra", "F32", {}});
  auto const faults = list_faults(file, table, "module.");
  REQUIRE(faults.size() == 4);
  CHECK(contains(faults[0], " is F32 (1) and not F32 ("));
  CHECK(contains(faults[1], " is I64 ("));
  CHECK(faults[2] == "no " + missing);
  CHECK(faults[3] == "module.extra is not part of it");

  // The same in the message of a failed load, with what the file holds instead.
  float number = 0;
  std::string const message =
      files::message_of<Error>([&] { load_weights(file, "", released_model("Adm128").table, &number); });
  CHECK(contains(
      message, "listed.pt does not hold the tensors of this program's model: module.time_embed.0.weight is"));
  CHECK(contains(message, "more. It holds a UNet of {.learned_sigma = true, .model_channels = 192, "));
}

TEST_CASE("checkpoints of glyphdiff, optimisers and other files") {
  Listed file;
  file.pairs = {
      {"glyphdiff.checkpoint", "1"}, {"glyphdiff.step", "4200"}, {"glyphdiff.ema_rates", "0.99,0.998"}};
  for (auto const& [key, value] : describe(UNetConfig{.image_size = 32, .classes = 3}))
    file.pairs.emplace_back("config." + key, value);
  std::string const own = describe_tensor_file(file);
  CHECK(contains(own,
                 "a checkpoint of glyphdiff after 4200 updates, with moving averages of rate 0.99,0.998.\n"));
  CHECK(contains(own, "config{.image_size = 32, .classes = 3};"));
  file.pairs[0].second = "3";
  CHECK_THROWS_AS(describe_tensor_file(file), Error);

  Listed other;
  other.tensors = {{"state.0.exp_avg", "F32", {2, 3}}};
  CHECK(describe_tensor_file(other) ==
        "listed.pt: an optimiser's state: 1 tensors, 6 values of F32.\n  state.0.exp_avg F32 (2,3)\n");
  other.tensors[0].name = "x\n";
  CHECK(contains(describe_tensor_file(other), "no network of glyphdiff's: 1 tensors"));
  other.tensors[0].name = "time_embed.0.weight";
  CHECK(contains(describe_tensor_file(other), "but don't go on so"));
}

TEST_CASE("what a checkpoint of a run is, and whether its checksums hold") {
  TemporaryFolder const folder;
  std::string const path = (folder / "run.safetensors").string();
  std::vector<float> p{1, 2, 3}, m{4, 5, 6}, v{7, 8, 9};
  TrainingState state;
  state.table = {{"a", {2}, 0, 2}, {"b", {1}, 2, 1}};
  state.parameters = p.data();
  state.optimizer = adamw_state(m.data(), v.data());
  state.configuration = describe(UNetConfig{.classes = 3});
  state.identity = {{"process.schedule", "LinearSchedule<1000>"}};
  state.notes = {{"learning_rate", "0.5"}};
  save_checkpoint(path, state);
  std::string const whole = describe_tensor_file(SafetensorsTensors(path));
  CHECK(contains(whole, "  optimizer: AdamW with first_moment (F32), second_moment (F32)\n"));
  CHECK(contains(whole, "  process.schedule: LinearSchedule<1000>\n"));
  CHECK(contains(whole, "    learning_rate: 0.5\n"));
  CHECK(contains(whole, "  all 6 checksums hold\n"));
  CHECK(contains(whole, "config{.classes = 3};"));

  std::string bytes = files::read(path);
  bytes.back() = char(bytes.back() ^ 1);
  files::write(path, bytes);
  std::string const damaged = describe_tensor_file(SafetensorsTensors(path));
  CHECK(
      contains(damaged, "  DAMAGED: " + path + ": expected the tensor optimizer.second_moment.b as it was"));
  CHECK_FALSE(contains(damaged, "checksums hold"));
}

TEST_CASE("the preset of a file is the one with its tensors, by the file's name among several") {
  auto bedrooms = listed("statedict/adm_lsun_bedroom256.tsv");
  CHECK(matching_preset(bedrooms).name == "Adm256");
  bedrooms.name = "/somewhere/lsun_cat.pt";
  CHECK(matching_preset(bedrooms).name == "AdmLsun256");
  CHECK(!matching_preset(bedrooms).gray);
  CHECK(matching_preset(listed("statedict/iddpm_lsun_bedroom256_100M.tsv")).name == "IddpmLsun256");
  CHECK(matching_preset(listed("statedict/adm_imagenet64_cond.tsv", "module.")).name == "Adm64");

  bedrooms.tensors.pop_back();
  CHECK_THROWS_AS(matching_preset(bedrooms), Error);
  CHECK_THROWS_AS(matching_preset(Listed()), Error);

  Listed ours;
  ours.pairs = {{"config.preset", "IddpmLsun256"}, {"config.channels", "1"}};
  CHECK(matching_preset(ours).name == "IddpmLsun256");
  CHECK(matching_preset(ours).gray);
  ours.pairs = {{"config.preset", "Letters64"}, {"config.channels", "1"}};
  CHECK(!matching_preset(ours).gray);  // which has one channel anyway
}

}  // namespace checkpoint_inspection_tests
