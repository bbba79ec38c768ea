#pragma once

#include <glyphdiff/sampler/walk.hpp>

namespace glyphdiff {

struct DdpmOptions {
  bool clip_x0 = true;  ///< estimates of x_0 to [-1, 1]
};

/// Ancestral sampling (Ho et al. 2020, algorithm 2): x_{t-1} ~ N(posterior mean at the estimate of x_0,
/// variance). Fills x (N,H,W,C) with samples, through every step of `diffusion`; see respaced() for fewer. A
/// classifier moves the mean by variance * gradient (Dhariwal & Nichol 2021, algorithm 1).
template <class Exec, class D, Denoiser<Exec> Model, NoiseSource<Exec> Noise = SeededNoise,
          class Progress = NoProgress>
void ddpm_sample(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& x,
                 Noise&& noise = {}, DdpmOptions options = {}, Progress&& progress = {}) {
  detail::Walk<Exec, D, Model> walk(exec, model, x, options.clip_x0);
  walk.start(noise);
  walk.along(
      diffusion.sampling_steps(), noise, progress,
      [&](SamplingStep const& s, Images<Exec> const& step_noise) { walk.ancestral_step(s, step_noise); });
}

}  // namespace glyphdiff
