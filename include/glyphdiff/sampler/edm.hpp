#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>
#include <glyphdiff/sampler/walk.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

namespace glyphdiff {

/// In the paper's sigma, which is sigma / alpha here.
struct EdmOptions {
  double churn = 0;      ///< S_churn: how much noise is added before each step and removed by it; 0: none
  double churn_min = 0;  ///< S_tmin and S_tmax: only at levels between these
  double churn_max = std::numeric_limits<double>::infinity();
  double churn_noise = 1;  ///< S_noise: standard deviation of that noise
  bool clip_x0 = true;     ///< estimates of x_0 to [-1, 1]
};

namespace detail {

/// Algorithm 2 of Karras et al. 2022, which at churn 0 is algorithm 1; without the correction Euler's method.
template <class Exec, class D, class Model, class Noise, class Progress>
void edm_sample(Exec const& exec, D const& diffusion, Model& model, Images<Exec> const& x, Noise& noise,
                EdmOptions const& options, Progress& progress, bool corrected) {
  if (is_nan(options.churn) || options.churn < 0)
    throw Error("EDM churn", "0 or more", number_text(options.churn));
  detail::Walk<Exec, D, Model> walk(exec, model, x, options.clip_x0);
  Images<Exec> const slope = walk.image("glyphdiff::edm::slope"), ahead = walk.image("glyphdiff::edm::ahead"),
                     slope_ahead = walk.image("glyphdiff::edm::slope");
  auto const steps = diffusion.sampling_steps();
  double const gamma = (std::min)(options.churn / double(steps.size()), std::numbers::sqrt2 - 1);
  walk.start(noise);
  walk.along(steps, noise, progress, [&](SamplingStep const& s, Images<Exec> const& step_noise) {
    TimedLevel from = s.start();
    double const ratio = s.here.ratio();
    if (gamma > 0 && ratio >= options.churn_min && ratio <= options.churn_max) {
      double const raised = ratio * (1 + gamma), added = std::sqrt(raised * raised - ratio * ratio);
      from = {diffusion.network_timestep_at(raised), NoiseLevel::of_ratio(raised)};
      walk.sum({{from.level.alpha / s.here.alpha, x},
                {from.level.alpha * options.churn_noise * added, step_noise}},
               x);
    }
    // The paper's d = (x - D(x; sigma)) / sigma is eps.
    walk.eps(from, x, slope);
    Mix const move = transfer(from.level, s.next);
    if (!corrected || s.last) {
      walk.sum({{move.first, x}, {move.second, slope}}, x);
      return;
    }
    walk.sum({{move.first, x}, {move.second, slope}}, ahead);
    walk.eps({diffusion.network_timestep_at(s.next.ratio()), s.next}, ahead, slope_ahead);
    walk.sum({{move.first, x}, {move.second / 2, slope}, {move.second / 2, slope_ahead}}, x);
  });
}

}  // namespace detail

/// Heun's method of second order (Karras, Aittala, Aila, Laine 2022, algorithms 1 and 2) in x / alpha over
/// sigma / alpha: two evaluations per step, but one in the step to the image. Fills x (N,H,W,C) with samples.
/// For the paper's spacing of the steps see karras_spaced.
template <class Exec, class D, Denoiser<Exec> Model, NoiseSource<Exec> Noise = SeededNoise,
          class Progress = NoProgress>
void heun_sample(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& x,
                 Noise&& noise = {}, EdmOptions options = {}, Progress&& progress = {}) {
  detail::edm_sample(exec, diffusion, model, x, noise, options, progress, true);
}

/// Euler's method: the same without the correction, one evaluation per step. Without churn it is DDIM.
template <class Exec, class D, Denoiser<Exec> Model, NoiseSource<Exec> Noise = SeededNoise,
          class Progress = NoProgress>
void euler_sample(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& x,
                  Noise&& noise = {}, EdmOptions options = {}, Progress&& progress = {}) {
  detail::edm_sample(exec, diffusion, model, x, noise, options, progress, false);
}

}  // namespace glyphdiff
