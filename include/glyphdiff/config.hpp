#pragma once

#include <cstdint>
#include <initializer_list>

namespace glyphdiff {

/// A short list that can live in a constexpr configuration: `{1, 1, 2, 2, 4, 4}`.
template <class T, int Capacity = 8>
struct ShortList {
  T items[Capacity]{};
  int count = 0;

  constexpr ShortList() = default;
  constexpr ShortList(std::initializer_list<T> values) {
    for (T value : values) items[count++] = value;  // more than Capacity is a compile-time error
  }
  constexpr int size() const { return count; }
  constexpr T operator[](int i) const { return items[i]; }
  constexpr T const* begin() const { return items; }
  constexpr T const* end() const { return items + count; }
  constexpr bool contains(T value) const {
    for (int i = 0; i < count; ++i)
      if (items[i] == value) return true;
    return false;
  }
};

/// Order of the rows of an attention's qkv weight; with one head the two agree.
enum class QkvOrder {
  legacy,   ///< [head 0: q k v][head 1: q k v]... (IDDPM, and ADM unless asked otherwise)
  grouped,  ///< [q: all heads][k: all heads][v: all heads] (ADM's "new attention order")
};

/// The label of an image whose class is not said, to a network with classes: nothing is added to its
/// embedding.
inline constexpr int no_class = -1;

/// The UNet of ADM (Dhariwal & Nichol 2021, section 3) and IDDPM (Nichol & Dhariwal 2021), and a few options
/// beyond them that small letter models like. A configuration is the constexpr member of a type:
///
///     struct LetterA { static constexpr glyphdiff::UNetConfig config{.image_size = 64, .channels = 1}; };
///     using Net = glyphdiff::UNet<LetterA, Kokkos::DefaultExecutionSpace>;
struct UNetConfig {
  int image_size = 64;         ///< height and width at training, pixels; sampling may use others
  int channels = 3;            ///< of the image
  bool learned_sigma = false;  ///< the output has 2 * channels: prediction, then variance interpolation
  int model_channels = 64;     ///< width of the stem
  ShortList<double> channel_mult{1,
                                 2};  ///< one per level, times model_channels, truncated; fractions allowed
  int res_blocks = 2;  ///< per level on the way down; one more on the way up if level_input_skips
  ShortList<int>
      attention_resolutions{};  ///< rows of a level's feature map: image_size / space_to_depth / 2^level
  int num_heads = 1;            ///< used when num_head_channels is 0
  int num_heads_upsample = 0;   ///< heads on the way up; 0: as num_heads
  int num_head_channels = 0;    ///< channels per head; 0: by num_heads
  QkvOrder qkv_order = QkvOrder::legacy;
  bool scale_shift_norm = true;  ///< the embedding scales and shifts the second norm; else it is added before
  bool resblock_updown = false;  ///< resample inside a ResBlock
  bool conv_resample = true;     ///< strided / post-upsampling convolution, unless resblock_updown
  double dropout = 0.0;
  int classes = 0;  ///< 0: no class conditioning
  /// More input channels that are given and not predicted, behind the image's: the small picture of ADM's
  /// upsamplers, or reference letters.
  int condition_channels = 0;

  // Beyond ADM.
  int norm_groups = 32;
  int space_to_depth = 1;            ///< the stem folds f x f pixels into channels, the output unfolds them
  bool coordinate_channels = false;  ///< two more input channels: y and x in [-1, 1]
  bool middle_attention = true;
  int middle_res_blocks = 2;      ///< 1 or 2
  bool level_input_skips = true;  ///< a level's own input is a skip too, as in ADM
  bool exact_convolutions =
      false;  ///< no Winograd transforms (their error is about 1e-5 of the largest value)
  /// Levels, 0 the outermost, whose blocks keep only their inputs for the backward pass and compute the rest
  /// again: less memory, more time, the same bits.
  ShortList<int> recomputed_levels{};

  constexpr int levels() const { return channel_mult.size(); }
  constexpr int width(int level) const { return static_cast<int>(channel_mult[level] * model_channels); }
  constexpr int embedding() const { return 4 * model_channels; }
  /// Channels that the network reads: the image's, then the condition's.
  constexpr int in_channels() const { return channels + condition_channels; }
  constexpr int out_channels() const { return learned_sigma ? 2 * channels : channels; }
  /// Channels that the stem's convolution reads.
  constexpr int stem_in() const {
    return in_channels() * space_to_depth * space_to_depth + (coordinate_channels ? 2 : 0);
  }
  /// Channels that the output convolution writes.
  constexpr int stem_out() const { return out_channels() * space_to_depth * space_to_depth; }
  /// Pixels per side at a level, at the training size.
  constexpr int resolution(int level) const { return image_size / space_to_depth >> level; }
  constexpr bool attention_at(int level) const { return attention_resolutions.contains(resolution(level)); }
  constexpr bool recomputes_at(int level) const { return recomputed_levels.contains(level); }
  constexpr int heads(int width, bool upward) const {
    if (num_head_channels > 0) return width / num_head_channels;
    return upward && num_heads_upsample > 0 ? num_heads_upsample : num_heads;
  }
};

}  // namespace glyphdiff
