// Speed of the 3x3 convolutions, beside two yardsticks measured in the same run: the fused multiply-adds that
// the cores can do at all, and a matrix product. A Winograd convolution does fewer multiplications than the 9
// C K per pixel that are counted here, so its effective GFLOP/s can exceed the peak.
#include "bench.hpp"

#include <glyphdiff/kernels/conv2d.hpp>
#include <glyphdiff/kernels/matmul.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

namespace {

using namespace glyphdiff;
using bench::Exec;
using Backend = kernels::DefaultBackend<Exec>;

struct Options {
  std::vector<std::vector<int>> shapes{{8, 64, 64, 64},  {8, 128, 32, 128}, {8, 256, 16, 256},
                                       {8, 256, 8, 256}, {4, 128, 64, 128}, {4, 384, 16, 256},
                                       {32, 32, 32, 32}, {32, 64, 16, 64},  {32, 64, 8, 64}};  // N, C, H, K
  int repeats = 7, threads = 0;
  double at_least = 0;
  bool json = false;
};

Arena<Exec> random_floats(Exec const& exec, std::int64_t count, std::uint32_t tensor) {
  Arena<Exec> const x(Kokkos::view_alloc(Kokkos::WithoutInitializing, "bench::floats"), count);
  float* const data = x.data();
  kernels::for_each(
      "bench::fill", exec, count,
      KOKKOS_LAMBDA(std::int64_t i) { data[i] = float((i * 37 + tensor) % 101) / 50.0f - 1.0f; });
  exec.fence();
  return x;
}

/// GFLOP/s of `work`, which does `flops` operations; the fastest of several runs, since everything that
/// disturbs a run makes it slower.
template <class Work>
double gflops(Exec const& exec, int repeats, double flops, Work const& work) {
  work();
  double fastest = bench::seconds(exec, work);
  for (int i = 1; i < repeats; ++i) fastest = std::min(fastest, bench::seconds(exec, work));
  return flops / fastest / 1e9;
}

/// Fused multiply-adds on independent registers in every thread.
double fma_peak(Exec const& exec, int repeats) {
  using Pack = kernels::Pack<Backend::width>;
  constexpr int chains = 12,
                rounds = 400'000;  // the latency of an FMA times the number that start per cycle, and more
  int const workers = int(exec.concurrency());
  Arena<Exec> const result("bench::fma", workers);
  auto const work = [&] {
    kernels::for_each(
        "bench::fma", exec, workers, KOKKOS_LAMBDA(std::int64_t worker) {
          Pack sums[chains];
          for (int c = 0; c < chains; ++c) sums[c] = Pack::broadcast(float(c));
          auto const a = Pack::broadcast(1.0f - 1e-6f * float(worker)), b = Pack::broadcast(1e-6f);
          for (int round = 0; round < rounds; ++round)
            for (int c = 0; c < chains; ++c) sums[c] = sums[c] * a + b;
          auto total = sums[0];
          for (int c = 1; c < chains; ++c) total += sums[c];
          float lanes[Backend::width];
          total.store(lanes);
          float sum = 0;
          for (float lane : lanes) sum += lane;
          result(worker) = sum;
        });
  };
  return gflops(exec, repeats, 2.0 * workers * rounds * chains * Backend::width, work);
}

double matrix_product(Exec const& exec, int repeats) {
  int const n = 1024;
  kernels::MatmulShape const shape{n, n, n};
  auto const no = kernels::Transpose::no;
  auto const a = random_floats(exec, n * n, 1), b = random_floats(exec, n * n, 2),
             c = random_floats(exec, n * n, 3);
  auto const scratch = random_floats(exec, kernels::matmul_workspace(Backend(), exec, shape, no, no), 4);
  return gflops(exec, repeats, 2.0 * n * n * n, [&] {
    kernels::matmul(Backend(), exec, shape, a.data(), n, no, b.data(), n, no, c.data(), n, false, nullptr,
                    nullptr, scratch.data());
  });
}

struct Speeds {
  double forward, data, weight;
};

Speeds convolution(Exec const& exec, int repeats, kernels::ConvShape s, bool exact) {
  std::int64_t const pixels = std::int64_t(s.n) * s.h * s.w;
  auto const x = random_floats(exec, pixels * s.in, 1), dx = random_floats(exec, pixels * s.in, 2);
  auto const y = random_floats(exec, pixels * s.out, 3), dy = random_floats(exec, pixels * s.out, 4);
  auto const weight = random_floats(exec, s.weights(), 5), d_weight = random_floats(exec, s.weights(), 6);
  auto const bias = random_floats(exec, s.out, 7), d_bias = random_floats(exec, s.out, 8);
  auto const scratch = random_floats(exec, kernels::conv2d_workspace(Backend(), exec, s, exact), 9);
  double const flops = 2.0 * double(pixels) * double(s.weights());
  return {gflops(exec, repeats, flops,
                 [&] {
                   kernels::conv2d_forward(Backend(), exec, s, exact, x.data(), weight.data(), bias.data(),
                                           nullptr, y.data(), scratch.data());
                 }),
          gflops(exec, repeats, flops,
                 [&] {
                   kernels::conv2d_backward_data(Backend(), exec, s, exact, dy.data(), weight.data(),
                                                 dx.data(), false, scratch.data());
                 }),
          gflops(exec, repeats, flops, [&] {
            kernels::conv2d_backward_weight(Backend(), exec, s, exact, x.data(), dy.data(), d_weight.data(),
                                            d_bias.data(), scratch.data());
          })};
}

/// Whether every convolution was as fast as `options` asks for.
bool measure(Options const& options) {
  bool fast_enough = true;
  Exec const exec;
  if (!options.json) {
    std::printf(
        "GFLOP/s on %d threads, warm buffers, fastest of %d; a 3x3 convolution counts 18 N H H C K\n\n",
        int(exec.concurrency()), options.repeats);
    std::printf(
        "| N,C,H,K | forward | data gradient | weight gradient | exact: forward | data gradient | "
        "weight gradient | matrix product | FMA peak |\n|---|---|---|---|---|---|---|---|---|\n");
  }
  for (std::vector<int> const& shape : options.shapes) {
    kernels::ConvShape const s{.n = shape[0], .h = shape[2], .w = shape[2], .in = shape[1], .out = shape[3]};
    // The yardsticks again for every shape: the clock of a busy machine wanders.
    double const peak = fma_peak(exec, options.repeats), product = matrix_product(exec, options.repeats);
    Speeds const usual = convolution(exec, options.repeats, s, false);
    Speeds const exact = convolution(exec, options.repeats, s, true);
    std::printf(options.json
                    ? "{\"shape\": [%d, %d, %d, %d], \"forward\": %.1f, \"data\": %.1f, \"weight\": %.1f, "
                      "\"exact_forward\": %.1f, \"exact_data\": %.1f, \"exact_weight\": %.1f, "
                      "\"matrix_product\": %.1f, \"fma_peak\": %.1f}\n"
                    : "| %d,%d,%d,%d | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f |\n",
                shape[0], shape[1], shape[2], shape[3], usual.forward, usual.data, usual.weight,
                exact.forward, exact.data, exact.weight, product, peak);
    std::fflush(stdout);
    double const slowest = std::min({usual.forward, usual.data, usual.weight});
    if (slowest >= options.at_least * product) continue;
    fast_enough = false;
    std::fprintf(stderr,
                 "kernels_bench: at %d,%d,%d,%d the slowest convolution does %.2f times the matrix product's "
                 "work, expected at least %.2f times\n",
                 shape[0], shape[1], shape[2], shape[3], slowest / product, options.at_least);
  }
  return fast_enough;
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app("Speed of the 3x3 convolutions beside the machine's limits.");
  app.add_option_function<std::vector<std::string>>(
      "--shapes",
      [&](std::vector<std::string> const& texts) {
        options.shapes.clear();
        for (std::string const& text : texts) {
          std::vector<int> shape(4);
          char rest;
          if (std::sscanf(text.c_str(), "%d,%d,%d,%d%c", &shape[0], &shape[1], &shape[2], &shape[3], &rest) !=
                  4 ||
              *std::min_element(shape.begin(), shape.end()) < 1)
            throw CLI::ValidationError("--shapes", "expected N,C,H,K, four numbers above 0, found " + text);
          options.shapes.push_back(shape);
        }
      },
      "images, input channels, pixels per side, output channels: N,C,H,K ...");
  app.add_option("--repeats", options.repeats, "runs, of which the fastest counts")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "threads, 0: one per core")->check(CLI::Range(0, 4096));
  app.add_option("--at-least", options.at_least,
                 "end with status 1 if a convolution's GFLOP/s are less than this many times those of the "
                 "matrix product")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--json", options.json, "a line of JSON per shape instead of a table");
  CLI11_PARSE(app, argc, argv);

  bench::Session const session(options.threads);
  return measure(options) ? 0 : 1;
} catch (std::exception const& error) {
  std::fprintf(stderr, "kernels_bench: %s\n", error.what());
  return 2;
}
