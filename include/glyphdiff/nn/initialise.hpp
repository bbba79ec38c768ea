#pragma once

#include <glyphdiff/kernels/initialise.hpp>
#include <glyphdiff/nn/parameter.hpp>
#include <glyphdiff/tensor.hpp>

#include <cmath>

namespace glyphdiff {

/// Given to a network in place of a seed: its parameters begin at zero, for a checkpoint to fill.
struct ZeroParameters {};
inline constexpr ZeroParameters zero_parameters{};

/// Fresh values for the listed parameters. Each is a function of the seed, the parameter's place in the list
/// (counted from `first_part`) and its own place in the parameter.
template <class Exec>
void initialise(Exec const& exec, ParameterList const& list, Arena<Exec> const& parameters,
                std::uint64_t seed, std::uint32_t first_part = 0) {
  std::uint32_t part = first_part;
  for (ParameterInfo const& info : list) {
    RandomKey const key{seed, Stream::initialisation, 0, part++};
    float const bound = 1.0f / std::sqrt(float(info.fan_in));
    float* const values = parameters.data() + info.offset;
    switch (info.initialisation) {
      case Initialisation::zero:
        kernels::fill_constant(exec, values, info.count, 0);
        break;
      case Initialisation::one:
        kernels::fill_constant(exec, values, info.count, 1);
        break;
      case Initialisation::normal:
        kernels::fill_normal(exec, values, 1, info.count, key);
        break;
      case Initialisation::normal_fan_in:
        kernels::fill_scaled_normal(exec, values, info.count, key, bound);
        break;
      case Initialisation::uniform_fan_in:
        kernels::fill_symmetric_uniform(exec, values, info.count, key, bound);
        break;
    }
  }
  exec.fence();
}

}  // namespace glyphdiff
