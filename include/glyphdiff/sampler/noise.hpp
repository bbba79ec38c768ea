#pragma once

#include <glyphdiff/kernels/random.hpp>
#include <glyphdiff/tensor.hpp>

#include <cstdint>

namespace glyphdiff {

/// Where samplers get standard normals from. start() is called once, and step() once per step, also where the
/// sampler adds no noise, with the number of the step counted from 0.
template <class Noise, class Exec>
concept NoiseSource = requires(Noise& noise, Exec const& exec, Images<Exec> const& images) {
  noise.start(exec, images);
  noise.step(exec, 0, images);
};

/// Noise that depends on the seed and on each picture's global number alone: the same picture at any batch
/// size.
struct SeededNoise {
  std::uint64_t seed = 0;
  std::uint64_t first_sample = 0;  ///< global number of the batch's first picture

  template <class Exec>
  void start(Exec const& exec, Images<Exec> const& images) const {
    fill(exec, {seed, Stream::sampling_start, 0}, images);
  }
  template <class Exec>
  void step(Exec const& exec, int number, Images<Exec> const& images) const {
    fill(exec, {seed, Stream::sampling_noise, std::uint64_t(number)}, images);
  }

 private:
  template <class Exec>
  void fill(Exec const& exec, RandomKey key, Images<Exec> const& images) const {
    kernels::fill_normal(exec, images.data(), images.extent(0), images.size() / images.extent(0), key,
                         first_sample);
  }
};

}  // namespace glyphdiff
