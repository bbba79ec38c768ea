#pragma once

#include <glyphdiff/sampler/ddim.hpp>
#include <glyphdiff/sampler/ddpm.hpp>
#include <glyphdiff/sampler/dpm_solver.hpp>
#include <glyphdiff/sampler/edm.hpp>
#include <glyphdiff/sampler/plms.hpp>
#include <glyphdiff/sampler/unipc.hpp>

/// Every sampler, so that tests can say what holds for all: f(name, deterministic, sample), where
/// sample(exec, diffusion, model, x, noise, clip_x0, progress).
template <class F>
void for_each_sampler(F const& f) {
  using namespace glyphdiff;
  f("DDPM", false,
    [](auto const& exec, auto const& diffusion, auto&& model, auto const& x, auto&& noise, bool clip,
       auto&& progress) { ddpm_sample(exec, diffusion, model, x, noise, {.clip_x0 = clip}, progress); });
  f("DDIM", true,
    [](auto const& exec, auto const& diffusion, auto&& model, auto const& x, auto&& noise, bool clip,
       auto&& progress) { ddim_sample(exec, diffusion, model, x, noise, {.clip_x0 = clip}, progress); });
  f("DDIM, eta 0.5", false,
    [](auto const& exec, auto const& diffusion, auto&& model, auto const& x, auto&& noise, bool clip,
       auto&& progress) {
      ddim_sample(exec, diffusion, model, x, noise, {.eta = 0.5, .clip_x0 = clip}, progress);
    });
  f("PLMS", true,
    [](auto const& exec, auto const& diffusion, auto&& model, auto const& x, auto&& noise, bool clip,
       auto&& progress) { plms_sample(exec, diffusion, model, x, noise, {.clip_x0 = clip}, progress); });
  f("PLMS 2 from lower orders", true,
    [](auto const& exec, auto const& diffusion, auto&& model, auto const& x, auto&& noise, bool clip,
       auto&& progress) {
      plms_sample(exec, diffusion, model, x, noise,
                  {.order = 2, .start = PlmsStart::lower_orders, .clip_x0 = clip}, progress);
    });
  f("DPM-Solver++ 2M", true,
    [](auto const& exec, auto const& diffusion, auto&& model, auto const& x, auto&& noise, bool clip,
       auto&& progress) {
      dpm_solver_sample(exec, diffusion, model, x, noise, {.clip_x0 = clip}, progress);
    });
  f("DPM-Solver++ 2M SDE", false,
    [](auto const& exec, auto const& diffusion, auto&& model, auto const& x, auto&& noise, bool clip,
       auto&& progress) {
      dpm_solver_sample(exec, diffusion, model, x, noise, {.stochastic = true, .clip_x0 = clip}, progress);
    });
  f("Euler", true,
    [](auto const& exec, auto const& diffusion, auto&& model, auto const& x, auto&& noise, bool clip,
       auto&& progress) { euler_sample(exec, diffusion, model, x, noise, {.clip_x0 = clip}, progress); });
  f("Heun", true,
    [](auto const& exec, auto const& diffusion, auto&& model, auto const& x, auto&& noise, bool clip,
       auto&& progress) { heun_sample(exec, diffusion, model, x, noise, {.clip_x0 = clip}, progress); });
  f("Heun with churn", false,
    [](auto const& exec, auto const& diffusion, auto&& model, auto const& x, auto&& noise, bool clip,
       auto&& progress) {
      heun_sample(exec, diffusion, model, x, noise, {.churn = 8, .clip_x0 = clip}, progress);
    });
  f("UniPC", true,
    [](auto const& exec, auto const& diffusion, auto&& model, auto const& x, auto&& noise, bool clip,
       auto&& progress) { unipc_sample(exec, diffusion, model, x, noise, {.clip_x0 = clip}, progress); });
}
