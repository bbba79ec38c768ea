#pragma once

#include <glyphdiff/diffusion/sampling_step.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/kernels/random.hpp>
#include <glyphdiff/kernels/sampling.hpp>
#include <glyphdiff/sampler/walk.hpp>

#include <cmath>
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
      : runner_(std::make_shared<Runner<Exec, Backend>>(exec)),
        steps_(diffusion.sampling_steps()),
        images_(images),
        mask_(mask),
        noise_(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::inpainting::noise"),
               images.extent(0), images.extent(1), images.extent(2), images.extent(3)),
        key_(key),
        then_(std::move(then)) {
    if (mask.extent(3) != 1 || mask.size() * images.extent(3) != images.size())
      throw Error("inpainting mask", "the images' N, H, W and 1 channel",
                  std::to_string(mask.extent(0)) + ", " + std::to_string(mask.extent(1)) + ", " +
                      std::to_string(mask.extent(2)) + " and " + std::to_string(mask.extent(3)));
  }

  void operator()(int done, int steps, Images<Exec> const& x) {
    SamplingStep const& s = steps_.at(done - 1);
    mix(done, 0, s.next.alpha, images_, s.next.sigma, noise_);
    runner_->run(kernels::KeepWhere{std::int64_t(mask_.size()), int(x.extent(3))}, mask_.data(),
                 noise_.data(), x.data());
    if (done < steps && steps_[done].here.sigma != s.next.sigma) {
      // q(x_here | x_next), as in sampling_step().
      NoiseLevel const here = steps_[done].here;
      double const ratio = here.alpha / s.next.alpha;
      mix(done, 1, ratio, x, std::sqrt(here.sigma * here.sigma - ratio * ratio * s.next.sigma * s.next.sigma),
          x);
    }
    then_(done, steps, x);
  }

 private:
  /// out = scale images + deviation noise.
  void mix(int step, std::uint32_t part, double scale, Images<Exec> const& images, double deviation,
           Images<Exec> const& out) {
    std::int64_t const size = images.size();
    kernels::Terms terms{};
    terms.term[terms.count++] = {static_cast<float>(scale), images.data()};
    if (deviation > 0) {
      RandomKey const key{key_.seed, Stream::inpainting, std::uint64_t(step), part};
      std::int64_t const samples = images.extent(0);
      runner_->run(kernels::FillNormal{samples, size / samples, key, key_.first_sample}, noise_.data());
      terms.term[terms.count++] = {static_cast<float>(deviation), noise_.data()};
    }
    runner_->run(kernels::SumTerms{size, terms}, out.data());
  }

  std::shared_ptr<Runner<Exec, Backend>> runner_;  // copies of this share it
  std::vector<SamplingStep> steps_;
  Images<Exec> images_, mask_, noise_;
  Key key_;
  Then then_;
};

}  // namespace glyphdiff
