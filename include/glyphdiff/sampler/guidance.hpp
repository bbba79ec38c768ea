#pragma once

#include <glyphdiff/kernels/sampling.hpp>
#include <glyphdiff/sampler/denoiser.hpp>

#include <utility>

namespace glyphdiff {

/// Guidance by a weaker model: the prediction becomes weak + scale (strong - weak), which is the same for
/// eps, x0 and v; variance channels stay the strong model's. A Denoiser made of two, which it calls one after
/// the other; at scale 1 the strong one alone.
///
/// Classifier-free guidance (Ho & Salimans 2022, equation 6, whose w is scale - 1): strong knows the class,
/// weak does not. Autoguidance (Karras, Aittala, Kynkaanniemi, Lehtinen, Aila, Laine 2024, "Guiding a
/// Diffusion Model with a Bad Version of Itself"): weak is an earlier checkpoint of strong, or a
/// smaller network, for the same task.
template <class Exec, Denoiser<Exec> Strong, Denoiser<Exec> Weak>
class Guidance {
 public:
  using backend = typename BackendOf<Strong, Exec>::type;

  Guidance(Exec const&, Strong strong, Weak weak, double guidance_scale)
      : strong_(std::move(strong)), weak_(std::move(weak)), scale_(guidance_scale) {}

  void operator()(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
                  Images<Exec> const& output) {
    strong_(exec, x, timesteps, output);
    if (scale_ == 1) return;
    if (scratch_.size() != output.size())
      scratch_ = Images<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::guidance::output"),
                              output.extent(0), output.extent(1), output.extent(2), output.extent(3));
    weak_(exec, x, timesteps, scratch_);
    Runner<Exec, backend> runner(exec);
    if constexpr (requires(Strong const& strong) { strong.profiler(); }) runner.set_profiler(profiler());
    runner.run(kernels::Guide{std::int64_t(x.extent(0) * x.extent(1) * x.extent(2)), int(x.extent(3)),
                              int(output.extent(3)), float(scale_)},
               scratch_.data(), output.data());
  }

  /// The strong model's.
  Profiler* profiler() const requires requires(Strong const& strong) { strong.profiler(); }
  { return strong_.profiler(); }

 private:
  Strong strong_;
  Weak weak_;
  double scale_;
  Images<Exec> scratch_;
};

/// Where classifier guidance gets its direction from: source(exec, x, timesteps, gradient) assigns the
/// gradient (N,H,W,C) of log p(y | x_t) by x_t. The class y is the source's own business.
template <class Source, class Exec>
concept GradientSource = Denoiser<Source, Exec>;

/// Classifier guidance (Dhariwal & Nichol 2021, section 4): a model together with the gradient of a
/// classifier trained on noisy images, times `scale`. Ancestral sampling moves its mean by variance *
/// gradient (algorithm 1); all other samplers move eps by -sigma gradient, and x_0 with it, which is not
/// clipped again (algorithm 2).
template <class Exec, Denoiser<Exec> Model, GradientSource<Exec> Source>
class ClassifierGuidance {
 public:
  using backend = typename BackendOf<Model, Exec>::type;

  ClassifierGuidance(Exec const&, Model model, Source source, double guidance_scale)
      : model_(std::move(model)), source_(std::move(source)), scale_(guidance_scale) {}

  void operator()(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
                  Images<Exec> const& output) {
    model_(exec, x, timesteps, output);
  }

  void gradient(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
                Images<Exec> const& gradient) {
    source_(exec, x, timesteps, gradient);
    kernels::Terms scaled{};
    scaled.term[scaled.count++] = {static_cast<float>(scale_), gradient.data()};
    Runner<Exec, backend>(exec).run(kernels::SumTerms{std::int64_t(gradient.size()), scaled},
                                    gradient.data());
  }

  /// The model's.
  Profiler* profiler() const requires requires(Model const& model) { model.profiler(); }
  { return model_.profiler(); }

 private:
  Model model_;
  Source source_;
  double scale_;
};

}  // namespace glyphdiff
