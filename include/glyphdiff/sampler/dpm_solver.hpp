#pragma once

#include <glyphdiff/sampler/walk.hpp>

#include <cmath>

namespace glyphdiff {

struct DpmSolverOptions {
  bool stochastic = false;  ///< 2M SDE: solves the reverse stochastic equation instead of the flow
  bool clip_x0 = true;      ///< estimates of x_0 to [-1, 1] (the paper's thresholding is its own matter)
};

/// DPM-Solver++(2M) and SDE-DPM-Solver++(2M) (Lu, Zhou, Bao, Chen, Li, Zhu 2022, arXiv:2211.01095, algorithm
/// 2 and its stochastic variant): the linear part of the equation exactly, x_0 as a straight line through its
/// latest two estimates in lambda = log(alpha / sigma). The first step and the one to the image are of first
/// order. Fills x (N,H,W,C) with samples. The paper spaces the steps evenly in lambda (see log_snr_spaced)
/// for small images, in t for large ones and with strong guidance.
template <class Exec, class D, Denoiser<Exec> Model, NoiseSource<Exec> Noise = SeededNoise,
          class Progress = NoProgress>
void dpm_solver_sample(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& x,
                       Noise&& noise = {}, DpmSolverOptions options = {}, Progress&& progress = {}) {
  detail::Walk<Exec, D, Model> walk(exec, model, x, options.clip_x0);
  detail::History<Exec> x0(walk, 2);
  walk.start(noise);
  walk.along(diffusion.sampling_steps(), noise, progress,
             [&](SamplingStep const& s, Images<Exec> const& step_noise) {
               walk.x0(s.start(), x, x0.add(s));
               double const lambda = s.here.half_log_snr(), h = s.next.half_log_snr() - lambda;
               // Half of h over the step before; the line through x_0 is followed to the middle of the step.
               double const ahead =
                   x0.size() < 2 || s.last ? 0 : h / (2 * (lambda - x0.level(1).half_log_snr()));
               double const decay = std::exp(-h), fresh = options.stochastic ? 1 - decay * decay : 0;
               double const kept = s.next.sigma / s.here.sigma * (options.stochastic ? decay : 1);
               double const drawn = s.next.alpha * (options.stochastic ? fresh : 1 - decay);
               walk.sum({{kept, x},
                         {drawn * (1 + ahead), x0[0]},
                         {-drawn * ahead, x0[1]},
                         {s.next.sigma * std::sqrt(fresh), step_noise}},
                        x);
             });
}

}  // namespace glyphdiff
