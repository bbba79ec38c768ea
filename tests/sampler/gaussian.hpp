#pragma once

#include <glyphdiff/diffusion/prediction.hpp>
#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/tensor.hpp>

#include <functional>
#include <span>

/// out = slope x + offset for every element; the other channels of out get `rest`.
template <class Exec>
void affine(Exec const& exec, glyphdiff::Images<Exec> const& x, float slope, float offset, float rest,
            glyphdiff::Images<Exec> const& out) {
  int const channels = int(x.extent(3)), out_channels = int(out.extent(3));
  float const* const in = x.data();
  float* const result = out.data();
  glyphdiff::kernels::for_each(
      "gaussian", exec, std::int64_t(out.size()), KOKKOS_LAMBDA(std::int64_t i) {
        std::int64_t const pixel = i / out_channels, c = i - pixel * out_channels;
        result[i] = c < channels ? slope * in[pixel * channels + c] + offset : rest;
      });
}

/// The perfect network for data whose elements are independent, N(mean, deviation^2): E[target | x_t] is
/// affine in x_t.
template <class Exec, class Prediction>
struct GaussianDenoiser {
  double mean, deviation;
  std::function<glyphdiff::NoiseLevel(float)> level;  // of a network timestep
  float rest = 0;                                     // for variance channels

  void operator()(Exec const& exec, glyphdiff::Images<Exec> const& x, std::span<float const> timesteps,
                  glyphdiff::Images<Exec> const& out) const {
    auto const l = level(timesteps[0]);
    double const variance = l.alpha * l.alpha * deviation * deviation + l.sigma * l.sigma;
    // E[x0 | x] = mean + a (x - alpha mean), E[eps | x] = b (x - alpha mean)
    double const a = l.alpha * deviation * deviation / variance, b = l.sigma / variance;
    auto const target = Prediction::target(l);
    double const slope = target.first * a + target.second * b;
    affine(exec, x, float(slope), float(target.first * mean - slope * l.alpha * mean), rest, out);
  }
};

/// Mean and variance of all elements, and the same of what they should be.
struct Moments {
  double mean, variance;
};

template <class View>
Moments moments(View const& images) {
  Kokkos::View<float*, Kokkos::LayoutRight, Kokkos::HostSpace> const host("host", images.size());
  Kokkos::deep_copy(host,
                    Kokkos::View<float*, Kokkos::LayoutRight, typename View::memory_space,
                                 Kokkos::MemoryTraits<Kokkos::Unmanaged>>(images.data(), images.size()));
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < host.size(); ++i) sum += host(i), squares += double(host(i)) * host(i);
  double const mean = sum / host.size();
  return {mean, squares / host.size() - mean * mean};
}
