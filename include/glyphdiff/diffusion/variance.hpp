#pragma once

namespace glyphdiff {

/// Variance of the ancestral step p(x_{t-1} | x_t).

/// The posterior's, beta_t (1 - alpha_bar_{t-1}) / (1 - alpha_bar_t): right for a single image as data.
struct FixedSmall {
  static constexpr bool learned = false;
};

/// beta_t: right for Gaussian data; at t = 0 the posterior's of t = 1, for a better likelihood.
struct FixedLarge {
  static constexpr bool learned = false;
};

/// The second half of the output's channels, v in [-1, 1], interpolates between the logarithms of the two
/// (Nichol & Dhariwal 2021, equation 15): fraction (v + 1) / 2 of the large one.
struct LearnedRange {
  static constexpr bool learned = true;
};

}  // namespace glyphdiff
