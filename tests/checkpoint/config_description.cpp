#include <glyphdiff/checkpoint/config_description.hpp>

#include <doctest/doctest.h>

namespace checkpoint_config_description_tests {

using namespace glyphdiff;

namespace {

UNetConfig const unusual{.image_size = 512,
                         .channels = 1,
                         .learned_sigma = true,
                         .model_channels = 192,
                         .channel_mult = {0.5, 1, 1, 2, 2, 4, 4},
                         .res_blocks = 3,
                         .attention_resolutions = {32, 16, 8},
                         .num_heads = 4,
                         .num_heads_upsample = 2,
                         .num_head_channels = 64,
                         .qkv_order = QkvOrder::grouped,
                         .scale_shift_norm = false,
                         .resblock_updown = true,
                         .conv_resample = false,
                         .dropout = 0.1,
                         .classes = 1000,
                         .condition_channels = 2,
                         .norm_groups = 8,
                         .space_to_depth = 2,
                         .coordinate_channels = true,
                         .middle_attention = false,
                         .middle_res_blocks = 1,
                         .level_input_skips = false,
                         .exact_convolutions = true};

}  // namespace

TEST_CASE("a configuration is described field by field in readable text") {
  KeyValues const d = describe(unusual);
  CHECK(d.front() == std::pair<std::string, std::string>("image_size", "512"));
  CHECK(*find_value(d, "channel_mult") == "0.5,1,1,2,2,4,4");
  CHECK(*find_value(d, "attention_resolutions") == "32,16,8");
  CHECK(*find_value(d, "qkv_order") == "grouped");
  CHECK(*find_value(d, "dropout") == "0.1");
  CHECK(*find_value(d, "learned_sigma") == "true");
  CHECK(*find_value(describe(UNetConfig{}), "attention_resolutions") == "");
}

TEST_CASE(
    "every field of the unusual configuration differs from the default and survives the way through text") {
  KeyValues const described = describe(unusual), standard = describe(UNetConfig{});
  REQUIRE(described.size() == standard.size());
  for (std::size_t k = 0; k < described.size(); ++k) {
    CAPTURE(described[k].first);
    CHECK(described[k].second != standard[k].second);
  }
  UNetConfig const parsed = parse_unet_config(described);
  CHECK(describe(parsed) == described);
  CHECK(parsed.channel_mult[0] == 0.5);
  CHECK(parsed.width(6) == unusual.width(6));
  CHECK(differences(describe(parse_unet_config({})), standard) == "");
}

TEST_CASE("text that is no value of its field is refused") {
  CHECK_THROWS_WITH_AS(parse_unet_config({{"image_size", "64px"}}),
                       "\"64px\" is no value for the configuration's image_size.", Error);
  for (char const* const list : {"1,,2", "1,2,", ",1", "a", "1,2,3,4,5,6,7,8,9", "1 ,2"}) {
    CAPTURE(list);
    CHECK_THROWS_AS(parse_unet_config({{"channel_mult", list}}), Error);
  }
  CHECK_THROWS_AS(parse_unet_config({{"learned_sigma", "yes"}}), Error);
  CHECK_THROWS_AS(parse_unet_config({{"qkv_order", ""}}), Error);
  CHECK_THROWS_AS(parse_unet_config({{"classes", "99999999999"}}), Error);
}

}  // namespace checkpoint_config_description_tests
