#include <glyphdiff/valid_config.hpp>

#include <doctest/doctest.h>

namespace config_tests {

using namespace glyphdiff;

namespace {

struct Letters {
  static constexpr UNetConfig config{.image_size = 64,
                                     .channels = 1,
                                     .learned_sigma = true,
                                     .model_channels = 48,
                                     .channel_mult = {0.5, 1, 1.5},
                                     .attention_resolutions = {16, 8},
                                     .num_heads = 2,
                                     .num_heads_upsample = 3,
                                     .norm_groups = 6,
                                     .space_to_depth = 2,
                                     .coordinate_channels = true};
};
static_assert(ValidConfig<Letters>::value);
static_assert(ValidConfig<Letters>::c.width(0) == 24);  // a configuration is known while compiling

}  // namespace

TEST_CASE("what follows from a configuration") {
  constexpr UNetConfig c = Letters::config;
  CHECK(c.levels() == 3);
  CHECK(c.width(2) == 72);
  CHECK(c.embedding() == 192);
  CHECK(c.out_channels() == 2);
  CHECK(c.stem_in() == 6);
  CHECK(c.stem_out() == 8);
  CHECK(c.resolution(0) == 32);
  CHECK(c.resolution(2) == 8);
  CHECK(!c.attention_at(0));
  CHECK(c.attention_at(1));
  CHECK(c.attention_at(2));
  CHECK(c.heads(48, false) == 2);
  CHECK(c.heads(48, true) == 3);
}

TEST_CASE("widths are truncated, heads may follow from their width") {
  UNetConfig c;
  c.channel_mult = {0.7};
  c.model_channels = 5;
  CHECK(c.width(0) == 3);
  c.num_head_channels = 16;
  CHECK(c.heads(64, false) == 4);
  CHECK(c.heads(64, true) == 4);
}

TEST_CASE("a short list") {
  constexpr ShortList<int> list{4, 2};
  CHECK(list.size() == 2);
  CHECK(list[1] == 2);
  CHECK(list.contains(4));
  CHECK(!list.contains(0));  // what is behind its end is no part of it
  CHECK(ShortList<int>().size() == 0);
}

}  // namespace config_tests
