#pragma once

#include <glyphdiff/encoder_unet.hpp>

/// The released classifiers of ADM (Dhariwal & Nichol 2021), by name: 1000 classes of ImageNet, for images
/// noised by the process of the model that they guide.
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

static_assert(encoder_parameter_count<AdmClassifier64> == 65'438'568);
static_assert(encoder_parameter_count<AdmClassifier128> == 42'568'040);
static_assert(encoder_parameter_count<AdmClassifier256> == 54'096'360);
static_assert(encoder_parameter_count<AdmClassifier512> == 54'448'360);

}  // namespace glyphdiff::presets
