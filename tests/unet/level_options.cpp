#include "unet_check.hpp"

namespace unet_level_options_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

/// Three levels, widths that fractions give, resampling inside blocks.
struct Fractional {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 8,
                                     .channel_mult = {0.5, 0.8, 1.5},
                                     .res_blocks = 1,
                                     .resblock_updown = true,
                                     .norm_groups = 2};
};
struct ThreeBlocks {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 4,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 3,
                                     .conv_resample = false,
                                     .norm_groups = 2};
};
struct WithoutInputSkips {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 4,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 2,
                                     .attention_resolutions = {4},
                                     .norm_groups = 2,
                                     .level_input_skips = false};
};

}  // namespace

TEST_CASE("fractional widths, three levels, blocks that resample") {
  CHECK(Fractional::config.width(1) == 6);
  check_unet<SingleVectorised, Fractional>({2, 8, 8});
}

TEST_CASE("three blocks per level, resampling without convolutions") {
  check_unet<SingleVectorised, ThreeBlocks>({2, 8, 8});
}

TEST_CASE("levels whose input is no skip have one block less on the way up") {
  check_unet<SingleVectorised, WithoutInputSkips>({2, 8, 8});
  nn::UNetLayers<WithoutInputSkips> layers;
  auto const list = layers.declare();
  CHECK_NOTHROW(list["output_blocks.3.0.in_layers.0.weight"]);
  CHECK_THROWS_AS(list["output_blocks.4.0.in_layers.0.weight"], Error);
  CHECK_NOTHROW(list["output_blocks.1.2.conv.weight"]);  // behind the attention
}

}  // namespace unet_level_options_tests
