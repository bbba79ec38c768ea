#pragma once

#include <glyphdiff/schedule/noise_level.hpp>

namespace glyphdiff {

/// first * a + second * b.
struct Mix {
  double first, second;
};

/// What a network predicts. Each says which mix of (x_0, eps) is the target, and which mixes of (x_t, output)
/// estimate x_0 and eps.

/// The noise (Ho et al. 2020): all ADM and IDDPM checkpoints.
struct Epsilon {
  static Mix target(NoiseLevel) { return {0, 1}; }
  static Mix x0(NoiseLevel l) { return {1 / l.alpha, -l.sigma / l.alpha}; }
  static Mix eps(NoiseLevel) { return {0, 1}; }
};

/// The image.
struct X0 {
  static Mix target(NoiseLevel) { return {1, 0}; }
  static Mix x0(NoiseLevel) { return {0, 1}; }
  static Mix eps(NoiseLevel l) { return {1 / l.sigma, -l.alpha / l.sigma}; }
};

/// v = alpha eps - sigma x_0 (Salimans & Ho 2022, appendix D).
struct V {
  static Mix target(NoiseLevel l) { return {-l.sigma, l.alpha}; }
  static Mix x0(NoiseLevel l) { return {l.alpha, -l.sigma}; }
  static Mix eps(NoiseLevel l) { return {l.sigma, l.alpha}; }
};

}  // namespace glyphdiff
