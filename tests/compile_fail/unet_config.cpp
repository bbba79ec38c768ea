// Every rule of UNetConfig, by its sentence.
#include <glyphdiff/valid_config.hpp>

struct Spec {
  static constexpr glyphdiff::UNetConfig config{
#if CASE == 1  // expects: UNetConfig: channels must be at least 1
      .channels = 0,
#elif CASE == 2  // expects: UNetConfig: model_channels must be at least 2
      .model_channels = 1,
#elif CASE == 3  // expects: UNetConfig: channel_mult must name at least one level
      .channel_mult = {},
#elif CASE == 4  // expects: UNetConfig: every level's width, channel_mult * model_channels, must be at least 1
      .channel_mult = {1, 0.001},
#elif CASE == 5  // expects: UNetConfig: image_size must be divisible by space_to_depth * 2^(levels - 1)
      .image_size = 63,
#elif CASE == 6  // expects: UNetConfig: res_blocks must be at least 1
      .res_blocks = 0,
#elif CASE == 7  // expects: UNetConfig: every attention resolution must be the resolution of a level
      .attention_resolutions = {20},
#elif CASE == 8  // expects: UNetConfig: num_heads must be at least 1
      .num_heads = 0,
#elif CASE == 9  // expects: UNetConfig: the number of heads must divide the width of every level that has attention
      .num_heads = 3,
#elif CASE == 10  // expects: UNetConfig: num_head_channels must divide the width of every level that has attention
      .num_head_channels = 48,
#elif CASE == 11  // expects: UNetConfig: dropout must be in
      .dropout = 1,
#elif CASE == 12  // expects: UNetConfig: classes must not be negative
      .classes = -1,
#elif CASE == 13  // expects: UNetConfig: norm_groups must be at least 1
      .norm_groups = 0,
#elif CASE == 14  // expects: UNetConfig: norm_groups must divide every level's width, channel_mult * model_channels
      .norm_groups = 48,
#elif CASE == 15  // expects: UNetConfig: space_to_depth must be at least 1
      .space_to_depth = 0,
#elif CASE == 16  // expects: UNetConfig: middle_res_blocks must be 1 or 2
      .middle_res_blocks = 3,
#elif CASE == 17  // expects: UNetConfig: the number of heads must divide the width of every level that has attention
      .attention_resolutions = {32}, .num_heads_upsample = 3,
#elif CASE == 18  // expects: UNetConfig: num_heads must be at least 1, num_heads_upsample and num_head_channels not negative
      .num_head_channels = -1,
#elif CASE == 19  // expects: UNetConfig: image_size must be divisible by space_to_depth * 2^(levels - 1)
      .image_size = 68, .channel_mult = {1, 1, 1}, .space_to_depth = 2,
#elif CASE == 20  // expects: UNetConfig: image_size must be at least 1
      .image_size = 0,
#elif CASE == 21  // expects: UNetConfig: every recomputed level must be one of the levels, 0 to levels - 1
      .recomputed_levels = {2},
#endif
  };
};

static_assert(glyphdiff::ValidConfig<Spec>::value);
