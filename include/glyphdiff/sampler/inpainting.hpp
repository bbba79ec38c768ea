#pragma once

#include <glyphdiff/diffusion/sampling_step.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/kernels/random.hpp>
#include <glyphdiff/kernels/sampling.hpp>
#include <glyphdiff/sampler/walk.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// Fills in what a mask leaves open, with any sampler and a network that knows nothing of it (RePaint:
/// Lugmayr, Danelljan, Romero, Yu, Timofte, Van Gool 2022, algorithm 1). Given to a sampler as its progress:
/// after each step what is known of x is replaced by the images, noised to the level that the step led to;
/// the last step leaves the images themselves. Where steps come `repeated`, x is noised back up to the level
/// of the next one in between, so that the new part can settle with the known one; RePaint takes about 10
/// times.
///
///     auto const plan = repeated(diffusion.respaced("50"), 10);
///     ddpm_sample(exec, plan, model, x, SeededNoise{1}, {}, Inpainting(exec, plan, images, mask, {1}));
template <class Exec, class Then = NoProgress, class Backend = kernels::DefaultBackend<Exec>>
class Inpainting {
 public:
  struct Key {
    std::uint64_t seed = 0;
    std::uint64_t first_sample = 0;  ///< global number of the batch's first picture
  };

  /// images: (N,H,W,C); mask: (N,H,W,1), 1 where x is to be filled in and 0 where it is known. `diffusion` is
  /// the one that the sampler is given. `then` is called after each step.
  template <class D>
  Inpainting(Exec const& exec, D const& diffusion, Images<Exec> const& images, Images<Exec> const& mask,
             Key key = {}, Then then = {})
      : shared_(std::make_shared<Shared>(exec)),
        images_(images),
        mask_(mask),
        noise_(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::inpainting::noise"),
               images.extent(0), images.extent(1), images.extent(2), images.extent(3)),
        then_(std::move(then)) {
    if (mask.extent(3) != 1 || mask.size() * images.extent(3) != images.size())
      throw Error("inpainting mask", "the images' N, H, W and 1 channel",
                  std::to_string(mask.extent(0)) + ", " + std::to_string(mask.extent(1)) + ", " +
                      std::to_string(mask.extent(2)) + " and " + std::to_string(mask.extent(3)));
    auto const steps = diffusion.sampling_steps();
    for (std::size_t i = 0; i < steps.size(); ++i) {
      NoiseLevel const next = steps[i].next;
      shared_->values.next();
      Mixture const known = mixture(key, i + 1, 0, next.alpha, next.sigma);
      Mixture back{};
      if (i + 1 < steps.size() && steps[i + 1].here.sigma != next.sigma) {
        // q(x_here | x_next), as in sampling_step().
        NoiseLevel const here = steps[i + 1].here;
        double const ratio = here.alpha / next.alpha;
        back = mixture(key, i + 1, 1, ratio,
                       std::sqrt(here.sigma * here.sigma - ratio * ratio * next.sigma * next.sigma));
      }
      shared_->steps.push_back({known, back});
    }
  }

  void operator()(int done, int steps, Images<Exec> const& x) {
    Step const& step = shared_->steps.at(std::size_t(done) - 1);
    shared_->values.upload(shared_->runner, std::size_t(done) - 1);
    mix(step.known, images_, noise_);
    shared_->runner.run(kernels::KeepWhere{std::int64_t(mask_.size()), int(x.extent(3))}, mask_.data(),
                        noise_.data(), x.data());
    if (step.back.terms > 0) mix(step.back, x, x);
    then_(done, steps, x);
  }

 private:
  /// scale images + deviation noise: where a step finds both numbers, and which noise it is.
  struct Mixture {
    int terms = 0;  ///< 1: no noise; 0: it is not made
    typename StepBlock<Exec>::template Part<float> coefficients;
    typename StepBlock<Exec>::template Part<RandomBatch> numbers;
  };
  struct Step {
    Mixture known, back;
  };

  /// Adds one to the latest step's values. `number`: of the step, counted from 1.
  Mixture mixture(Key key, std::uint64_t number, std::uint32_t part, double scale, double deviation) {
    auto& values = shared_->values;
    Mixture const m{deviation > 0 ? 2 : 1, values.template add<float>(2),
                    values.template add<RandomBatch>(1)};
    values.host(m.coefficients)[0] = static_cast<float>(scale);
    values.host(m.coefficients)[1] = static_cast<float>(deviation);
    values.host(m.numbers)[0] = {{key.seed, Stream::inpainting, number, part}, key.first_sample};
    return m;
  }

  /// out = the mixture of images and noise.
  void mix(Mixture const& m, Images<Exec> const& images, Images<Exec> const& out) {
    std::int64_t const size = images.size(), samples = images.extent(0);
    kernels::SumTerms const sum{size, {{{0, images.data()}, {0, noise_.data()}}, m.terms}};
    if (m.terms > 1)
      shared_->runner.run(kernels::FillNormal{samples, size / samples}, noise_.data(),
                          shared_->values.device(m.numbers));
    shared_->runner.run(sum, out.data(), shared_->values.device(m.coefficients));
  }

  struct Shared {
    explicit Shared(Exec const& exec) : runner(exec) {}
    Runner<Exec, Backend> runner;
    StepBlock<Exec> values;
    std::vector<Step> steps;
  };

  std::shared_ptr<Shared> shared_;  // by all copies of this
  Images<Exec> images_, mask_, noise_;
  Then then_;
};

}  // namespace glyphdiff
