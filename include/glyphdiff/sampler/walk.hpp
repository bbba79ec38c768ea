#pragma once

#include <glyphdiff/diffusion/prediction.hpp>
#include <glyphdiff/diffusion/sampling_step.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/kernels/sampling.hpp>
#include <glyphdiff/sampler/denoiser.hpp>
#include <glyphdiff/sampler/noise.hpp>
#include <glyphdiff/transfer_block.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <vector>

/// What the samplers share. A sampler asks for an estimate of x_0 or eps, and moves x to a sum of images; the
/// coefficients are its own.
namespace glyphdiff {

/// Called after each step as progress(done, steps, x), with x at the level that the step led to; it may
/// change x. To stop a sampler, throw. This one does nothing.
struct NoProgress {
  template <class X>
  void operator()(int, int, X const&) const {}
};

namespace detail {

/// From x and eps at one level to x at another along the straight line that DDIM takes (Song et al. 2020,
/// equation 13; the transfer part of Liu et al. 2022, section 3): x becomes first x + second eps.
inline Mix transfer(NoiseLevel from, NoiseLevel to) {
  return {to.alpha / from.alpha, to.sigma - to.alpha * from.ratio()};
}

/// One run of a sampler over the images x (N,H,W,C), on the model's backend. What the steps do is said before
/// the first of them: all that changes from one to the next is written to a StepBlock then, so that a step
/// launches what steps of the same form did before it, argument by argument. (Multistep methods take turns
/// with the images of their History.)
template <class Exec, class D, Denoiser<Exec> Model>
class Walk {
 public:
  struct Term {
    double coefficient;
    Images<Exec> image;
  };

  Walk(Exec const& exec, Model& model, Images<Exec> const& x, bool clip_x0)
      : runner_(exec),
        model_(model),
        x_(x),
        limit_(clip_x0 ? 1.0f : std::numeric_limits<float>::infinity()),
        channels_(static_cast<int>(x.extent(3))),
        output_(image("glyphdiff::sampler::output", D::Variance::learned ? 2 * channels_ : channels_)),
        timesteps_(x.extent(0)) {
    if constexpr (guided) gradient_ = image("glyphdiff::sampler::gradient");
    if constexpr (requires { model.profiler(); }) runner_.set_profiler(model.profiler());
  }

  /// Images of x's shape, or with other channels.
  Images<Exec> image(std::string const& label, int channels = 0) const {
    return Images<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, label), x_.extent(0), x_.extent(1),
                        x_.extent(2), channels > 0 ? channels : channels_);
  }

  /// Fills x with the noise that the sampler begins with.
  template <class Noise>
  void start(Noise& noise) {
    if constexpr (RunnerNoiseSource<Noise>)
      noise.start(runner_, x_);
    else
      noise.start(runner_.space(), x_);
  }

  /// Calls move(step, noise) for the steps in order, which says what x0(), eps(), sum() and ancestral_step()
  /// are to do, and only then takes them: draws the step's noise, does what was said, reports. Throws Error
  /// if x is not finite at the end.
  template <class Noise, class Progress, class Move>
  void along(std::vector<SamplingStep> const& steps, Noise& noise, Progress& progress, Move const& move) {
    Images<Exec> const step_noise = image("glyphdiff::sampler::noise");
    int const count = static_cast<int>(steps.size());
    std::vector<std::size_t> ends;  // of each step's work
    for (int i = 0; i < count; ++i) {
      values_.next();
      draw(noise, i, step_noise);
      move(steps[i], step_noise);
      ends.push_back(work_.size());
    }
    for (std::size_t i = 0, at = 0; i < ends.size(); ++i) {
      values_.upload(runner_, i);
      for (; at < ends[i]; ++at) work_[at]();
      progress(static_cast<int>(i) + 1, count, x_);
    }
    auto& results = runner_.results();
    results.clear();
    auto const not_finite = results.template add<std::int64_t>(1);
    results.make_room();
    runner_.run(kernels::CountNotFinite{std::int64_t(x_.size())}, x_.data(), results.device(not_finite));
    results.download(runner_);
    fence(runner_, "whether a picture is finite");
    if (results.host(not_finite)[0] > 0)
      throw Error("a sampled picture", "finite numbers", "infinite ones or NaN");
  }

  /// The (clipped) x_0 that the model sees in x at a level. A classifier moves it by sigma^2 / alpha gradient
  /// behind the clipping (Dhariwal & Nichol 2021, algorithm 2, which says so of eps).
  void x0(TimedLevel at, Images<Exec> const& x, Images<Exec> const& estimate) {
    NoiseLevel const l = at.level;
    make_estimate(at, x, D::Prediction::x0(l), 1, l.sigma * l.ratio(), estimate);
  }
  /// The eps that goes with that x_0.
  void eps(TimedLevel at, Images<Exec> const& x, Images<Exec> const& estimate) {
    NoiseLevel const l = at.level;
    make_estimate(at, x, D::Prediction::eps(l), -1 / l.ratio(), -l.sigma, estimate);
  }

