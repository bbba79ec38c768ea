#include "../arenas.hpp"
#include "gaussian.hpp"

#include <glyphdiff/sampler/guidance.hpp>

#include <doctest/doctest.h>

using namespace glyphdiff;

namespace {

template <class Exec>
struct Constant {
  float prediction, rest;
  void operator()(Exec const& exec, Images<Exec> const& x, std::span<float const>, Images<Exec> const& out) {
    affine(exec, x, 0.0f, prediction, rest, out);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("classifier-free guidance extrapolates the prediction alone", Exec,
                   GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  Images<Exec> const x("x", 2, 3, 3, 1), out("out", 2, 3, 3, 2);
  std::vector<float> const timesteps{1, 1};
  auto const at = [&](double scale) {
    Guidance guided(exec, Constant<Exec>{3, 0.5f}, Constant<Exec>{1, -0.5f}, scale);
    static_assert(Denoiser<decltype(guided), Exec>);
    guided(exec, x, timesteps, out);
    exec.fence();
    Kokkos::View<float****, Kokkos::LayoutRight, Kokkos::HostSpace> const host("host", 2, 3, 3, 2);
    Kokkos::deep_copy(host, out);
    return std::vector{host(1, 2, 1, 0), host(1, 2, 1, 1)};
  };
  CHECK(at(0) == std::vector{1.0f, 0.5f});
  CHECK(at(1) == std::vector{3.0f, 0.5f});
  CHECK(at(4) == std::vector{9.0f, 0.5f});
}
