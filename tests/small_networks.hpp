#pragma once

#include <glyphdiff/encoder_config.hpp>

/// Networks that have every kind of layer and compile quickly, for what holds whatever a network is.
namespace glyphdiff::test {

/// Attention, dropout, classes, a condition and a learned variance, on two levels.
struct EveryLayer {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .learned_sigma = true,
                                     .model_channels = 8,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .attention_resolutions = {4},
                                     .num_heads = 2,
                                     .dropout = 0.1,
                                     .classes = 3,
                                     .condition_channels = 1,
                                     .norm_groups = 4};
};

/// Attention on the lower of two levels.
struct TwoLevels {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 8,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .attention_resolutions = {4},
                                     .norm_groups = 4};
};

/// The least that is a UNet.
struct OneLevel {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 8,
                                     .channel_mult = {1},
                                     .res_blocks = 1,
                                     .norm_groups = 4};
};

/// A classifier whose pool attends.
struct SmallClassifier {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 8,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .num_head_channels = 8,
                                     .norm_groups = 4};
  static constexpr int classes_out = 3;
  static constexpr Pool pool = Pool::attention;
};

}  // namespace glyphdiff::test
