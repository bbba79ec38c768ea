#pragma once

#include <glyphdiff/encoder_unet.hpp>
#include <glyphdiff/presets.hpp>

/// Classifiers of noisy images by name, to guide sampling: the released ones of ADM (Dhariwal & Nichol 2021)
/// for 1000 classes of ImageNet, and a small one for letters. ClassifierOf says which one guides which model.
namespace glyphdiff::presets {

/// What they have in common: 128 channels, 64 for each head, attention pooling.
struct AdmClassifier {
  static constexpr int classes_out = 1000;
  static constexpr Pool pool = Pool::attention;

  static constexpr UNetConfig with(int image_size, ShortList<double> const& channel_mult,
                                   int res_blocks = 2) {
    return {.image_size = image_size,
            .model_channels = 128,
            .channel_mult = channel_mult,
            .res_blocks = res_blocks,
            .attention_resolutions = {32, 16, 8},
            .num_head_channels = 64,
            .resblock_updown = true};
  }
};

/// `64x64_classifier.pt`.
struct AdmClassifier64 : AdmClassifier {
  static constexpr UNetConfig config = with(64, {1, 2, 3, 4}, 4);
};

/// `128x128_classifier.pt`.
struct AdmClassifier128 : AdmClassifier {
  static constexpr UNetConfig config = with(128, {1, 1, 2, 3, 4});
};

/// `256x256_classifier.pt`.
struct AdmClassifier256 : AdmClassifier {
  static constexpr UNetConfig config = with(256, {1, 1, 2, 2, 4, 4});
};

/// `512x512_classifier.pt`.
struct AdmClassifier512 : AdmClassifier {
  static constexpr UNetConfig config = with(512, {0.5, 1, 1, 2, 2, 4, 4});
};

/// A small one for letters at 64 x 64: tells characters, or styles, up to 64 of them.
struct LettersClassifier64 {
  static constexpr int classes_out = 64;
  static constexpr Pool pool = Pool::attention;
  static constexpr UNetConfig config{.image_size = 64,
                                     .channels = 1,
                                     .model_channels = 24,
                                     .channel_mult = {1, 2, 3, 4},
                                     .res_blocks = 1,
                                     .attention_resolutions = {8},
                                     .num_head_channels = 24,
                                     .resblock_updown = true,
                                     .norm_groups = 8,
                                     .space_to_depth = 2,
                                     .coordinate_channels = true};
};

namespace detail {
AdmClassifier64 classifier_of(Adm64);
AdmClassifier128 classifier_of(Adm128);
AdmClassifier256 classifier_of(Adm256);
AdmClassifier256 classifier_of(Adm256Conditional);
AdmClassifier512 classifier_of(Adm512);
AdmClassifier512 classifier_of(Adm512Conditional);
LettersClassifier64 classifier_of(Letters64);
}  // namespace detail

/// The classifier for a model's images and noise.
template <class Preset>
using ClassifierOf = decltype(detail::classifier_of(Preset{}));

static_assert(encoder_parameter_count<AdmClassifier64> == 65'438'568);
static_assert(encoder_parameter_count<AdmClassifier128> == 42'568'040);
static_assert(encoder_parameter_count<AdmClassifier256> == 54'096'360);
static_assert(encoder_parameter_count<AdmClassifier512> == 54'448'360);

}  // namespace glyphdiff::presets
