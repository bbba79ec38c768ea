#pragma once

#include <glyphdiff/config.hpp>

namespace glyphdiff {

/// Instantiated by every UNet: a wrong configuration fails to compile with one sentence per broken rule.
template <class Spec>
struct ValidConfig {
  static constexpr UNetConfig c = Spec::config;

  static constexpr bool all_levels(bool (*rule)(UNetConfig const&, int)) {
    for (int level = 0; level < c.levels(); ++level)
      if (!rule(c, level)) return false;
    return true;
  }
  static constexpr bool every_attention_resolution_is_a_level() {
    for (int resolution : c.attention_resolutions) {
      bool found = false;
      for (int level = 0; level < c.levels(); ++level) found = found || c.resolution(level) == resolution;
      if (!found) return false;
    }
    return true;
  }

  static constexpr bool every_recomputed_level_exists() {
    for (int level : c.recomputed_levels)
      if (level < 0 || level >= c.levels()) return false;
    return true;
  }

  static_assert(c.image_size >= 1, "UNetConfig: image_size must be at least 1");
  static_assert(c.channels >= 1, "UNetConfig: channels must be at least 1");
  static_assert(c.levels() >= 1, "UNetConfig: channel_mult must name at least one level");
  static_assert(c.model_channels >= 2, "UNetConfig: model_channels must be at least 2");
  static_assert(c.space_to_depth >= 1, "UNetConfig: space_to_depth must be at least 1");
  static_assert(c.space_to_depth < 1 || c.image_size % (c.space_to_depth << (c.levels() - 1)) == 0,
                "UNetConfig: image_size must be divisible by space_to_depth * 2^(levels - 1)");
  static_assert(c.res_blocks >= 1, "UNetConfig: res_blocks must be at least 1");
  static_assert(c.norm_groups >= 1, "UNetConfig: norm_groups must be at least 1");
  static_assert(all_levels([](UNetConfig const& u, int l) { return u.width(l) >= 1; }),
                "UNetConfig: every level's width, channel_mult * model_channels, must be at least 1");
  static_assert(all_levels([](UNetConfig const& u, int l) {
                  return u.norm_groups < 1 || u.width(l) % u.norm_groups == 0;
                }),
                "UNetConfig: norm_groups must divide every level's width, channel_mult * model_channels");
  static_assert(every_attention_resolution_is_a_level(),
                "UNetConfig: every attention resolution must be the resolution of a level: image_size / "
                "space_to_depth / "
                "2^level");
  static_assert(
      c.num_heads >= 1 && c.num_heads_upsample >= 0 && c.num_head_channels >= 0,
      "UNetConfig: num_heads must be at least 1, num_heads_upsample and num_head_channels not negative");
  static_assert(all_levels([](UNetConfig const& u, int l) {
                  bool const attends = u.attention_at(l) || (u.middle_attention && l == u.levels() - 1);
                  return !attends || u.num_head_channels == 0 || u.width(l) % u.num_head_channels == 0;
                }),
                "UNetConfig: num_head_channels must divide the width of every level that has attention");
  static_assert(all_levels([](UNetConfig const& u, int l) {
                  bool const attends = u.attention_at(l) || (u.middle_attention && l == u.levels() - 1);
                  return !attends || u.num_head_channels > 0 || u.num_heads < 1 ||
                         (u.width(l) % u.num_heads == 0 &&
                          (u.num_heads_upsample < 1 || u.width(l) % u.num_heads_upsample == 0));
                }),
                "UNetConfig: the number of heads must divide the width of every level that has attention");
  static_assert(c.dropout >= 0 && c.dropout < 1, "UNetConfig: dropout must be in [0, 1)");
  static_assert(c.classes >= 0, "UNetConfig: classes must not be negative");
  static_assert(c.condition_channels >= 0, "UNetConfig: condition_channels must not be negative");
  static_assert(c.middle_res_blocks == 1 || c.middle_res_blocks == 2,
                "UNetConfig: middle_res_blocks must be 1 or 2");
  static_assert(every_recomputed_level_exists(),
                "UNetConfig: every recomputed level must be one of the levels, 0 to levels - 1");

  static constexpr bool value = true;
};

}  // namespace glyphdiff
