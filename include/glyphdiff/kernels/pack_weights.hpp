#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>
#include <glyphdiff/kernels/shapes.hpp>

namespace glyphdiff::kernels {

/// packed[tap][from][to] from a convolution's weight (K,C,k,k), with `from` the summed channels: C forward, K
/// for the data gradient; or, in the order `plain`, the values as they are.
template <class Exec, class T>
void pack_weights(Exec const& exec, WeightPacking p, float const* weight, T* packed) {
  int const taps = p.kernel * p.kernel, in = p.in;
  bool const plain = p.order == WeightOrder::plain, backward = p.order == WeightOrder::backward;
  int const from = backward ? p.out : p.in, to = backward ? p.in : p.out;
  for_each(
      "glyphdiff::pack_weights", exec, p.count(), KOKKOS_LAMBDA(std::int64_t item) {
        std::int64_t place = item;
        if (!plain) {
          int const tap = int(item % taps), c = int(item / taps % in), k = int(item / taps / in);
          place = (std::int64_t(tap) * from + (backward ? k : c)) * to + (backward ? c : k);
        }
        put(weight[item], packed + place);
      });
}

struct PackWeights {
  static constexpr char const* name = "pack_weights";
  WeightPacking packing;

  Work work(int value) const { return {(4.0 + value) * packing.count(), 0}; }
  template <class Backend, class Exec, class T>
  void run(Backend, Exec const& exec, float const* weight, T* packed) const {
    pack_weights(exec, packing, weight, packed);
  }
};

#define GLYPHDIFF_PACK_WEIGHTS_KERNELS(MAKE, Exec) MAKE(pack_weights<Exec, float>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_PACK_WEIGHTS_KERNELS)

}  // namespace glyphdiff::kernels
