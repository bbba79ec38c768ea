#include <glyphdiff/kernels/host/conv2d.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace kernels_host_conv2d_tests {

namespace host = glyphdiff::kernels::host;
using glyphdiff::kernels::ConvShape;

namespace {

using Values = std::vector<float>;

Values noise(std::int64_t count, std::uint32_t seed) {
  Values values(static_cast<std::size_t>(count));
  for (float& v : values) {
    seed = seed * 1664525u + 1013904223u;
    v = float(seed >> 8) / 8388608.0f - 1.0f;
  }
  return values;
}

/// What the three passes compute, in double, and the sum of the magnitudes behind every element.
struct Sums {
  std::vector<double> value, magnitude;
  explicit Sums(std::size_t count) : value(count), magnitude(count) {}
  void add(std::size_t at, double term) { value[at] += term, magnitude[at] += std::abs(term); }

  /// Largest error relative to the largest magnitude, or NaN.
  double error(Values const& result) const {
    double worst = 0, scale = 0;
    for (std::size_t i = 0; i < value.size(); ++i) {
      scale = std::max(scale, magnitude[i]);
      double const off = std::abs(result[i] - value[i]);
      if (!(off <= worst)) worst = off;
    }
    return worst / scale;
  }
};

struct Problem {
  ConvShape shape;
  Values x, weight, bias, residual, dy, dx, dweight, dbias;  // dx, dweight, dbias: what was there before

  explicit Problem(ConvShape s)
      : shape(s),
        x(noise(std::int64_t(s.n) * s.h * s.w * s.in, 1)),
        weight(noise(s.weights(), 2)),
        bias(noise(s.out, 3)),
        residual(noise(std::int64_t(s.n) * s.out_h() * s.out_w() * s.out, 4)),
        dy(noise(std::int64_t(s.n) * s.out_h() * s.out_w() * s.out, 5)),
        dx(noise(std::int64_t(s.n) * s.h * s.w * s.in, 6)),
        dweight(noise(s.weights(), 7)),
        dbias(noise(s.out, 8)) {}

