#pragma once

#include <glyphdiff/kernels/initialise.hpp>
#include <glyphdiff/kernels/runner.hpp>
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
        run(exec, kernels::Fill<kernels::Constant>{info.count, {}, {0}}, values);
        break;
      case Initialisation::one:
        run(exec, kernels::Fill<kernels::Constant>{info.count, {}, {1}}, values);
        break;
      case Initialisation::normal:
        run(exec, kernels::FillNormal{1, info.count, key}, values);
        break;
      case Initialisation::normal_fan_in:
        run(exec, kernels::Fill<kernels::ScaledNormal>{info.count, key, {bound}}, values);
        break;
      case Initialisation::uniform_fan_in:
        run(exec, kernels::Fill<kernels::SymmetricUniform>{info.count, key, {bound}}, values);
        break;
    }
  }
  fence(exec, "initial parameters");
}

}  // namespace glyphdiff
