#pragma once

#include <glyphdiff/config.hpp>

#include <cstdint>

/// The configurations of the golden models, as their config.json describes them. `exact`: no Winograd
/// transforms.
namespace golden {

template <bool exact>
struct AdmTiny {
  static constexpr char const* name = "adm_tiny";
  static constexpr glyphdiff::UNetConfig config{.image_size = 16,
                                                .learned_sigma = true,
                                                .model_channels = 32,
                                                .channel_mult = {1, 2},
                                                .res_blocks = 1,
                                                .attention_resolutions = {8},
                                                .num_heads = 4,
                                                .num_head_channels = 32,
                                                .resblock_updown = true,
                                                .exact_convolutions = exact};
};

template <bool exact>
struct IddpmTiny {
  static constexpr char const* name = "iddpm_tiny";
  static constexpr glyphdiff::UNetConfig config{.image_size = 16,
                                                .learned_sigma = true,
                                                .model_channels = 64,
                                                .channel_mult = {1, 1},
                                                .res_blocks = 1,
                                                .attention_resolutions = {8},
                                                .scale_shift_norm = false,
                                                .exact_convolutions = exact};
};

template <bool exact>
struct CondTiny {
  static constexpr char const* name = "cond_tiny";
  static constexpr glyphdiff::UNetConfig config{.image_size = 8,
                                                .channels = 1,
                                                .model_channels = 32,
                                                .channel_mult = {1, 1, 2},
                                                .res_blocks = 1,
                                                .attention_resolutions = {4, 2},
                                                .num_heads = 2,
                                                .qkv_order = glyphdiff::QkvOrder::grouped,
                                                .resblock_updown = true,
                                                .classes = 26,
                                                .exact_convolutions = exact};
};

}  // namespace golden
