#pragma once

#include <glyphdiff/schedule/noise_level.hpp>

namespace glyphdiff {

/// What a sampler needs to know to go from one noise level to the next lower one.
struct SamplingStep {
  double timestep;  ///< what the network is given
  NoiseLevel here, next;
  double mean_x0, mean_x;         ///< mean of q(x_next | x_here, x_0) = mean_x0 x_0 + mean_x x_here
  double log_variance_small = 0;  ///< of the ancestral step: of the posterior (clipped), ...
  double log_variance_large = 0;  ///< ... and beta's, or whatever is fixed; a learned one lies between
  bool last;                      ///< gives the image, so no noise is added
};

}  // namespace glyphdiff
