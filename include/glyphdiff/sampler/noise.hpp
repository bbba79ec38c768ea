#pragma once

#include <glyphdiff/kernels/random.hpp>
#include <glyphdiff/kernels/sampling.hpp>
#include <glyphdiff/schedule/noise_level.hpp>
#include <glyphdiff/tensor.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace glyphdiff {

/// Where samplers get standard normals from. start() is called once, and step() once per step, also where the
/// sampler adds no noise, with the number of the step counted from 0.
template <class Noise, class Exec>
concept NoiseSource = requires(Noise& noise, Exec const& exec, Images<Exec> const& images) {
  noise.start(exec, images);
  noise.step(exec, 0, images);
};

/// One that takes a Runner as well as an execution space instance, and says so (`takes_runner`), so that its
/// numbers are drawn on the network's backend.
template <class Noise>
concept RunnerNoiseSource = std::remove_reference_t<Noise>::takes_runner;

/// One that is random numbers of glyphdiff's own and says which: numbers(step) in place of step(), and before
/// the sampler has begun. The sampler draws them itself, as its memory says.
template <class Noise>
concept KeyedNoiseSource = requires(Noise& noise) {
  { noise.numbers(0) } -> std::same_as<RandomBatch>;
};

/// Noise that depends on the seed and on each picture's global number alone: the same picture at any batch
/// size.
struct SeededNoise {
  static constexpr bool takes_runner = true;
  std::uint64_t seed = 0;
  std::uint64_t first_sample = 0;  ///< global number of the batch's first picture

  template <class Exec>
  void start(Exec const& exec, Images<Exec> const& images) const {
    fill(exec, {{seed, Stream::sampling_start, 0}, first_sample}, images);
  }
  template <class Exec>
  void step(Exec const& exec, int number, Images<Exec> const& images) const {
    fill(exec, numbers(number), images);
  }
  RandomBatch numbers(int step) const {
    return {{seed, Stream::sampling_noise, std::uint64_t(step)}, first_sample};
  }

 private:
  template <class Exec>
  void fill(Exec const& exec, RandomBatch const& from, Images<Exec> const& images) const {
    std::int64_t const samples = images.extent(0);
    run(exec,
        kernels::FillNormal{samples, std::int64_t(images.size()) / samples, from.key, from.first_sample},
        images.data());
  }
};

/// Starts a sampler from given images (N,H,W,C), noised to `level`; later noise comes from `noise`. At level
/// {1, 0} x starts as they are, say as noise that ddim_encode or slerp gave.
template <class Exec, NoiseSource<Exec> Noise = SeededNoise>
struct StartFrom {
  static constexpr bool takes_runner = RunnerNoiseSource<Noise>;
  Images<Exec> images;
  NoiseLevel level{1, 0};
  Noise noise{};

  template <class On>
  void start(On const& exec, Images<Exec> const& x) {
    kernels::Terms terms{};
    terms.term[terms.count++] = {static_cast<float>(level.alpha), images.data()};
    noise.start(exec, x);
    if (level.sigma > 0) terms.term[terms.count++] = {static_cast<float>(level.sigma), x.data()};
    run(exec, kernels::SumTerms{std::int64_t(x.size()), terms}, x.data());
  }
  template <class On>
  void step(On const& exec, int number, Images<Exec> const& x) {
    noise.step(exec, number, x);
  }
  RandomBatch numbers(int step) requires KeyedNoiseSource<Noise> { return noise.numbers(step); }
};

/// SDEdit (Meng, He, Song, Song, Wu, Zhu, Ermon 2022, algorithm 1): starts from images noised to the first
/// level of `diffusion`, which is usually cut down by last_steps(): the fewer steps, the nearer to the
/// images.
///
///     auto const few = last_steps(diffusion, 0.4);
///     heun_sample(exec, few, model, x, noised_to_start(exec, few, drawings, SeededNoise{7}));
template <class Exec, class D, NoiseSource<Exec> Noise = SeededNoise>
StartFrom<Exec, Noise> noised_to_start(Exec const&, D const& diffusion, Images<Exec> const& images,
                                       Noise noise = {}) {
  return {images, diffusion.sampling_steps().front().here, noise};
}

}  // namespace glyphdiff
