#include "unet_check.hpp"

namespace unet_attention_options_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

struct Legacy {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 4,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .attention_resolutions = {8, 4},
                                     .num_heads = 2,
                                     .num_heads_upsample = 4,
                                     .norm_groups = 2};
};
struct Grouped {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 3,
                                     .learned_sigma = true,
                                     .model_channels = 6,
                                     .channel_mult = {1},
                                     .res_blocks = 1,
                                     .attention_resolutions = {8},
                                     .num_head_channels = 3,
                                     .qkv_order = QkvOrder::grouped,
                                     .scale_shift_norm = false,
                                     .norm_groups = 3};
};
struct WithoutMiddle {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 4,
                                     .channel_mult = {1, 1},
                                     .res_blocks = 2,
                                     .norm_groups = 2,
                                     .middle_attention = false,
                                     .middle_res_blocks = 1};
};

}  // namespace

TEST_CASE("attention at several levels, with more heads on the way up") {
  check_unet<SingleVectorised, Legacy>({2, 8, 8});
  check_unet<SingleVectorised, Legacy>({1, 12, 6});  // another size than it was configured for
}

TEST_CASE("attention in the grouped order, heads by width, a learned variance, and the embedding added") {
  check_unet<SingleVectorised, Grouped>({2, 5, 7});
}

TEST_CASE("no attention in the middle, and one block") {
  check_unet<SingleVectorised, WithoutMiddle>({2, 8, 8});
}

TEST_CASE("the level's heads are those of the configuration") {
  using Level = nn::Level<Legacy, 1>;
  CHECK(std::is_same_v<Level::Down::Enter::Attend, nn::Attention<Legacy, 8, 2>>);
  CHECK(std::is_same_v<Level::Meet::Attend, nn::Attention<Legacy, 8, 4>>);
}

}  // namespace unet_attention_options_tests
