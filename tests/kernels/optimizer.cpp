#include "../arenas.hpp"

#include <glyphdiff/kernels/optimizer.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace kernels_optimizer_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

namespace {

constexpr kernels::AdamWUpdate u{.keep = 0.99f,
                                 .beta1 = 0.9f,
                                 .one_minus_beta1 = 0.1f,
                                 .beta2 = 0.999f,
                                 .one_minus_beta2 = 0.001f,
                                 .sqrt_bias_correction2 = 0.3f,
                                 .eps = 1e-8f,
                                 .step_size = 1e-2f,
                                 .rounding = {5, Stream::rounding, 7}};
constexpr kernels::EmaRate rate{0.9f, 0.1f};
constexpr kernels::UpdateOutcome fine{.gradient_norm = 1, .gradient_scale = 0.5f, .not_finite = 0};
constexpr kernels::UpdateInput in{&u, &rate, &fine};

struct Result {
  std::vector<float> p, g, m, v, e;
};

template <class Backend, class Exec>
Result update(std::size_t count) {
  auto const p = to_space<Exec>(scattered(count, 1)), g = to_space<Exec>(scattered(count, 2)),
             m = to_space<Exec>(scattered(count, 3)), e = to_space<Exec>(scattered(count, 4));
  Arena<Exec> const v("v", count);
  Kokkos::deep_copy(v, 1e-3f);
  kernels::EmaAverages averages;
  averages.average[averages.count++] = e.data();
  kernels::adamw_update<Backend>(Exec(), std::int64_t(count), p.data(), g.data(), m.data(), v.data(), in,
                                 averages);
  return {to_host(p), to_host(g), to_host(m), to_host(v), to_host(e)};
}

}  // namespace

TEST_CASE_TEMPLATE("the portable and the vectorised update agree to the bit, at every length of tail", Exec,
                   GLYPHDIFF_HOST_SPACES) {
  for (std::size_t const count : {0, 1, 3, 15, 16, 17, 31, 2048, 2051, 5000}) {
    CAPTURE(count);
    auto const a = update<kernels::Portable, Exec>(count), b = update<kernels::Vectorised, Exec>(count);
    CHECK(a.p == b.p);
    CHECK(a.g == b.g);
    CHECK(a.m == b.m);
    CHECK(a.v == b.v);
    CHECK(a.e == b.e);
  }
}

TEST_CASE_TEMPLATE("both paths round bfloat16 moments alike, and the parameters follow the unrounded ones",
                   Exec, GLYPHDIFF_HOST_SPACES) {
  struct Rounded {
    std::vector<float> p;
    std::vector<std::uint16_t> m, v;
  };
  auto const update_rounded = [](auto backend, std::size_t count) {
    auto const p = to_space<Exec>(scattered(count, 1)), g = to_space<Exec>(scattered(count, 2));
    Rounded r{{}, std::vector<std::uint16_t>(count, 0x3c01), std::vector<std::uint16_t>(count, 0x3a02)};
    kernels::adamw_update_bfloat16<decltype(backend)>(Exec(), std::int64_t(count), p.data(), g.data(),
                                                      r.m.data(), r.v.data(), in, {});
    Exec().fence();
    r.p = to_host(p);
    std::vector<float> const m(count, bfloat16_to_float(0x3c01)), v(count, bfloat16_to_float(0x3a02));
    auto const q = to_space<Exec>(scattered(count, 1)), h = to_space<Exec>(scattered(count, 2)),
               first = to_space<Exec>(m), second = to_space<Exec>(v);
    kernels::adamw_update<decltype(backend)>(Exec(), std::int64_t(count), q.data(), h.data(), first.data(),
                                             second.data(), in, {});
    CHECK(r.p == to_host(q));
    auto const exact = to_host(second);
    for (std::size_t i = 0; i < count; ++i)
      REQUIRE(std::abs(bfloat16_to_float(r.v[i]) - exact[i]) < exact[i] / 128);
    return r;
  };
  for (std::size_t const count : {0, 1, 3, 15, 16, 17, 127, 128, 129, 255, 257, 2048, 2051, 5000}) {
    CAPTURE(count);
    auto const a = update_rounded(kernels::Portable{}, count),
               b = update_rounded(kernels::Vectorised{}, count);
    CHECK(a.p == b.p);
    CHECK(a.m == b.m);
    CHECK(a.v == b.v);
  }
}

TEST_CASE_TEMPLATE("the portable and the vectorised sum of squares agree", Exec, GLYPHDIFF_HOST_SPACES) {
  for (std::size_t const count : {1, 17, 2049, 70001}) {
    CAPTURE(count);
    auto const x = to_space<Exec>(scattered(count, 7));
    auto const total = [&](auto backend) {
      using Backend = decltype(backend);
      std::vector<double> partial(kernels::square_partials<Backend>(std::int64_t(count)), NAN);
      kernels::sum_of_squares<Backend>(Exec(), std::int64_t(count), x.data(), partial.data());
      Exec().fence();
      double sum = 0;
      for (double const s : partial) sum += s;
      return sum;
    };
    CHECK(total(kernels::Portable{}) == doctest::Approx(total(kernels::Vectorised{})).epsilon(1e-13));
  }
}

TEST_CASE("the square root of a pack is correctly rounded") {
  constexpr int W = kernels::native_width;
  float x[W], y[W];
  auto const values = scattered(1000 * W, 9);
  for (int i = 0; i < 1000; ++i) {
    for (int k = 0; k < W; ++k) x[k] = std::abs(values[i * W + k]);
    sqrt(kernels::Pack<W>::load(x)).store(y);
    for (int k = 0; k < W; ++k) REQUIRE(y[k] == std::sqrt(x[k]));
  }
}

}  // namespace kernels_optimizer_tests
