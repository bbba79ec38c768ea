#pragma once

#include <glyphdiff/valid_config.hpp>

namespace glyphdiff {

/// How a classifier gets from activations to one answer per image.
enum class Pool {
  adaptive,    ///< norm, SiLU, mean over the pixels, linear
  attention,   ///< norm, SiLU, attention of the pixels' mean over the pixels (Radford et al. 2021), linear
  spatial,     ///< means of the outputs of all blocks, linear, ReLU, linear
  spatial_v2,  ///< means of the outputs of all blocks, linear, norm, SiLU, linear
};

/// Instantiated by every EncoderUNet, whose configuration is a type with three values:
///
///     struct Letters {
///       static constexpr glyphdiff::UNetConfig config{.image_size = 64, .num_head_channels = 32};
///       static constexpr int classes_out = 26;
///       static constexpr glyphdiff::Pool pool = glyphdiff::Pool::attention;
///     };
///
/// A wrong one fails to compile with one sentence per broken rule.
template <class Spec>
struct ValidEncoder {
  static constexpr UNetConfig c = Spec::config;

  static_assert(ValidConfig<Spec>::value);
  static_assert(Spec::classes_out >= 1, "EncoderUNet: classes_out must be at least 1");
  static_assert(c.classes == 0, "EncoderUNet: classes is a UNet's conditioning; use classes_out");
  static_assert(
      Spec::pool != Pool::attention ||
          (c.num_head_channels > 0 && c.width(c.levels() - 1) % c.num_head_channels == 0),
      "EncoderUNet: attention pooling needs num_head_channels, which must divide the lowest level's "
      "width");

  static constexpr bool value = true;
};

}  // namespace glyphdiff
