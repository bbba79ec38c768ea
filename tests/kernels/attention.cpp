#include "../arrays.hpp"
#include "../spaces.hpp"

#include <glyphdiff/kernels/attention.hpp>

#include <doctest/doctest.h>

namespace kernels_attention_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

struct Case {
  kernels::AttentionShape shape;
  float scale = 1.0f;  // of qkv
};

// Odd widths, one head and several, both orders, and more pixels than the 64 rows that are worked on at a
// time.
Case const cases[] = {
    {{1, 1, 1, 1}},
    {{2, 15, 1, 5}},
    {{2, 35, 3, 3}},
    {{1, 67, 2, 16, QkvOrder::grouped}},
    {{2, 130, 1, 33, QkvOrder::grouped}},
    {{1, 64, 3, 48}, 3.0f},
    {{2, 99, 3, 5, QkvOrder::grouped}, 10.0f},  // scores far apart
};

struct Result {
  std::vector<float> y, dqkv;
};

template <class On>
Result run(Case const& c) {
  using Exec = typename On::Exec;
  typename On::Backend const backend;
  Exec const exec;
  std::int64_t const size = std::int64_t(c.shape.n) * c.shape.pixels * c.shape.heads * c.shape.head_channels;
  auto const qkv = to_space<Exec>(values(3 * size, 1, c.scale)), dy = to_space<Exec>(values(size, 2));
  auto const y = unset<Exec>(size), dqkv = unset<Exec>(3 * size);
  auto const floats = kernels::attention_workspace(backend, exec, c.shape);
  kernels::attention_forward(backend, exec, c.shape, qkv.data(), y.data(), unset<Exec>(floats).data());
  kernels::attention_backward(backend, exec, c.shape, qkv.data(), y.data(), dy.data(), dqkv.data(),
                              unset<Exec>(floats).data());
  return {to_host(y), to_host(dqkv)};
}

struct Expected {
  std::vector<double> y, dqkv;
};

/// softmax(q k^T / sqrt(width)) v and its derivatives, in double.
Expected reference(Case const& c) {
  auto const s = c.shape;
  int const T = s.pixels, width = s.head_channels, channels = s.heads * width;
  std::int64_t const size = std::int64_t(s.n) * T * channels;
  auto const qkv = values(3 * size, 1, c.scale), dy = values(size, 2);
  Expected out{std::vector<double>(size), std::vector<double>(3 * size)};
  for (int n = 0; n < s.n; ++n)
    for (int head = 0; head < s.heads; ++head) {
      auto const at = [&](int part, int t, int k) {
        int const first =
            s.order == QkvOrder::legacy ? (head * 3 + part) * width : part * channels + head * width;
        return (std::int64_t(n) * T + t) * 3 * channels + first + k;
      };
      auto const out_at = [&](int t, int k) {
        return (std::int64_t(n) * T + t) * channels + head * width + k;
      };
      for (int t = 0; t < T; ++t) {
        std::vector<double> p(T), dp(T);
        double largest = -1e300, sum = 0, mean = 0;
        for (int u = 0; u < T; ++u) {
          for (int k = 0; k < width; ++k)
            p[u] += double(qkv[at(0, t, k)]) * qkv[at(1, u, k)] / std::sqrt(width);
          largest = std::max(largest, p[u]);
        }
        for (double& x : p) sum += x = std::exp(x - largest);
        for (int u = 0; u < T; ++u) {
          p[u] /= sum;
          for (int k = 0; k < width; ++k) {
            out.y[out_at(t, k)] += p[u] * qkv[at(2, u, k)];
            out.dqkv[at(2, u, k)] += p[u] * dy[out_at(t, k)];
            dp[u] += double(dy[out_at(t, k)]) * qkv[at(2, u, k)];
          }
          mean += p[u] * dp[u];
        }
        for (int u = 0; u < T; ++u) {
          double const dscore = p[u] * (dp[u] - mean) / std::sqrt(width);
          for (int k = 0; k < width; ++k) {
            out.dqkv[at(0, t, k)] += dscore * qkv[at(1, u, k)];
            out.dqkv[at(1, u, k)] += dscore * qkv[at(0, t, k)];
          }
        }
      }
    }
  return out;
}

}  // namespace

TEST_CASE_TEMPLATE("attention agrees with its formulas", On, GLYPHDIFF_TEST_BACKENDS) {
  for (Case const& c : cases) {
    CAPTURE(c.shape.pixels);
    CAPTURE(c.shape.head_channels);
    auto const found = run<On>(c);
    auto const expected = reference(c);
    double const tolerance = c.scale > 1 ? 1e-4 : 1e-5;  // scores of 100 carry errors of 1e-5
    CHECK(relative_error(found.y, expected.y) < tolerance);
    CHECK(relative_error(found.dqkv, expected.dqkv) < tolerance);
  }
}

// Bits are the same at any number of threads, which tests/threads checks; another space is another instance
// of the templates, which the compiler may contract otherwise.
TEST_CASE("attention agrees between execution spaces") {
  for (Case const& c : cases) {
    CAPTURE(c.shape.pixels);
    auto const a = run<SingleVectorised>(c), b = run<ParallelVectorised>(c);
    CHECK(relative_error(a.y, b.y) < 1e-6);
    CHECK(relative_error(a.dqkv, b.dqkv) < 1e-5);
    auto const d = run<SinglePortable>(c), f = run<ParallelPortable>(c);
    CHECK(relative_error(d.y, f.y) < 1e-6);
    CHECK(relative_error(d.dqkv, f.dqkv) < 1e-5);
  }
}

}  // namespace kernels_attention_tests
