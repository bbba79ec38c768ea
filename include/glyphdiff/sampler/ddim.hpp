#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>
#include <glyphdiff/sampler/walk.hpp>

#include <cmath>
#include <string>

namespace glyphdiff {

struct DdimOptions {
  double eta = 0;       ///< 0: deterministic; 1: as much noise as ancestral sampling adds
  bool clip_x0 = true;  ///< estimates of x_0 to [-1, 1]; eps is derived from the clipped one
};

namespace detail {

/// From noise in x to images; `begin` starts with the noise of the source.
template <class Exec, class D, Denoiser<Exec> Model, NoiseSource<Exec> Noise, class Progress>
void ddim(Exec const& exec, D const& diffusion, Model& model, Images<Exec> const& x, Noise& noise,
          DdimOptions options, Progress& progress, bool begin) {
  if (!is_finite(options.eta) || options.eta < 0 || options.eta > 1)
    throw Error("DDIM eta", "0 to 1", number_text(options.eta));
  Walk<Exec, D, Model> walk(exec, model, x, options.clip_x0);
  Images<Exec> const eps = walk.image("glyphdiff::sampler::eps");
  if (begin) walk.start(noise);
  walk.along(diffusion.sampling_steps(), noise, progress,
             [&](SamplingStep const& s, Images<Exec> const& step_noise) {
               double const ratio = s.here.alpha / s.next.alpha;
               double const sigma = options.eta * s.next.sigma / s.here.sigma * std::sqrt(1 - ratio * ratio);
               // Less of eps, as much as there is new noise: the level stays that of the next step.
               NoiseLevel const aim{s.next.alpha, std::sqrt(s.next.sigma * s.next.sigma - sigma * sigma)};
               Mix const move = transfer(s.here, aim);
               walk.eps(s.start(), x, eps);
               walk.sum({{move.first, x}, {move.second, eps}, {s.last ? 0 : sigma, step_noise}}, x);
             });
}

}  // namespace detail

/// Takes x (N,H,W,C), noise of the last noise level, to images (Song et al. 2020, equation 12).
template <class Exec, class D, Denoiser<Exec> Model, NoiseSource<Exec> Noise = SeededNoise,
          class Progress = NoProgress>
void ddim_decode(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& x,
                 Noise&& noise = {}, DdimOptions options = {}, Progress&& progress = {}) {
  detail::ddim(exec, diffusion, model, x, noise, options, progress, false);
}

/// Fills x (N,H,W,C) with samples.
template <class Exec, class D, Denoiser<Exec> Model, NoiseSource<Exec> Noise = SeededNoise,
          class Progress = NoProgress>
void ddim_sample(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& x,
                 Noise&& noise = {}, DdimOptions options = {}, Progress&& progress = {}) {
  detail::ddim(exec, diffusion, model, x, noise, options, progress, true);
}

/// The inverse at eta = 0: takes images x, seen as the lowest noise level, to the noise that ddim_decode
/// turns into them, up to the error of the steps (Song et al. 2020, section 4.3). `eta` is ignored.
template <class Exec, class D, Denoiser<Exec> Model, class Progress = NoProgress>
void ddim_encode(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& x,
                 DdimOptions options = {}, Progress&& progress = {}) {
  auto steps = diffusion.sampling_steps();  // from noise to image
  for (std::size_t i = 1; i < steps.size(); ++i) steps[i].next = steps[i - 1].here;
  std::vector<SamplingStep> const upward(steps.rbegin(), steps.rend() - 1);
  detail::Walk<Exec, D, Model> walk(exec, model, x, options.clip_x0);
  Images<Exec> const eps = walk.image("glyphdiff::sampler::eps");
  SeededNoise unused;
  walk.along(upward, unused, progress, [&](SamplingStep const& s, Images<Exec> const&) {
    Mix const move = detail::transfer(s.here, s.next);
    walk.eps(s.start(), x, eps);
    walk.sum({{move.first, x}, {move.second, eps}}, x);
  });
}

}  // namespace glyphdiff
