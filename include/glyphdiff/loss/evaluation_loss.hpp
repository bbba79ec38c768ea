#pragma once

#include <glyphdiff/diffusion/process.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/kernels/random.hpp>
#include <glyphdiff/loss/training_loss.hpp>
#include <glyphdiff/sampler/denoiser.hpp>
#include <glyphdiff/tensor.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace glyphdiff {

/// The loss of pictures x0 (N,H,W,C) in [-1, 1], as training computes it, without training on them: the mean
/// over `repeats` times and noises of each. Times are spread evenly over the process, and times and noise are
/// functions of the seed alone, so that the figures of two moments of a training differ by what was learnt
/// and not by what was drawn. `batch`: pictures at a time, which changes no bit. Error if there are none.
template <class Objective, class Exec, class D, Denoiser<Exec> Model>
double evaluation_loss(Exec const& exec, D const& diffusion, Model&& model, HostImages const& x0,
                       std::uint64_t seed, int repeats = 1, int batch = 32) {
  int const count = int(x0.extent(0)), h = int(x0.extent(1)), w = int(x0.extent(2)),
            channels = int(x0.extent(3));
  if (count < 1 || repeats < 1 || batch < 1)
    throw Error("pictures to evaluate a loss with", "at least one", std::to_string(count));
  int const out_channels = D::Variance::learned ? 2 * channels : channels, total = count * repeats;
  auto const images = [&](int n, int c) {
    return Images<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::evaluation"), n, h, w, c);
  };
  // Number i of all gets the middle of one of `total` equal parts of the time, in a scattered order, so that
  // neither the first pictures nor the first repeat get the early times.
  auto const time = [&](int i) {
    double const share = (double((std::uint64_t(i) * 0x9e3779b1u) % 0x100000000u) + 0.5) / 0x1p32;
    if constexpr (std::is_same_v<typename D::Time, int>)
      return (std::min)(int(share * diffusion.steps()), diffusion.steps() - 1);
    else
      return typename D::Time(share);
  };
  Runner<Exec, typename BackendOf<Model, Exec>::type> const runner(exec);
  double sum = 0;
  for (int repeat = 0; repeat < repeats; ++repeat)
    for (int first = 0; first < count; first += batch) {
      int const n = (std::min)(batch, count - first);
      Images<Exec> const clean = images(n, channels), eps = images(n, channels), noisy = images(n, channels),
                         output = images(n, out_channels), no_gradient;
      copy_values(exec, clean,
                  HostImages(x0.data() + std::size_t(first) * h * w * channels, n, h, w, channels));
      std::vector<typename D::Time> times;
      for (int i = 0; i < n; ++i) times.push_back(time(repeat * count + first + i));
      run(runner,
          kernels::FillNormal{n,
                              std::int64_t(h) * w * channels,
                              {seed, Stream::evaluation, std::uint64_t(repeat)},
                              std::uint64_t(first)},
          eps.data());
      q_sample(runner, diffusion, times, clean, eps, noisy);
      model(exec, noisy,
            std::span<float const>(network_timesteps(diffusion, std::span(std::as_const(times)))), output);
      for (double const loss : training_loss<Objective>(runner, diffusion, std::span(std::as_const(times)),
                                                        {}, clean, eps, output, no_gradient)
                                   .total)
        sum += loss;
    }
  return sum / total;
}

}  // namespace glyphdiff
