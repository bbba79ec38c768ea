#pragma once

#include <glyphdiff/diffusion/variance.hpp>
#include <glyphdiff/schedule/noise_level.hpp>

#include <cmath>
#include <type_traits>

namespace glyphdiff {

/// What a sampler needs to know to go from one noise level to the next lower one.
struct SamplingStep {
  double timestep;  ///< what the network is given
  NoiseLevel here, next;
  double mean_x0, mean_x;         ///< mean of q(x_next | x_here, x_0) = mean_x0 x_0 + mean_x x_here
  double log_variance_small = 0;  ///< of the ancestral step: of the posterior (clipped), ...
  double log_variance_large = 0;  ///< ... and beta's, or whatever is fixed; a learned one lies between
  bool last;                      ///< gives the image, so no noise is added

  TimedLevel start() const { return {timestep, here}; }
};

/// The step between any two levels: q(x_here | x_next) = N(ratio x_next, beta) (Kingma et al. 2021, appendix
/// A). It is the last one if `next` is the image itself.
template <class Variance>
SamplingStep sampling_step(double timestep, NoiseLevel here, NoiseLevel next) {
  bool const last = next.sigma == 0;
  double const ratio = here.alpha / next.alpha, next2 = next.sigma * next.sigma,
               here2 = here.sigma * here.sigma;
  double const beta = here2 - ratio * ratio * next2;
  double const log_large = std::log(beta), log_small = last ? log_large : std::log(beta * next2 / here2);
  return {timestep,
          here,
          next,
          next.alpha * beta / here2,
          ratio * next2 / here2,
          log_small,
          std::is_same_v<Variance, FixedSmall> ? log_small : log_large,
          last};
}

}  // namespace glyphdiff
