#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>

#include <cmath>
#include <cstdint>
#include <string>

namespace glyphdiff {

/// What the learning rate does after the warm-up.
enum class Decay {
  none,    ///< stays at the peak
  linear,  ///< straight down: with final_fraction = 0 and no warm-up, lr * (1 - step / steps), as in ADM and
           ///< IDDPM
  cosine,  ///< half a cosine (Loshchilov & Hutter 2017, equation 5)
};

/// Learning rate as a function of the number of updates already taken, never of time. It has no state: a
/// resumed run needs only its step, and a finished run is extended by naming a larger `steps`.
///
/// The first update has step 0. During the warm-up the rate is peak * (step + 1) / warm_up; from there to
/// `steps` it falls to peak * final_fraction, where it stays.
struct LearningRate {
  double peak = 1e-4;
  std::int64_t warm_up = 0;  ///< updates; 0: none
  Decay decay = Decay::none;
  std::int64_t steps = 0;  ///< updates of the whole run, warm-up included; for linear and cosine
  double final_fraction = 0.0;

  /// Throws Error for numbers that give no learning rate: one that is not finite or negative, or a decay
  /// without the length of the run, whose rate would be at its end from the first update on.
  void require_valid() const {
    if (!is_finite(peak) || peak < 0)
      throw Error("learning rate", "a finite number of 0 or more", number_text(peak));
    if (!is_finite(final_fraction))
      throw Error("final fraction of the learning rate", "a finite number", number_text(final_fraction));
    if (warm_up < 0)
      throw Error("warm-up of the learning rate", "0 updates or more", std::to_string(warm_up));
    if (decay != Decay::none && steps < 1)
      throw Error("learning rate that decays", "`steps`, the length of the run in updates",
                  std::to_string(steps));
  }

  /// Throws Error as require_valid().
  double operator()(std::int64_t step) const {
    require_valid();
    if (step < warm_up) return peak * double(step + 1) / double(warm_up);
    return peak * (final_fraction + (1.0 - final_fraction) * remaining(step));
  }

 private:
  /// From 1 at the end of the warm-up to 0 at the end of the run.
  double remaining(std::int64_t step) const {
    if (decay == Decay::none) return 1.0;
    if (step >= steps) return 0.0;
    double const progress = double(step - warm_up) / double(steps - warm_up);
    return decay == Decay::linear ? 1.0 - progress
                                  : 0.5 * (1.0 + std::cos(3.14159265358979323846 * progress));
  }
};

}  // namespace glyphdiff
