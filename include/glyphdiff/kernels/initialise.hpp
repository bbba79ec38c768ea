#pragma once

#include <glyphdiff/kernels/random.hpp>

/// Initial values of one parameter, `count` contiguous floats in the space's memory: value i is number i % 4
/// of draw i / 4 of the key.
namespace glyphdiff::kernels {

struct Constant {
  float value;
  KOKKOS_FUNCTION Random4<float> operator()(RandomKey const&, std::uint64_t) const {
    return {{value, value, value, value}};
  }
};

/// N(0, deviation^2).
struct ScaledNormal {
  float deviation;
  KOKKOS_FUNCTION Random4<float> operator()(RandomKey const& key, std::uint64_t index) const {
    Random4<float> r = normal4(key, index);
    for (float& x : r.v) x = deviation * x;
    return r;
  }
};

/// Uniform in (-bound, bound).
struct SymmetricUniform {
  float bound;
  KOKKOS_FUNCTION Random4<float> operator()(RandomKey const& key, std::uint64_t index) const {
    Random4<float> r = uniform4(key, index);
    for (float& x : r.v) x = bound * (2 * x - 1);
    return r;
  }
};

/// `count` values of one distribution.
template <class Distribution>
struct Fill {
  static constexpr char const* name = "random::fill";
  std::int64_t count;
  RandomKey key;
  Distribution draw;

  Work work(int) const { return {4.0 * count, 0}; }
  template <class Backend, class Exec>
  void run(Backend backend, Exec const& exec, float* out) const {
    fill_random(exec, backend, out, 1, count, {key}, nullptr, draw);
  }
};

}  // namespace glyphdiff::kernels
