#include "../arrays.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/diffusion/process.hpp>
#include <glyphdiff/encoder_unet.hpp>
#include <glyphdiff/kernels/random.hpp>
#include <glyphdiff/loss/cross_entropy.hpp>
#include <glyphdiff/optim/adamw.hpp>
#include <glyphdiff/schedule/cosine.hpp>

#include <doctest/doctest.h>

using namespace glyphdiff;

namespace {

struct Stripes {
  static constexpr UNetConfig config{.image_size = 16,
                                     .channels = 1,
                                     .model_channels = 16,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .num_head_channels = 16,
                                     .norm_groups = 8};
  static constexpr int classes_out = 2;
  static constexpr Pool pool = Pool::attention;
};

using Exec = Kokkos::DefaultHostExecutionSpace;
using Net = EncoderUNet<Stripes, Exec>;
using Process = Diffusion<CosineSchedule<1000>, Epsilon, LearnedRange>;
constexpr int batch = 16, size = 16;

/// Stripes of 4 pixels, lying (0) or standing (1), at a random place, with noise; and their labels and times.
struct NoisyStripes {
  std::vector<int> labels, times;
  Images<Exec> x{"stripes", batch, size, size, 1};

  NoisyStripes(Exec const& exec, Process const& diffusion, std::uint64_t seed, int first_time,
               int times_span) {
    Images<Exec> const noise("noise", batch, size, size, 1);
    for (int n = 0; n < batch; ++n) {
      RandomKey const key{seed};
      labels.push_back(n % 2);
      times.push_back(first_time + int(uniform_below(times_span, key, 2 * n)));
      int const shift = int(uniform_below(8, key, 2 * n + 1));
      for (int h = 0; h < size; ++h)
        for (int w = 0; w < size; ++w)
          x(n, h, w, 0) = ((n % 2 == 0 ? h : w) + shift) / 4 % 2 == 0 ? 1.0f : -1.0f;
    }
    kernels::fill_normal(exec, noise.data(), batch, size * size, RandomKey{seed, Stream::noise});
    q_sample(exec, diffusion, std::span<int const>(times), x, noise, x);
  }
};

}  // namespace

TEST_CASE("a short training tells lying from standing stripes wherever the noise lets them be seen") {
  Exec const exec;
  Process const diffusion;
  Net const net(exec, 1);
  AdamW<Exec> optimiser(net.parameters().extent(0));
  Arena<Exec> const gradients("gradients", net.parameters().extent(0));
  Logits<Exec> const logits("logits", batch, 2), d_logits("d_logits", batch, 2);
  Net::Tape tape;
  for (int step = 0; step < 400; ++step) {
    NoisyStripes const data(exec, diffusion, 100 + step, 0, 1000);
    auto const timesteps = network_timesteps(diffusion, std::span<int const>(data.times));
    net.forward(exec, data.x, timesteps, logits, tape);
    cross_entropy(exec, logits, data.labels, {}, d_logits);
    net.backward(exec, d_logits, gradients, tape);
    optimiser.update(exec, net.parameters(), gradients, 2e-3);
  }

  Net::Evaluator classify(net);
  auto const right = [&](int first_time) {
    int count = 0;
    for (int trial = 0; trial < 8; ++trial) {
      NoisyStripes const data(exec, diffusion, 10000 + trial, first_time, 100);
      classify(exec, data.x, network_timesteps(diffusion, std::span<int const>(data.times)), logits);
      auto const report = cross_entropy(exec, logits, data.labels, {}, Logits<Exec>());
      for (int n = 0; n < batch; ++n) count += report.predicted[n] == data.labels[n];
    }
    return count / double(8 * batch);
  };
  // In the last tenth alpha_bar vanishes, and so do the stripes.
  double const least[] = {0.97, 0.97, 0.97, 0.97, 0.97, 0.97, 0.97, 0.95, 0.8};
  for (int tenth = 0; tenth < 9; ++tenth) {
    CAPTURE(tenth);
    CHECK(right(100 * tenth) >= least[tenth]);
  }
}