  /// out = the sum of the terms, of which those with coefficient 0 are not read; `out` may be among them.
  void sum(std::initializer_list<Term> terms, Images<Exec> const& out) {
    kernels::SumTerms op{std::int64_t(out.size()), {}};
    auto const part = values_.template add<float>(terms.size());
    for (Term const& t : terms)
      if (t.coefficient != 0) {
        values_.host(part)[op.terms.count] = static_cast<float>(t.coefficient);
        op.terms.term[op.terms.count++].image = t.image.data();
      }
    work_.push_back([=, this] { runner_.run(op, out.data(), values_.device(part)); });
  }

  /// x moves one ancestral step.
  void ancestral_step(SamplingStep const& s, Images<Exec> const& noise) {
    Mix const x0 = D::Prediction::x0(s.here);
    auto const how = values_.add_value(kernels::AncestralStep{
        .x0_x = static_cast<float>(x0.first),
        .x0_output = static_cast<float>(x0.second),
        .limit = limit_,
        .mean_x0 = static_cast<float>(s.mean_x0),
        .mean_x = static_cast<float>(s.mean_x),
        .learned_variance = D::Variance::learned,
        .guided = guided,
        .noisy = !s.last,
        .log_small = static_cast<float>(s.log_variance_small),
        .log_large = static_cast<float>(s.log_variance_large),
    });
    work_.push_back([=, this] {
      evaluate(s.start(), x_);
      runner_.run(kernels::TakeAncestralStep{pixels(), channels_, int(output_.extent(3))},
                  values_.device(how), output_.data(), gradient_.data(), noise.data(), x_.data());
    });
  }

 private:
  static constexpr bool guided = GuidedDenoiser<Model, Exec>;

  std::int64_t pixels() const { return x_.extent(0) * x_.extent(1) * x_.extent(2); }

  /// The noise of step `number`.
  template <class Noise>
  void draw(Noise& noise, int number, Images<Exec> const& to) {
    if constexpr (KeyedNoiseSource<Noise>) {
      auto const numbers = values_.add_value(noise.numbers(number));
      std::int64_t const samples = to.extent(0);
      kernels::FillNormal const op{samples, std::int64_t(to.size()) / samples};
      work_.push_back([=, this] { runner_.run(op, to.data(), values_.device(numbers)); });
    } else if constexpr (RunnerNoiseSource<Noise>) {
      work_.push_back([=, this, &noise] { noise.step(runner_, number, to); });
    } else {
      work_.push_back([=, this, &noise] { noise.step(runner_.space(), number, to); });
    }
  }

  void evaluate(TimedLevel at, Images<Exec> const& x) {
    timesteps_.assign(timesteps_.size(), static_cast<float>(at.timestep));
    std::span<float const> const timesteps(timesteps_);
    model_(runner_.space(), x, timesteps, output_);
    if constexpr (guided) model_.gradient(runner_.space(), x, timesteps, gradient_);
  }

  void make_estimate(TimedLevel at, Images<Exec> const& x, Mix mix, double clipping, double guidance,
                     Images<Exec> const& estimate) {
    Mix const x0 = D::Prediction::x0(at.level);
    auto const how = values_.add_value(kernels::Estimate{
        .x0_x = static_cast<float>(x0.first),
        .x0_output = static_cast<float>(x0.second),
        .limit = limit_,
        .estimate_x = static_cast<float>(mix.first),
        .estimate_output = static_cast<float>(mix.second),
        .clipping = static_cast<float>(clipping),
        .guidance = guided ? static_cast<float>(guidance) : 0.0f,
    });
    work_.push_back([=, this] {
      evaluate(at, x);
      runner_.run(kernels::MakeEstimate{pixels(), channels_, int(output_.extent(3))}, values_.device(how),
                  x.data(), output_.data(), gradient_.data(), estimate.data());
    });
  }

  Runner<Exec, typename BackendOf<Model, Exec>::type> runner_;
  Model& model_;
  Images<Exec> x_;
  float limit_;
  int channels_;
  Images<Exec> output_, gradient_;
  std::vector<float> timesteps_;
  StepBlock<Exec> values_;                   // that the work reads
  std::vector<std::function<void()>> work_;  // of all steps, in order
};

/// The latest estimates, newest first, as multistep methods keep them.
template <class Exec>
class History {
 public:
  template <class Walk>
  History(Walk const& walk, int most) {
    while (static_cast<int>(images_.size()) < most)
      images_.push_back(walk.image("glyphdiff::sampler::history"));
    levels_.resize(most);
  }

  /// Where the estimate at the start of a step goes. Earlier ones are forgotten if the steps before led
  /// elsewhere.
  Images<Exec> const& add(SamplingStep const& s) {
    if (s.here.sigma != next_.sigma) size_ = 0;
    next_ = s.next;
    std::rotate(images_.begin(), images_.end() - 1, images_.end());
    std::rotate(levels_.begin(), levels_.end() - 1, levels_.end());
    levels_[0] = s.here;
    size_ = (std::min)(size_ + 1, static_cast<int>(images_.size()));
    return images_[0];
  }
  int size() const { return size_; }
  Images<Exec> const& operator[](int i) const { return images_[i]; }
  NoiseLevel level(int i) const { return levels_[i]; }

 private:
  std::vector<Images<Exec>> images_;
  std::vector<NoiseLevel> levels_;
  NoiseLevel next_{0, 0};
  int size_ = 0;
};

}  // namespace detail
}  // namespace glyphdiff
