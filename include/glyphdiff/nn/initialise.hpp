#pragma once

#include <glyphdiff/nn/parameter.hpp>
#include <glyphdiff/random.hpp>
#include <glyphdiff/tensor.hpp>

#include <cmath>

namespace glyphdiff {

/// Fresh values for the listed parameters. They follow the seed and the parameter's place in the list.
template <class Exec>
void initialise(Exec const& exec, ParameterList const& list, Arena<Exec> const& parameters,
                std::uint64_t seed) {
  auto const host = Kokkos::create_mirror_view(parameters);  // the arena itself where the host can reach it
  std::uint32_t part = 0;
  for (ParameterInfo const& info : list) {
    RandomKey const key{seed, Stream::initialisation, 0, part++};
    float const bound = 1.0f / std::sqrt(float(info.fan_in));
    for (std::int64_t i = 0; i < info.count; ++i) {
      float& value = host(info.offset + i);
      switch (info.initialisation) {
        case Initialisation::zero:
          value = 0;
          break;
        case Initialisation::one:
          value = 1;
          break;
        case Initialisation::normal:
          value = normal4(key, i / 4)[i % 4];
          break;
        case Initialisation::normal_fan_in:
          value = bound * normal4(key, i / 4)[i % 4];
          break;
        case Initialisation::uniform_fan_in:
          value = bound * (2 * uniform4(key, i / 4)[i % 4] - 1);
          break;
      }
    }
  }
  copy_values(exec, parameters, host);
  exec.fence();
}

}  // namespace glyphdiff
