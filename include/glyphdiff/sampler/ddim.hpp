#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/sampler/walk.hpp>

#include <cmath>
#include <string>

namespace glyphdiff {

struct DdimOptions {
  double eta = 0;       ///< 0: deterministic; 1: as much noise as ancestral sampling adds
  bool clip_x0 = true;  ///< estimates of x_0 to [-1, 1]; eps is derived from the clipped one
};

/// Takes x (N,H,W,C), noise of the last noise level, to images (Song et al. 2020, equation 12).
template <class Exec, class D, Denoiser<Exec> Model, NoiseSource<Exec> Noise = SeededNoise,
          class Progress = NoProgress>
void ddim_decode(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& x,
                 Noise&& noise = {}, DdimOptions options = {}, Progress&& progress = {}) {
  if (!(options.eta >= 0 && options.eta <= 1)) throw Error("DDIM eta", "0 to 1", std::to_string(options.eta));
  std::vector<detail::Move> moves;
  for (SamplingStep const& s : diffusion.sampling_steps()) {
    kernels::SamplerStep step = detail::estimate_x0<D>(s.here, options.clip_x0);
    double const ratio = s.here.alpha / s.next.alpha;
    double const sigma = options.eta * s.next.sigma / s.here.sigma * std::sqrt(1 - ratio * ratio);
    detail::move_to(step, s.here, s.next.alpha, std::sqrt(s.next.sigma * s.next.sigma - sigma * sigma));
    step.noise_scale = s.last ? 0.0f : static_cast<float>(sigma);
    moves.push_back({s.timestep, step});
  }
  detail::walk<D>(exec, moves, model, x, noise, progress);
}

/// Fills x (N,H,W,C) with samples.
template <class Exec, class D, Denoiser<Exec> Model, NoiseSource<Exec> Noise = SeededNoise,
          class Progress = NoProgress>
void ddim_sample(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& x,
                 Noise&& noise = {}, DdimOptions options = {}, Progress&& progress = {}) {
  noise.start(exec, x);
  ddim_decode(exec, diffusion, model, x, noise, options, progress);
}

/// The inverse at eta = 0: takes images x, seen as the lowest noise level, to the noise that ddim_decode
/// turns into them, up to the error of the steps (Song et al. 2020, section 4.3). `eta` is ignored.
template <class Exec, class D, Denoiser<Exec> Model, class Progress = NoProgress>
void ddim_encode(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& x,
                 DdimOptions options = {}, Progress&& progress = {}) {
  auto const steps = diffusion.sampling_steps();  // from noise to image
  std::vector<detail::Move> moves;
  for (std::size_t i = steps.size(); i-- > 1;) {
    kernels::SamplerStep step = detail::estimate_x0<D>(steps[i].here, options.clip_x0);
    detail::move_to(step, steps[i].here, steps[i - 1].here.alpha, steps[i - 1].here.sigma);
    moves.push_back({steps[i].timestep, step});
  }
  SeededNoise unused;
  detail::walk<D>(exec, moves, model, x, unused, progress);
}

}  // namespace glyphdiff