  /// body(x index, y index, weight index) for every multiplication.
  template <class Body>
  void each(Body const& body) const {
    ConvShape const s = shape;
    for (int n = 0; n < s.n; ++n)
      for (int oh = 0; oh < s.out_h(); ++oh)
        for (int ow = 0; ow < s.out_w(); ++ow)
          for (int i = 0; i < s.kernel; ++i)
            for (int j = 0; j < s.kernel; ++j) {
              int const h = oh * s.stride - s.padding() + i, w = ow * s.stride - s.padding() + j;
              if (h < 0 || h >= s.h || w < 0 || w >= s.w) continue;
              for (int k = 0; k < s.out; ++k)
                for (int c = 0; c < s.in; ++c)
                  body(((std::size_t(n) * s.h + h) * s.w + w) * s.in + c,
                       ((std::size_t(n) * s.out_h() + oh) * s.out_w() + ow) * s.out + k,
                       ((std::size_t(k) * s.in + c) * s.kernel + i) * s.kernel + j);
            }
  }
};

template <int W>
struct Direct {
  template <class Exec>
  static std::int64_t workspace(Exec const& e, ConvShape s) {
    return host::direct::conv2d_workspace<Exec, W>(e, s);
  }
  template <class Exec>
  static void forward(Exec const& e, Problem const& p, float const* bias, float const* residual, float* y,
                      float* ws) {
    host::direct::conv2d_forward<Exec, W>(e, p.shape, p.x.data(), p.weight.data(), bias, residual, y, ws);
  }
  template <class Exec>
  static void backward_data(Exec const& e, Problem const& p, float* dx, bool accumulate, float* ws) {
    host::direct::conv2d_backward_data<Exec, W>(e, p.shape, p.dy.data(), p.weight.data(), dx, accumulate, ws);
  }
  template <class Exec>
  static void backward_weight(Exec const& e, Problem const& p, float* dweight, float* dbias, float* ws) {
    host::direct::conv2d_backward_weight<Exec, W>(e, p.shape, p.x.data(), p.dy.data(), dweight, dbias, ws);
  }
};

template <int W>
struct Winograd {
  template <class Exec>
  static std::int64_t workspace(Exec const& e, ConvShape s) {
    return host::winograd::conv2d_workspace<Exec, W>(e, s);
  }
  template <class Exec>
  static void forward(Exec const& e, Problem const& p, float const* bias, float const* residual, float* y,
                      float* ws) {
    host::winograd::conv2d_forward<Exec, W>(e, p.shape, p.x.data(), p.weight.data(), bias, residual, y, ws);
  }
  template <class Exec>
  static void backward_data(Exec const& e, Problem const& p, float* dx, bool accumulate, float* ws) {
    host::winograd::conv2d_backward_data<Exec, W>(e, p.shape, p.dy.data(), p.weight.data(), dx, accumulate,
                                                  ws);
  }
  template <class Exec>
  static void backward_weight(Exec const& e, Problem const& p, float* dweight, float* dbias, float* ws) {
    host::winograd::conv2d_backward_weight<Exec, W>(e, p.shape, p.x.data(), p.dy.data(), dweight, dbias, ws);
  }
};

template <bool exact>
struct Chosen {
  template <class Exec>
  static std::int64_t workspace(Exec const& e, ConvShape s) {
    return host::conv2d_workspace(e, s, exact);
  }
  template <class Exec>
  static void forward(Exec const& e, Problem const& p, float const* bias, float const* residual, float* y,
                      float* ws) {
    host::conv2d_forward(e, p.shape, exact, p.x.data(), p.weight.data(), bias, residual, y, ws);
  }
  template <class Exec>
  static void backward_data(Exec const& e, Problem const& p, float* dx, bool accumulate, float* ws) {
    host::conv2d_backward_data(e, p.shape, exact, p.dy.data(), p.weight.data(), dx, accumulate, ws);
  }
  template <class Exec>
  static void backward_weight(Exec const& e, Problem const& p, float* dweight, float* dbias, float* ws) {
    host::conv2d_backward_weight(e, p.shape, exact, p.x.data(), p.dy.data(), dweight, dbias, ws);
  }
};

/// Results of every pass with every option, one after the other.
template <class Algorithm, class Exec>
std::vector<Values> run(Problem const& p) {
  Exec const exec;
  auto const size = std::size_t(Algorithm::workspace(exec, p.shape));
  std::vector<Values> results;
  auto const with = [&](Values result, auto const& pass) {
    Values workspace(size + 1, NAN);  // what it held must not matter
    workspace[size] = 7;
    pass(result.data(), workspace.data());
    CHECK(workspace[size] == 7);
    results.push_back(std::move(result));
  };
  Values const empty(p.dy.size(), NAN);
  with(empty, [&](float* y, float* ws) { Algorithm::forward(exec, p, nullptr, nullptr, y, ws); });
  with(empty,
       [&](float* y, float* ws) { Algorithm::forward(exec, p, p.bias.data(), p.residual.data(), y, ws); });
  with(p.residual, [&](float* y, float* ws) { Algorithm::forward(exec, p, p.bias.data(), y, y, ws); });
  with(Values(p.x.size(), NAN),
       [&](float* dx, float* ws) { Algorithm::backward_data(exec, p, dx, false, ws); });
  with(p.dx, [&](float* dx, float* ws) { Algorithm::backward_data(exec, p, dx, true, ws); });
  Values dbias = p.dbias;
  with(p.dweight, [&](float* dw, float* ws) { Algorithm::backward_weight(exec, p, dw, dbias.data(), ws); });
  with(p.dweight, [&](float* dw, float* ws) { Algorithm::backward_weight(exec, p, dw, nullptr, ws); });
  results.push_back(dbias);
  return results;
}

template <class Algorithm>
void check(ConvShape s, double tolerance) {
  CAPTURE(s.n);
  CAPTURE(s.h);
  CAPTURE(s.w);
  CAPTURE(s.in);
  CAPTURE(s.out);
  CAPTURE(s.kernel);
  CAPTURE(s.stride);
  Problem const p(s);
  Sums y(p.dy.size()), dx(p.x.size()), dweight(p.weight.size()), dbias(p.bias.size());
  p.each([&](std::size_t xi, std::size_t yi, std::size_t wi) {
    y.add(yi, double(p.x[xi]) * p.weight[wi]);
    dx.add(xi, double(p.dy[yi]) * p.weight[wi]);
    dweight.add(wi, double(p.dy[yi]) * p.x[xi]);
  });
  Sums y_added = y, dx_added = dx;
  for (std::size_t i = 0; i < p.dy.size(); ++i) {
    y_added.add(i, double(p.bias[i % std::size_t(s.out)]) + p.residual[i]);
    dbias.add(i % std::size_t(s.out), p.dy[i]);
  }
  for (std::size_t i = 0; i < p.dx.size(); ++i) dx_added.add(i, p.dx[i]);
  for (std::size_t i = 0; i < p.weight.size(); ++i) dweight.add(i, p.dweight[i]);
  for (std::size_t i = 0; i < p.bias.size(); ++i) dbias.add(i, p.dbias[i]);

  auto const results = run<Algorithm, Kokkos::DefaultHostExecutionSpace>(p);
  CHECK(y.error(results[0]) < tolerance);
  CHECK(y_added.error(results[1]) < tolerance);
  CHECK(results[2] == results[1]);
  CHECK(dx.error(results[3]) < tolerance);
  CHECK(dx_added.error(results[4]) < tolerance);
  CHECK(dweight.error(results[5]) < tolerance);
  CHECK(results[6] == results[5]);
  CHECK(dbias.error(results[7]) < 1e-6);
#if defined(KOKKOS_ENABLE_SERIAL)
  CHECK(results == run<Algorithm, Kokkos::Serial>(p));
#endif
}

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("direct convolution agrees with a double loop", Width, direct_conv2d) {
  using Algorithm = Direct<Width::value>;
  for (int kernel : {1, 3})
    for (int stride : {1, 2})
      for (ConvShape s : {ConvShape{1, 1, 1, 1, 1},
                          {1, 2, 3, 5, 7},
                          {2, 7, 6, 3, 20},
                          {1, 8, 9, 16, 33},
                          {2, 6, 5, 32, 6},
                          {1, 5, 4, 130, 16},
                          {1, 1, 12, 48, 48}}) {
        s.kernel = kernel, s.stride = stride;
        check<Algorithm>(s, 1e-6);
      }
}
TEST_CASE_TEMPLATE_INVOKE(direct_conv2d, std::integral_constant<int, 4>, std::integral_constant<int, 8>,
                          std::integral_constant<int, 16>);

TEST_CASE("direct convolution over many pixels and channels") {
  check<Direct<glyphdiff::kernels::native_width>>({3, 40, 33, 16, 8, 3, 1}, 1e-6);  // several slices
  check<Direct<glyphdiff::kernels::native_width>>({1, 6, 6, 160, 144, 3, 1},
                                                  1e-6);  // several cuts of the terms
  check<Direct<glyphdiff::kernels::native_width>>({1, 9, 8, 144, 300, 3, 2}, 1e-6);
}

TEST_CASE_TEMPLATE_DEFINE("Winograd convolution agrees with a double loop", Width, winograd_conv2d) {
  using Algorithm = Winograd<Width::value>;
  for (ConvShape s : {ConvShape{1, 1, 1, 1, 1},
                      {1, 2, 3, 5, 7},
                      {2, 7, 6, 3, 20},
                      {1, 8, 9, 16, 33},
                      {2, 6, 5, 32, 6},
                      {1, 5, 4, 130, 16},
                      {1, 1, 12, 48, 48},
                      {2, 13, 12, 20, 70}})
    check<Algorithm>(s, 3e-6);
}
TEST_CASE_TEMPLATE_INVOKE(winograd_conv2d, std::integral_constant<int, 4>, std::integral_constant<int, 8>,
                          std::integral_constant<int, 16>);

TEST_CASE("Winograd convolution over many pixels and channels") {
  check<Winograd<glyphdiff::kernels::native_width>>({5, 39, 33, 16, 40, 3, 1},
                                                    3e-6);  // several slices and blocks
  check<Winograd<glyphdiff::kernels::native_width>>({1, 6, 6, 160, 144, 3, 1},
                                                    3e-6);  // several chunks of channels
}

namespace {

/// The largest difference of two results, relative to the largest value of each of their arrays.
double distance(std::vector<Values> const& a, std::vector<Values> const& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    REQUIRE(a[k].size() == b[k].size());
    double largest = 0, difference = 0;
    for (std::size_t i = 0; i < a[k].size(); ++i) {
      largest = std::max(largest, double(std::abs(b[k][i])));
      difference = std::max(difference, double(std::abs(a[k][i] - b[k][i])));
    }
    if (largest > 0) worst = std::max(worst, difference / largest);
  }
  return worst;
}

}  // namespace

