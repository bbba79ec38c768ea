#pragma once

#include <glyphdiff/unet.hpp>

/// The released models of ADM (Dhariwal & Nichol 2021) and IDDPM (Nichol & Dhariwal 2021), by name.
namespace glyphdiff::presets {

/// `lsun_uncond_100M_*.pt` of IDDPM: bedrooms at 256 x 256.
struct IddpmLsun256 {
  static constexpr UNetConfig config{.image_size = 256,
                                     .learned_sigma = true,
                                     .model_channels = 128,
                                     .channel_mult = {1, 1, 2, 2, 4, 4},
                                     .attention_resolutions = {16},
                                     .scale_shift_norm = false};
};

/// IDDPM's CIFAR-10 model (T = 4000, cosine).
struct IddpmCifar10 {
  static constexpr UNetConfig config{.image_size = 32,
                                     .learned_sigma = true,
                                     .model_channels = 128,
                                     .channel_mult = {1, 2, 2, 2},
                                     .res_blocks = 3,
                                     .attention_resolutions = {16, 8},
                                     .num_heads = 4,
                                     .dropout = 0.3};
};

/// IDDPM's ImageNet model at 64 x 64 (T = 4000, cosine).
struct IddpmImageNet64 {
  static constexpr UNetConfig config{.image_size = 64,
                                     .learned_sigma = true,
                                     .model_channels = 128,
                                     .channel_mult = {1, 2, 3, 4},
                                     .res_blocks = 3,
                                     .attention_resolutions = {16, 8},
                                     .num_heads = 4};
};

/// `64x64_diffusion.pt` of ADM, class-conditional.
struct Adm64 {
  static constexpr UNetConfig config{.image_size = 64,
                                     .learned_sigma = true,
                                     .model_channels = 192,
                                     .channel_mult = {1, 2, 3, 4},
                                     .res_blocks = 3,
                                     .attention_resolutions = {32, 16, 8},
                                     .num_head_channels = 64,
                                     .qkv_order = QkvOrder::grouped,
                                     .resblock_updown = true,
                                     .dropout = 0.1,
                                     .classes = 1000};
};

/// `128x128_diffusion.pt` of ADM, class-conditional.
struct Adm128 {
  static constexpr UNetConfig config{.image_size = 128,
                                     .learned_sigma = true,
                                     .model_channels = 256,
                                     .channel_mult = {1, 1, 2, 3, 4},
                                     .attention_resolutions = {32, 16, 8},
                                     .num_heads = 4,
                                     .resblock_updown = true,
                                     .classes = 1000};
};

/// `256x256_diffusion_uncond.pt` of ADM.
struct Adm256 {
  static constexpr UNetConfig config{.image_size = 256,
                                     .learned_sigma = true,
                                     .model_channels = 256,
                                     .channel_mult = {1, 1, 2, 2, 4, 4},
                                     .attention_resolutions = {32, 16, 8},
                                     .num_head_channels = 64,
                                     .resblock_updown = true};
};

/// `lsun_bedroom.pt`, `lsun_cat.pt` and `lsun_horse.pt` of ADM: Adm256 with dropout.
struct AdmLsun256 {
  static constexpr UNetConfig config = [] {
    UNetConfig c = Adm256::config;
    c.dropout = 0.1;
    return c;
  }();
};

/// `256x256_diffusion.pt` of ADM, class-conditional.
struct Adm256Conditional {
  static constexpr UNetConfig config = [] {
    UNetConfig c = Adm256::config;
    c.classes = 1000;
    return c;
  }();
};

/// The unconditional fine-tune of ADM at 512 x 512.
struct Adm512 {
  static constexpr UNetConfig config = [] {
    UNetConfig c = Adm256::config;
    c.image_size = 512;
    c.channel_mult = {0.5, 1, 1, 2, 2, 4, 4};
    return c;
  }();
};

/// `512x512_diffusion.pt` of ADM, class-conditional.
struct Adm512Conditional {
  static constexpr UNetConfig config = [] {
    UNetConfig c = Adm512::config;
    c.classes = 1000;
    return c;
  }();
};

static_assert(parameter_count<IddpmLsun256> == 113'676'678);
static_assert(parameter_count<IddpmCifar10> == 52'546'438);
static_assert(parameter_count<IddpmImageNet64> == 121'063'942);
static_assert(parameter_count<Adm64> == 295'904'454);
static_assert(parameter_count<Adm128> == 421'529'606);
static_assert(parameter_count<Adm256> == 552'814'086);
static_assert(parameter_count<AdmLsun256> == 552'814'086);
static_assert(parameter_count<Adm256Conditional> == 553'838'086);
static_assert(parameter_count<Adm512> == 557'973'638);
static_assert(parameter_count<Adm512Conditional> == 558'997'638);

}  // namespace glyphdiff::presets
