#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/sampler/walk.hpp>

#include <string>

namespace glyphdiff {

/// How a multistep method gets its first estimates.
enum class PlmsStart {
  runge_kutta,   ///< pseudo Runge-Kutta steps, of four evaluations each
  lower_orders,  ///< order 1, then 2, ...: one evaluation each
};

struct PlmsOptions {
  int order = 4;  ///< 1 (which is DDIM) to 4
  PlmsStart start = PlmsStart::runge_kutta;
  bool clip_x0 = true;  ///< estimates of x_0 to [-1, 1]; eps is derived from the clipped one
};

/// The pseudo linear multistep method (Liu, Ren, Lin, Zhao 2022, section 3): DDIM's step along an eps
/// that is extrapolated from the latest ones by Adams and Bashforth's weights. Fills x (N,H,W,C) with
/// samples.
///
/// The weights are those of even steps. Where the steps are even in sigma / alpha (see ratio_spaced), where
/// the flow is d(x / alpha) = eps d(sigma / alpha), the error falls with the power `order` of the step; where
/// they are even in t, with its square at best, as the paper finds. The Runge-Kutta steps take
/// the middle in sigma / alpha too, and so are the classical ones.
template <class Exec, class D, Denoiser<Exec> Model, NoiseSource<Exec> Noise = SeededNoise,
          class Progress = NoProgress>
void plms_sample(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& x,
                 Noise&& noise = {}, PlmsOptions options = {}, Progress&& progress = {}) {
  static constexpr double weights[4][4] = {{1, 0, 0, 0},
                                           {3 / 2., -1 / 2., 0, 0},
                                           {23 / 12., -16 / 12., 5 / 12., 0},
                                           {55 / 24., -59 / 24., 37 / 24., -9 / 24.}};
  if (options.order < 1 || options.order > 4)
    throw Error("PLMS order", "1 to 4", std::to_string(options.order));
  detail::Walk<Exec, D, Model> walk(exec, model, x, options.clip_x0);
  detail::History<Exec> history(walk, 4);
  Images<Exec> const probe = walk.image("glyphdiff::plms::probe"),
                     second = walk.image("glyphdiff::plms::eps"), third = walk.image("glyphdiff::plms::eps"),
                     fourth = walk.image("glyphdiff::plms::eps");

  // eps where a step from `s` along `slope` leads.
  auto const eps_ahead = [&](SamplingStep const& s, NoiseLevel to, Images<Exec> const& slope,
                             Images<Exec> const& eps) {
    Mix const move = detail::transfer(s.here, to);
    walk.sum({{move.first, x}, {move.second, slope}}, probe);
    walk.eps({diffusion.network_timestep_at(to.ratio()), to}, probe, eps);
  };
  walk.start(noise);
  walk.along(diffusion.sampling_steps(), noise, progress, [&](SamplingStep const& s, Images<Exec> const&) {
    Images<Exec> const first = history.add(s);
    walk.eps(s.start(), x, first);
    Mix const move = detail::transfer(s.here, s.next);
    bool const starting = history.size() < options.order && options.start == PlmsStart::runge_kutta;
    if (starting && !s.last) {
      NoiseLevel const middle = NoiseLevel::of_ratio((s.here.ratio() + s.next.ratio()) / 2);
      eps_ahead(s, middle, first, second);
      eps_ahead(s, middle, second, third);
      eps_ahead(s, s.next, third, fourth);
      double const sixth = move.second / 6;
      walk.sum({{move.first, x}, {sixth, first}, {2 * sixth, second}, {2 * sixth, third}, {sixth, fourth}},
               x);
    } else {
      auto const& w = weights[(std::min)(options.order, history.size()) - 1];
      walk.sum({{move.first, x},
                {move.second * w[0], history[0]},
                {move.second * w[1], history[1]},
                {move.second * w[2], history[2]},
                {move.second * w[3], history[3]}},
               x);
    }
  });
}

}  // namespace glyphdiff
