#pragma once

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/unet.hpp>

/// The released models of ADM (Dhariwal & Nichol 2021) and IDDPM (Nichol & Dhariwal 2021), and small models
/// for letters, by name. A preset is a network (`config`) and the process that it was trained on (`Process`,
/// and whether its timesteps are rescaled to 0 .. 1000).
namespace glyphdiff::presets {

/// eps and a learned variance in 1000 linear steps: what most of the released models predict.
struct Linear1000 {
  using Process = Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>;
  static constexpr bool rescale_timesteps = false;
};

/// IDDPM's 4000 cosine steps, which the network sees as 0 .. 1000.
struct Cosine4000 {
  using Process = Diffusion<CosineSchedule<4000>, Epsilon, LearnedRange>;
  static constexpr bool rescale_timesteps = true;
};

/// `lsun_uncond_100M_*.pt` of IDDPM: bedrooms at 256 x 256.
struct IddpmLsun256 : Linear1000 {
  static constexpr UNetConfig config{.image_size = 256,
                                     .learned_sigma = true,
                                     .model_channels = 128,
                                     .channel_mult = {1, 1, 2, 2, 4, 4},
                                     .attention_resolutions = {16},
                                     .scale_shift_norm = false};
};

/// IDDPM's CIFAR-10 model (T = 4000, cosine).
struct IddpmCifar10 : Cosine4000 {
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
struct IddpmImageNet64 : Cosine4000 {
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
  using Process = Diffusion<CosineSchedule<1000>, Epsilon, LearnedRange>;
  static constexpr bool rescale_timesteps = false;
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
struct Adm128 : Linear1000 {
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
struct Adm256 : Linear1000 {
  static constexpr UNetConfig config{.image_size = 256,
                                     .learned_sigma = true,
                                     .model_channels = 256,
                                     .channel_mult = {1, 1, 2, 2, 4, 4},
                                     .attention_resolutions = {32, 16, 8},
                                     .num_head_channels = 64,
                                     .resblock_updown = true};
};

/// `lsun_bedroom.pt`, `lsun_cat.pt` and `lsun_horse.pt` of ADM: Adm256 with dropout.
struct AdmLsun256 : Linear1000 {
  static constexpr UNetConfig config = [] {
    UNetConfig c = Adm256::config;
    c.dropout = 0.1;
    return c;
  }();
};

/// `256x256_diffusion.pt` of ADM, class-conditional.
struct Adm256Conditional : Linear1000 {
  static constexpr UNetConfig config = [] {
    UNetConfig c = Adm256::config;
    c.classes = 1000;
    return c;
  }();
};

/// The unconditional fine-tune of ADM at 512 x 512.
struct Adm512 : Linear1000 {
  static constexpr UNetConfig config = [] {
    UNetConfig c = Adm256::config;
    c.image_size = 512;
    c.channel_mult = {0.5, 1, 1, 2, 2, 4, 4};
    return c;
  }();
};

/// `512x512_diffusion.pt` of ADM, class-conditional.
struct Adm512Conditional : Linear1000 {
  static constexpr UNetConfig config = [] {
    UNetConfig c = Adm512::config;
    c.classes = 1000;
    return c;
  }();
};

/// The models of `letter_a`: small, gray, without attention, on 2x2 blocks of pixels.
struct LetterA32 {
  static constexpr UNetConfig config{.image_size = 32,
                                     .channels = 1,
                                     .model_channels = 32,
                                     .channel_mult = {1, 2, 4},
                                     .res_blocks = 1,
                                     .norm_groups = 8,
                                     .space_to_depth = 2,
                                     .coordinate_channels = true,
                                     .middle_attention = false,
                                     .middle_res_blocks = 1,
                                     .level_input_skips = false};
  using Process = ContinuousDiffusion<ContinuousCosine, V>;
};

struct LetterA64 {
  static constexpr UNetConfig config = [] {
    UNetConfig c = LetterA32::config;
    c.image_size = 64;
    c.model_channels = 16;
    c.channel_mult = {1, 3, 6, 8};
    return c;
  }();
  using Process = ContinuousDiffusion<ShiftedCosine<64, 32>, V>;
};

/// A small ADM for letters of any kind at 64 x 64, to be trained on many and fine-tuned on few.
struct Letters64 {
  static constexpr UNetConfig config{.image_size = 64,
                                     .channels = 1,
                                     .model_channels = 24,
                                     .channel_mult = {1, 2, 4, 6},
                                     .res_blocks = 1,
                                     .attention_resolutions = {8},
                                     .num_head_channels = 24,
                                     .resblock_updown = true,
                                     .norm_groups = 8,
                                     .space_to_depth = 2,
                                     .coordinate_channels = true};
  using Process = LetterA64::Process;
};

/// A model for a whole alphabet: it is told which character to draw, and shown up to three letters of the
/// style to draw it in (data/alphabet.hpp, data/alphabet_batches.hpp).
struct Alphabet64 {
  static constexpr UNetConfig config = [] {
    UNetConfig c = LetterA32::config;
    c.image_size = 64;
    c.channel_mult = {1, 2, 3, 5};
    c.attention_resolutions = {8};
    c.num_head_channels = 32;
    c.middle_attention = true;
    c.classes = 66;
    c.condition_channels = 3;
    return c;
  }();
  using Process = LetterA64::Process;
};

/// A preset for gray pictures: one channel instead of three.
template <class Preset>
struct Gray : Preset {
  static constexpr UNetConfig config = [] {
    UNetConfig c = Preset::config;
    c.channels = 1;
    return c;
  }();
};

/// A preset whose levels all keep less for the backward pass (UNetConfig::recomputed_levels).
template <class Preset>
struct Recomputed : Preset {
  static constexpr UNetConfig config = [] {
    UNetConfig c = Preset::config;
    for (int level = 0; level < c.levels(); ++level)
      c.recomputed_levels.items[c.recomputed_levels.count++] = level;
    return c;
  }();
};

/// The process that a preset was trained on.
template <class Preset>
typename Preset::Process make_process() {
  if constexpr (requires { Preset::rescale_timesteps; })
    return typename Preset::Process(Preset::rescale_timesteps);
  else
    return typename Preset::Process();
}

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
