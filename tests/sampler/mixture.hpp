#pragma once

#include "gaussian.hpp"

#include <glyphdiff/schedule/noise_level.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <vector>

/// Data on a line: a mixture of two Gaussians, and everything there is to know about it, in double.
struct Mixture {
  double weight[2] = {0.35, 0.65}, mean[2] = {-0.6, 0.5}, deviation[2] = {0.25, 0.15};

  /// E[x_0 | x], where x = alpha x_0 + sigma eps.
  double x0(double x, glyphdiff::NoiseLevel l) const {
    double log_density[2], estimate[2];
    for (int k = 0; k < 2; ++k) {
      double const data = deviation[k] * deviation[k];
      double const variance = l.alpha * l.alpha * data + l.sigma * l.sigma, offset = x - l.alpha * mean[k];
      log_density[k] = std::log(weight[k]) - 0.5 * std::log(variance) - 0.5 * offset * offset / variance;
      estimate[k] = mean[k] + l.alpha * data / variance * offset;
    }
    double const first = 1 / (1 + std::exp(log_density[1] - log_density[0]));
    return first * estimate[0] + (1 - first) * estimate[1];
  }
  double eps(double x, glyphdiff::NoiseLevel l) const { return (x - l.alpha * x0(x, l)) / l.sigma; }

  /// Where the flow d(x / alpha) = eps d(sigma / alpha) takes x between two levels given by sigma / alpha:
  /// Runge and Kutta's method in many small steps, even in the logarithm.
  double flow(double x, double from, double to, int steps = 400) const {
    double z = x / glyphdiff::NoiseLevel::of_ratio(from).alpha;
    auto const slope = [&](double at, double log_ratio) {
      double const ratio = std::exp(log_ratio);
      auto const l = glyphdiff::NoiseLevel::of_ratio(ratio);
      return ratio * eps(l.alpha * at, l);
    };
    double const h = std::log(to / from) / steps;
    for (int i = 0; i < steps; ++i) {
      double const s = std::log(from) + i * h, a = slope(z, s), b = slope(z + h / 2 * a, s + h / 2),
                   c = slope(z + h / 2 * b, s + h / 2), d = slope(z + h * c, s + h);
      z += h / 6 * (a + 2 * b + 2 * c + d);
    }
    return z * glyphdiff::NoiseLevel::of_ratio(to).alpha;
  }
};

/// The perfect network for a Mixture; the other channels of its output get `rest`. On the host.
template <class Prediction>
struct MixtureDenoiser {
  std::function<glyphdiff::NoiseLevel(float)> level;  // of a network timestep
  float rest = 0;
  Mixture mixture{};

  template <class Exec, class Images>
  void operator()(Exec const& exec, Images const& x, std::span<float const> timesteps,
                  Images const& out) const {
    exec.fence();
    std::size_t const channels = x.extent(3), all = out.extent(3), pixels = x.extent(1) * x.extent(2);
    for (std::size_t n = 0; n < x.extent(0); ++n) {
      auto const l = level(timesteps[n]);
      auto const target = Prediction::target(l);
      for (std::size_t pixel = n * pixels; pixel < (n + 1) * pixels; ++pixel)
        for (std::size_t c = 0; c < all; ++c) {
          double const at = x.data()[pixel * channels + c % channels], x0 = mixture.x0(at, l);
          out.data()[pixel * all + c] =
              c < channels ? float(target.first * x0 + target.second * (at - l.alpha * x0) / l.sigma) : rest;
        }
    }
  }
};