TEST_CASE(
    "the host's convolution takes Winograd's algorithm unless it must be exact or the tiles are wasted") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  using Exact = Direct<glyphdiff::kernels::native_width>;
  using Fast = Winograd<glyphdiff::kernels::native_width>;
  Problem const square({2, 9, 8, 20, 36, 3, 1});
  // The chosen one may come from the compiled kernels, whose products are contracted otherwise than this
  // file's.
  auto const exact = run<Exact, Exec>(square), fast = run<Fast, Exec>(square);
  CHECK(distance(run<Chosen<true>, Exec>(square), exact) < 0.5 * distance(fast, exact));
  CHECK(distance(run<Chosen<false>, Exec>(square), fast) < 0.5 * distance(fast, exact));
  for (ConvShape s : {ConvShape{2, 9, 8, 20, 36, 3, 2}, {2, 9, 8, 20, 36, 1, 1}, {2, 2, 2, 20, 36, 3, 1}}) {
    Problem const p(s);
    CHECK(distance(run<Chosen<false>, Exec>(p), run<Exact, Exec>(p)) < 0.5 * distance(fast, exact));
  }
}

TEST_CASE("Winograd convolution with cached weights, and with weights too many to keep") {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  Exec const exec;
  for (ConvShape s : {ConvShape{2, 20, 19, 40, 70}, {1, 20, 20, 3, 5}, {1, 32, 29, 368, 352}}) {
    Problem const p(s);
    Values exact(p.dy.size()), fused(p.dy.size()), cached(p.dy.size());
    Values workspace(std::size_t(host::conv2d_workspace(exec, s, true)));
    host::conv2d_forward(exec, s, true, p.x.data(), p.weight.data(), p.bias.data(), p.residual.data(),
                         exact.data(), workspace.data());
    workspace.assign(std::size_t(host::conv2d_workspace(exec, s, false)), NAN);
    host::conv2d_forward(exec, s, false, p.x.data(), p.weight.data(), p.bias.data(), p.residual.data(),
                         fused.data(), workspace.data());
    Values transformed(std::size_t(host::winograd::transformed_floats(s)) + 1, NAN);
    transformed.back() = 7;
    host::winograd::transform_weights(exec, s, p.weight.data(), transformed.data());
    CHECK(transformed.back() == 7);
    workspace.assign(workspace.size(), NAN);
    host::winograd::forward_with_transformed(exec, s, p.x.data(), transformed.data(), p.bias.data(),
                                             p.residual.data(), cached.data(), workspace.data());
    float scale = 0, off_fused = 0, off_cached = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      scale = std::max(scale, std::abs(exact[i]));
      off_fused = std::max(off_fused, std::abs(fused[i] - exact[i]));
      off_cached = std::max(off_cached, std::abs(cached[i] - exact[i]));
    }
    CHECK(off_fused < 5e-6f * scale);
    CHECK(off_cached < 5e-6f * scale);
  }
}

}  // namespace kernels_host_conv2d_tests
