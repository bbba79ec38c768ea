#pragma once

#include <glyphdiff/diffusion/prediction.hpp>
#include <glyphdiff/diffusion/sampling_step.hpp>
#include <glyphdiff/kernels/diffusion.hpp>
#include <glyphdiff/sampler/denoiser.hpp>
#include <glyphdiff/sampler/noise.hpp>

#include <limits>
#include <span>
#include <vector>

namespace glyphdiff {

/// Called after each step as progress(done, steps, x); to stop a sampler, throw. This one does nothing.
struct NoProgress {
  template <class X>
  void operator()(int, int, X const&) const {}
};

namespace detail {

/// The part of a step that all samplers share: the estimate of x_0.
template <class D>
kernels::SamplerStep estimate_x0(NoiseLevel here, bool clip_x0) {
  Mix const mix = D::Prediction::x0(here);
  kernels::SamplerStep step{};
  step.x0_x = static_cast<float>(mix.first);
  step.x0_output = static_cast<float>(mix.second);
  step.limit = clip_x0 ? 1.0f : std::numeric_limits<float>::infinity();
  return step;
}

/// x moves to alpha x0 + sigma eps, with eps derived from the (clipped) x0 at the noise level `here`.
inline void move_to(kernels::SamplerStep& step, NoiseLevel here, double alpha, double sigma) {
  step.next_x0 = static_cast<float>(alpha - sigma * here.alpha / here.sigma);
  step.next_x = static_cast<float>(sigma / here.sigma);
}

struct Move {
  double timestep;
  kernels::SamplerStep step;
};

/// Takes x (N,H,W,C) along the moves.
template <class D, class Exec, Denoiser<Exec> Model, NoiseSource<Exec> Noise, class Progress>
void walk(Exec const& exec, std::vector<Move> const& moves, Model& model, Images<Exec> const& x, Noise& noise,
          Progress& progress) {
  int const channels = static_cast<int>(x.extent(3)),
            output_channels = D::Variance::learned ? 2 * channels : channels;
  auto const images = [&](std::string const& label, int count) {
    return Images<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, label), x.extent(0), x.extent(1),
                        x.extent(2), count);
  };
  Images<Exec> const output = images("glyphdiff::sampler::output", output_channels);
  Images<Exec> const step_noise = images("glyphdiff::sampler::noise", channels);
  std::vector<float> timesteps(x.extent(0));
  int const steps = static_cast<int>(moves.size());
  for (int i = 0; i < steps; ++i) {
    timesteps.assign(timesteps.size(), static_cast<float>(moves[i].timestep));
    model(exec, x, std::span<float const>(timesteps), output);
    noise.step(exec, i, step_noise);
    kernels::sampler_step(exec, x.extent(0) * x.extent(1) * x.extent(2), channels, output.data(),
                          output_channels, step_noise.data(), moves[i].step, x.data());
    progress(i + 1, steps, x);
  }
  exec.fence();
}

}  // namespace detail
}  // namespace glyphdiff
