// The rules of a classifier's configuration, by their sentences.
#include <glyphdiff/encoder_config.hpp>

struct Spec {
  static constexpr glyphdiff::UNetConfig config{
      .image_size = 8,
#if CASE == 1  // expects: EncoderUNet: attention pooling needs num_head_channels
#else
      .num_head_channels = 32,
#endif
#if CASE == 2  // expects: EncoderUNet: classes is a UNet's conditioning; use classes_out
      .classes = 3,
#endif
  };
#if CASE == 3  // expects: EncoderUNet: classes_out must be at least 1
  static constexpr int classes_out = 0;
#else
  static constexpr int classes_out = 3;
#endif
  static constexpr glyphdiff::Pool pool = glyphdiff::Pool::attention;
};

template struct glyphdiff::ValidEncoder<Spec>;
