#pragma once

#include <glyphdiff/sampler/walk.hpp>

#include <cmath>

namespace glyphdiff {

struct DdpmOptions {
  bool clip_x0 = true;  ///< estimates of x_0 to [-1, 1]
};

/// Ancestral sampling (Ho et al. 2020, algorithm 2): x_{t-1} ~ N(posterior mean at the estimate of x_0,
/// variance). Fills x (N,H,W,C) with samples, through every step of `diffusion`; see respaced() for fewer.
template <class Exec, class D, Denoiser<Exec> Model, NoiseSource<Exec> Noise = SeededNoise,
          class Progress = NoProgress>
void ddpm_sample(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& x,
                 Noise&& noise = {}, DdpmOptions options = {}, Progress&& progress = {}) {
  std::vector<detail::Move> moves;
  for (SamplingStep const& s : diffusion.sampling_steps()) {
    kernels::SamplerStep step = detail::estimate_x0<D>(s.here, options.clip_x0);
    step.next_x0 = static_cast<float>(s.mean_x0);
    step.next_x = static_cast<float>(s.mean_x);
    step.learned_variance = D::Variance::learned;
    step.log_small = static_cast<float>(s.log_variance_small);
    step.log_large = static_cast<float>(s.log_variance_large);
    step.noise_scale = s.last ? 0.0f : D::Variance::learned ? 1.0f : std::exp(0.5f * step.log_large);
    moves.push_back({s.timestep, step});
  }
  noise.start(exec, x);
  detail::walk<D>(exec, moves, model, x, noise, progress);
}

}  // namespace glyphdiff
