#include "../unet/golden_models.hpp"
#include "network_entries.hpp"

#include <glyphdiff/checkpoint/infer_config.hpp>
#include <glyphdiff/unet.hpp>

#include <doctest/doctest.h>

#include <utility>

namespace checkpoint_infer_config_tests {

using namespace glyphdiff;

namespace {

/// A configuration of every kind that names and shapes can tell, from a number.
constexpr UNetConfig random_config(unsigned seed) {
  unsigned state = seed * 2654435761u + 12345u;
  auto const draw = [&](int count) {
    state = state * 1664525u + 1013904223u;
    return int((state >> 16) % unsigned(count));
  };
  UNetConfig c;
  c.channels = 1 + draw(4);
  c.learned_sigma = draw(2) == 1;
  c.model_channels = 4 * (1 + draw(4));
  c.channel_mult = {};
  int const levels = 1 + draw(4);
  double const factors[] = {1, 0.5, 2, 1.5};
  for (int level = 0; level < levels; ++level)
    c.channel_mult.items[c.channel_mult.count++] = factors[draw(4)];
  c.res_blocks = 1 + draw(3);
  c.space_to_depth = 1 + draw(2);
  c.image_size = c.space_to_depth << (levels + draw(3));
  for (int level = 0; level < levels; ++level)
    if (draw(2) == 1) c.attention_resolutions.items[c.attention_resolutions.count++] = c.resolution(level);
  c.scale_shift_norm = draw(2) == 1;
  c.resblock_updown = draw(2) == 1;
  c.conv_resample = draw(2) == 1;
  c.classes = draw(2) * 7;
  c.norm_groups = 2;
  c.coordinate_channels = draw(2) == 1;
  c.middle_attention = draw(2) == 1;
  c.middle_res_blocks = 1 + draw(2);
  c.level_input_skips = draw(3) > 0;
  return c;
}

template <unsigned seed>
struct Random {
  static constexpr UNetConfig config = random_config(seed);
};

template <class Spec>
void check_inferred() {
  auto entries = network_entries<Spec>("any.");
  entries.push_back({"other.weight", "F32", {3}});
  CHECK(network_prefix(entries) == "any.");
  auto const inferred = infer_config(entries, "any.");
  REQUIRE(inferred.has_value());
  CHECK(inferable(*inferred) == inferable(Spec::config));
  for (int level = 0; level < inferred->levels(); ++level)
    CHECK(inferred->width(level) % inferred->norm_groups == 0);
}

}  // namespace

TEST_CASE("forty random configurations are inferred from their names and shapes") {
  [&]<std::size_t... i>(std::index_sequence<i...>) { (check_inferred<Random<unsigned(i)>>(), ...); }
  (std::make_index_sequence<40>());
}

TEST_CASE("the golden models are inferred") {
  check_inferred<golden::AdmTiny<false>>();
  check_inferred<golden::IddpmTiny<false>>();
  check_inferred<golden::CondTiny<false>>();
}

namespace {
/// The network of ADM's upsamplers reads a small picture beside the noisy one.
struct Upsampler {
  static constexpr UNetConfig config = [] {
    UNetConfig c = golden::AdmTiny<false>::config;
    c.condition_channels = c.channels;
    return c;
  }();
};
}  // namespace

TEST_CASE("a condition is inferred") {
  check_inferred<Upsampler>();
  auto const inferred = infer_config(network_entries<Upsampler>(""), "");
  CHECK(inferred->channels == Upsampler::config.channels);
  CHECK(inferred->condition_channels == Upsampler::config.channels);
}

TEST_CASE("what is no such network is not inferred") {
  using Spec = golden::AdmTiny<false>;
  auto const entries = network_entries<Spec>("");
  CHECK_FALSE(network_prefix({{"a", "F32", {}}}).has_value());
  CHECK_FALSE(infer_config({}, "").has_value());
  CHECK_FALSE(infer_config(entries, "model.").has_value());
  for (char const* const without : {"time_embed.0.weight", "input_blocks.0.0.weight", "out.2.weight",
                                    "input_blocks.1.0.out_layers.3.weight"}) {
    CAPTURE(without);
    auto some = entries;
    std::erase_if(some, [&](TensorEntry const& entry) { return entry.name == without; });
    CHECK_FALSE(infer_config(some, "").has_value());
  }
  auto some = entries;
  std::erase_if(some, [](TensorEntry const& entry) { return entry.name.starts_with("output_blocks.3"); });
  CHECK_FALSE(infer_config(some, "").has_value());
  // Any one tensor with an absurd name or shape: no crash.
  for (std::size_t i = 0; i < entries.size(); ++i) {
    some = entries;
    some[i].shape = {std::int64_t(1) << 40, -1, 0};
    infer_config(some, "");
    some[i].shape = {};
    infer_config(some, "");
    some[i].name = "input_blocks.99999999999.0.weight";
    infer_config(some, "");
    some[i].name = "output_blocks.9999.1.conv.weight";
    infer_config(some, "");
  }
}

TEST_CASE("a configuration is printed as C++ that gives it again") {
  CHECK(config_code(UNetConfig{}) == "{}");
  CHECK(config_code({.image_size = 32,
                     .channel_mult = {0.5, 1, 2},
                     .qkv_order = QkvOrder::grouped,
                     .scale_shift_norm = false,
                     .dropout = 0.1}) ==
        "{.image_size = 32, .channel_mult = {0.5, 1, 2}, .qkv_order = QkvOrder::grouped, .scale_shift_norm = "
        "false, "
        ".dropout = 0.1}");
}

}  // namespace checkpoint_infer_config_tests
