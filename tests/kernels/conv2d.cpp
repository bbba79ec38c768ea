#include "../arrays.hpp"
#include "../spaces.hpp"

#include <glyphdiff/kernels/conv2d.hpp>
#include <glyphdiff/kernels/pack_weights.hpp>

#include <doctest/doctest.h>

namespace kernels_conv2d_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

struct Case {
  kernels::ConvShape shape;
  bool exact, residual, accumulate;
};

kernels::ConvShape const shapes[] = {
    {1, 1, 1, 1, 1},         {2, 5, 7, 3, 5},       {1, 2, 3, 16, 33},       {2, 9, 11, 33, 16},
    {1, 17, 13, 48, 48},     {2, 8, 8, 32, 64},     {3, 6, 10, 1, 16},       {2, 7, 9, 5, 33, 3, 2},
    {1, 8, 8, 48, 16, 3, 2}, {1, 1, 2, 3, 3, 3, 2}, {1, 4, 6, 16, 48, 1, 1}, {2, 33, 34, 3, 5, 3, 1},
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (auto const& shape : shapes) {
    all.push_back({shape, true, false, true});
    all.push_back({shape, false, true, false});
  }
  return all;
}

struct Operands {
  std::vector<float> x, weight, bias, residual, dy, dx, dweight, dbias;
  explicit Operands(kernels::ConvShape s) {
    std::int64_t const in = std::int64_t(s.n) * s.h * s.w * s.in,
                       out = std::int64_t(s.n) * s.out_h() * s.out_w() * s.out;
    x = values(in, 1);
    weight = values(s.weights(), 2);
    bias = values(s.out, 3);
    residual = values(out, 4);
    dy = values(out, 5);
    dx = values(in, 6);
    dweight = values(s.weights(), 7);
    dbias = values(s.out, 8);
  }
};

template <class Number>
struct Results {
  std::vector<Number> y, dx, dweight, dbias;
};

/// The weights as the backend's convolutions read them.
template <class On>
auto packed(kernels::ConvShape s, Arena<typename On::Exec> const& weight, kernels::WeightOrder order) {
  if constexpr (On::Backend::width > 1) return weight;
  auto const result = unset<typename On::Exec>(s.weights());
  kernels::pack_weights(typename On::Exec(), {order, s.out, s.in, s.kernel}, weight.data(), result.data());
  return result;
}

template <class On>
Results<float> run(Case const& c) {
  using Exec = typename On::Exec;
  typename On::Backend const backend;
  Exec const exec;
  auto const s = c.shape;
  Operands const host(s);
  auto const x = to_space<Exec>(host.x), weight = to_space<Exec>(host.weight),
             bias = to_space<Exec>(host.bias);
  auto const residual = to_space<Exec>(host.residual), dy = to_space<Exec>(host.dy);
  auto const y = unset<Exec>(host.dy.size()),
             dx = c.accumulate ? to_space<Exec>(host.dx) : unset<Exec>(host.x.size());
  auto const dweight = to_space<Exec>(host.dweight), dbias = to_space<Exec>(host.dbias);
  auto const floats = kernels::conv2d_workspace(backend, exec, s, c.exact);
  auto const for_y = packed<On>(s, weight, kernels::WeightOrder::forward),
             for_dx = packed<On>(s, weight, kernels::WeightOrder::backward);
  kernels::conv2d_forward(backend, exec, s, c.exact, x.data(), for_y.data(), bias.data(),
                          c.residual ? residual.data() : nullptr, y.data(), unset<Exec>(floats).data());
  kernels::conv2d_backward_data(backend, exec, s, c.exact, dy.data(), for_dx.data(), dx.data(), c.accumulate,
                                unset<Exec>(floats).data());
  kernels::conv2d_backward_weight(
      backend, exec, s, c.exact, x.data(), dy.data(), dweight.data(), dbias.data(),
      unset<Exec>(kernels::conv2d_weight_workspace(backend, exec, s, c.exact)).data());
  return {to_host(y), to_host(dx), to_host(dweight), to_host(dbias)};
}

/// The definition, term by term.
Results<double> reference(Case const& c) {
  auto const s = c.shape;
  Operands const o(s);
  auto const wide = [](std::vector<float> const& v) { return std::vector<double>(v.begin(), v.end()); };
  Results<double> r{std::vector<double>(o.dy.size()), wide(o.dx), wide(o.dweight), wide(o.dbias)};
  if (!c.accumulate) r.dx.assign(r.dx.size(), 0);
  std::int64_t y_index = 0;
  for (int n = 0; n < s.n; ++n)
    for (int oh = 0; oh < s.out_h(); ++oh)
      for (int ow = 0; ow < s.out_w(); ++ow)
        for (int k = 0; k < s.out; ++k, ++y_index) {
          r.y[y_index] += o.bias[k] + (c.residual ? double(o.residual[y_index]) : 0);
          r.dbias[k] += o.dy[y_index];
          for (int tap = 0; tap < s.kernel * s.kernel; ++tap) {
            int const h = oh * s.stride + tap / s.kernel - s.kernel / 2;
            int const w = ow * s.stride + tap % s.kernel - s.kernel / 2;
            if (h < 0 || h >= s.h || w < 0 || w >= s.w) continue;
            for (int i = 0; i < s.in; ++i) {
              std::int64_t const x_index = ((std::int64_t(n) * s.h + h) * s.w + w) * s.in + i;
              std::int64_t const weight_index = (std::int64_t(k) * s.in + i) * s.kernel * s.kernel + tap;
              r.y[y_index] += double(o.x[x_index]) * o.weight[weight_index];
              r.dx[x_index] += double(o.dy[y_index]) * o.weight[weight_index];
              r.dweight[weight_index] += double(o.dy[y_index]) * o.x[x_index];
            }
          }
        }
  return r;
}

}  // namespace

TEST_CASE_TEMPLATE("convolutions agree with their definition", On, GLYPHDIFF_TEST_BACKENDS) {
  for (Case const& c : cases()) {
    auto const s = c.shape;
    CAPTURE(s.h);
    CAPTURE(s.w);
    CAPTURE(s.in);
    CAPTURE(s.out);
    CAPTURE(s.stride);
    CAPTURE(c.exact);
    auto const found = run<On>(c);
    auto const expected = reference(c);
    double const tolerance = c.exact ? 2e-6 : 1e-5;  // Winograd transforms cost a digit
    CHECK(relative_error(found.y, expected.y) < tolerance);
    CHECK(relative_error(found.dx, expected.dx) < tolerance);
    CHECK(relative_error(found.dweight, expected.dweight) < tolerance);
    CHECK(relative_error(found.dbias, expected.dbias) < 2e-6);
  }
}

TEST_CASE_TEMPLATE("a convolution may be added to what its output holds", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  typename On::Backend const backend;
  Exec const exec;
  for (bool exact : {true, false}) {
    Case const c{{2, 9, 11, 33, 16}, exact, true, false};
    Operands const host(c.shape);
    auto const x = to_space<Exec>(host.x), weight = to_space<Exec>(host.weight),
               bias = to_space<Exec>(host.bias);
    auto const y = to_space<Exec>(host.residual);
    auto const scratch = unset<Exec>(kernels::conv2d_workspace(backend, exec, c.shape, exact));
    kernels::conv2d_forward(backend, exec, c.shape, exact, x.data(),
                            packed<On>(c.shape, weight, kernels::WeightOrder::forward).data(), bias.data(),
                            y.data(), y.data(), scratch.data());
    CHECK(same_bits(to_host(y), run<On>(c).y));
  }
}

}  // namespace kernels_conv2d_tests
