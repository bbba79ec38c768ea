// Every sampler, plain and guided, along every spacing; what edits pictures; and losses without training.
#include "../sampler/samplers.hpp"
#include "sections.hpp"

#include <glyphdiff/config.hpp>
#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/loss/bits_per_dimension.hpp>
#include <glyphdiff/loss/evaluation_loss.hpp>
#include <glyphdiff/loss/objective.hpp>
#include <glyphdiff/sampler/draw.hpp>
#include <glyphdiff/sampler/guidance.hpp>
#include <glyphdiff/sampler/inpainting.hpp>
#include <glyphdiff/sampler/interpolation.hpp>
#include <glyphdiff/sampler/spacing.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>

#include <cctype>
#include <string>

namespace {

using namespace glyphdiff;
using Process = Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>;

std::vector<int> const labels{1, 4};
SeededNoise const noise{5, 7};

/// "DPM-Solver++ 2M" as "dpm-solver-2m".
std::string word(std::string const& name) {
  std::string result;
  for (char const c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      result += char(std::tolower(static_cast<unsigned char>(c)));
    else if (!result.ends_with('-'))
      result += '-';
  return result;
}

Images<Exec> pictures(int count = 2) { return Images<Exec>("x", count, 16, 16, 3); }

/// Two pictures by every sampler.
template <class D, class Denoiser>
void every_sampler(std::string const& how, D const& diffusion, Denoiser& model, bool clip = true) {
  for_each_sampler([&](std::string const& name, bool, auto const& sample) {
    Images<Exec> const x = pictures();
    sample(Exec(), diffusion, model, x, noise, clip, NoProgress{});
    print_digest("sampler/" + how + "/" + word(name), digest_of(x));
  });
}

void network_samplers() {
  Exec const exec;
  Process const diffusion = Process().respaced("ddim5");
  Model strong = class_model(labels), weak = class_model({no_class, no_class}),
        worse = class_model(labels, true);
  every_sampler("plain", diffusion, strong);
  every_sampler("unclipped", diffusion, strong, false);
  Guidance<Exec, Model, Model> classifier_free(exec, strong, weak, 2.5), autoguidance(exec, strong, worse, 2);
  every_sampler("classifier-free", diffusion, classifier_free);
  every_sampler("by-worse-checkpoint", diffusion, autoguidance);
  ClassifierGuidance<Exec, Model, Model> classifier(exec, strong, class_gradient(labels), 3);
  every_sampler("by-classifier", diffusion, classifier);
}

/// What for_each_sampler leaves at its usual value.
void options() {
  Exec const exec;
  Process const diffusion = Process().respaced("7");
  Model const model = class_model(labels);
  auto const print = [&](char const* name, auto const& sample) {
    Images<Exec> const x = pictures();
    sample(x);
    print_digest(std::string("sampler/options/") + name, digest_of(x));
  };
  print("ddim-eta-1", [&](auto const& x) { ddim_sample(exec, diffusion, model, x, noise, {.eta = 1}); });
  print("plms-4-from-lower-orders", [&](auto const& x) {
    plms_sample(exec, diffusion, model, x, noise, {.order = 4, .start = PlmsStart::lower_orders});
  });
  print("plms-3", [&](auto const& x) { plms_sample(exec, diffusion, model, x, noise, {.order = 3}); });
  print("unipc-1", [&](auto const& x) { unipc_sample(exec, diffusion, model, x, noise, {.order = 1}); });
  print("unipc-2", [&](auto const& x) { unipc_sample(exec, diffusion, model, x, noise, {.order = 2}); });
  print("euler-with-churn", [&](auto const& x) {
    euler_sample(exec, diffusion, model, x, noise,
                 {.churn = 3, .churn_min = 0.2, .churn_max = 20, .churn_noise = 1.01});
  });
}

/// A network that is a formula.
Model const formula = [](Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
                         Images<Exec> const& out) {
  exec.fence();
  std::size_t const each = x.size() / x.extent(0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    float const value = x.data()[i], t = timesteps[i / each] / 1000;
    out.data()[i] = value * (0.9f - t) + 0.3f * t * value * value - 0.2f;
  }
};

/// Steps themselves, and pictures along them by every sampler.
template <class D>
void spacing(std::string const& name, SamplingPlan<D> const& plan) {
  Digest steps;
  for (SamplingStep const& s : plan.sampling_steps())
    steps << s.timestep << s.here.alpha << s.here.sigma << s.next.alpha << s.next.sigma << s.mean_x0
          << s.mean_x << s.log_variance_small << s.log_variance_large << s.last;
  for_each_sampler([&](std::string const&, bool, auto const& sample) {
    Images<Exec> const x = pictures(1);
    sample(Exec(), plan, formula, x, noise, true, NoProgress{});
    steps << x;
  });
  print_digest("spacing/" + name, steps);
}

template <class D>
void spacings(std::string const& process, D const& diffusion, char const* respacing) {
  D const fewer = diffusion.respaced(respacing);
  spacing(process + "/own", SamplingPlan<D>(fewer, fewer.sampling_steps()));
  spacing(process + "/karras", karras_spaced(diffusion, 7));
  spacing(process + "/ratio", ratio_spaced(diffusion, 6));
  spacing(process + "/log-snr", log_snr_spaced(diffusion, 7));
  spacing(process + "/last-steps", last_steps(fewer, 0.6));
  spacing(process + "/repeated", repeated(fewer, 2));
}

void editing() {
  Exec const exec;
  Process const diffusion = Process().respaced("3,2,3");
  Model const model = class_model(labels);
  Images<Exec> const images = patterns(2), others = patterns(2, 53), mask("mask", 2, 16, 16, 1);
  for (std::size_t i = 0; i < mask.size(); ++i) mask.data()[i] = i % 16 < 9 ? 1.0f : 0.0f;

  auto const few = last_steps(diffusion, 0.5);
  for_each_sampler([&](std::string const& name, bool, auto const& sample) {
    Images<Exec> const x = pictures();
    sample(exec, few, model, x, noised_to_start(exec, few, images, noise), true, NoProgress{});
    print_digest("from-image/" + word(name), digest_of(x));
  });
  auto const again = repeated(diffusion, 2);
  Images<Exec> const filled = pictures();
  ddpm_sample(exec, again, model, filled, noise, {}, Inpainting(exec, again, images, mask, {9, 7}));
  print_digest("inpainting/ddpm", digest_of(filled));
  unipc_sample(exec, diffusion, model, filled, noise, {}, Inpainting(exec, diffusion, images, mask, {9, 7}));
  print_digest("inpainting/unipc", digest_of(filled));

  Images<Exec> const x = pictures();
  std::vector<double> const fractions{0.25, 0.7};
  slerp<Exec>(exec, images, others, fractions, x);
  print_digest("interpolation/slerp", digest_of(x));
  ddim_interpolate<Exec>(exec, diffusion, model, images, others, fractions, x);
  print_digest("interpolation/ddim", digest_of(x));
  Images<Exec> const inverse = patterns(2);
  ddim_encode(exec, diffusion, model, inverse);
  print_digest("inverse/ddim", digest_of(inverse));
  Model const one = class_model({2});
  print_digest("draw/ddim", digest_of(draw_ddim(exec, diffusion, one, 2, 16, 16, 3, 4, 5, 1, {.eta = 1})));
}

void losses() {
  Exec const exec;
  Process const diffusion = Process().respaced("6");
  Model const model = class_model(labels);
  HostImages const images = patterns(2);
  print_digest("loss/evaluation",
               digest_of(evaluation_loss<RescaledMse>(exec, diffusion, model, images, 8, 3)));
  auto const bits = bits_per_dimension(exec, diffusion, model, Images<Exec>(images), 8);
  print_digest("loss/bits-per-dimension", digest_of(bits.total, bits.terms, bits.prior));
}

}  // namespace

void sampling_digests() {
  network_samplers();
  options();
  spacings("linear-eps", Diffusion<LinearSchedule<1000>, Epsilon, FixedSmall>(), "8");
  spacings("cosine-x0", Diffusion<CosineSchedule<1000>, X0, FixedLarge>(true), "ddim10");
  spacings("continuous-v", ContinuousDiffusion<ContinuousCosine, V>(1000), "7");
  editing();
  losses();
}
