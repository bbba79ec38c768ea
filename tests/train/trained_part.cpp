#include <glyphdiff/presets.hpp>
#include <glyphdiff/train/trained_part.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace train_trained_part_tests {

using namespace glyphdiff;

namespace {

template <class Preset>
struct SmallWidths {
  static constexpr UNetConfig config = [] {
    UNetConfig c = Preset::config;
    c.model_channels = 8;
    c.norm_groups = 4;
    c.num_head_channels = 4;
    return c;
  }();
};

template <class Preset>
std::vector<std::string> names(TrainedPart part) {
  using Exec = Kokkos::DefaultExecutionSpace;
  Exec const exec;
  UNet<SmallWidths<Preset>, Exec> net(exec);
  std::vector<std::string> result;
  auto const trainable = make_trainable(exec, net, part, 2, 1);
  for (auto const& info : trainable.list()) result.push_back(info.name);
  return result;
}

bool has(std::vector<std::string> const& list, std::string const& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

TEST_CASE("parts have names") {
  CHECK(trained_part("low-rank") == TrainedPart::low_rank);
  CHECK(trained_part("all") == TrainedPart::all);
  CHECK(!trained_part("some"));
}

TEST_CASE("each part trains what it says") {
  using Net = presets::Adm256;
  auto const all = names<Net>(TrainedPart::all), norms = names<Net>(TrainedPart::norms),
             attention = names<Net>(TrainedPart::attention), last = names<Net>(TrainedPart::last),
             low_rank = names<Net>(TrainedPart::low_rank);
  CHECK(all.size() == 566);

  CHECK(has(norms, "input_blocks.0.0.bias"));
  CHECK(has(norms, "out.0.weight"));
  CHECK(!has(norms, "out.2.weight"));

  CHECK(has(attention, "middle_block.1.qkv.weight"));
  CHECK(has(attention, "middle_block.1.norm.bias"));
  for (auto const& name : attention) CHECK(name.find("_layers.") == std::string::npos);

  // Six levels of three blocks: the outermost has numbers 15 to 17.
  CHECK(has(last, "output_blocks.15.0.in_layers.0.weight"));
  CHECK(has(last, "out.2.bias"));
  CHECK(!has(last, "output_blocks.14.0.in_layers.0.weight"));
  CHECK(!has(last, "input_blocks.0.0.weight"));

  CHECK(has(low_rank, "middle_block.1.qkv.lora_A.weight"));
  CHECK(has(low_rank, "output_blocks.0.0.skip_connection.lora_B.weight"));
  for (auto const& name : low_rank) CHECK(name.find(".lora_") != std::string::npos);
}

TEST_CASE("a network without attention has none to train") {
  CHECK_THROWS_AS(names<presets::LetterA64>(TrainedPart::attention), Error);
}

}  // namespace train_trained_part_tests
