#include "../arrays.hpp"
#include "../spaces.hpp"

#include <glyphdiff/kernels/tokens.hpp>

#include <doctest/doctest.h>

namespace kernels_tokens_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

constexpr int n = 2, tokens = 7, channels = 5, pixels = tokens - 1;

}  // namespace

TEST_CASE_TEMPLATE("tokens lead with the mean and know their places; gradients are the transpose", On,
                   GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  Exec const exec;
  auto const first = values(n * channels, 1), x = values(n * pixels * channels, 2),
             positions = values(channels * tokens, 3);
  auto const y = unset<Exec>(n * tokens * channels);
  kernels::tokens_forward(exec, n, tokens, channels, to_space<Exec>(first).data(), to_space<Exec>(x).data(),
                          to_space<Exec>(positions).data(), y.data());
  auto const result = to_host(y);
  for (int i = 0; i < n; ++i)
    for (int t = 0; t < tokens; ++t)
      for (int c = 0; c < channels; ++c) {
        float const token = t == 0 ? first[i * channels + c] : x[(i * pixels + t - 1) * channels + c];
        CHECK(result[(i * tokens + t) * channels + c] == token + positions[c * tokens + t]);
      }

  auto const dy = values(n * tokens * channels, 4), before = values(channels * tokens, 5);
  auto const dx = unset<Exec>(n * pixels * channels), d_positions = to_space<Exec>(before);
  kernels::tokens_backward(exec, n, tokens, channels, to_space<Exec>(dy).data(), dx.data());
  kernels::positions_backward(exec, n, tokens, channels, to_space<Exec>(dy).data(), d_positions.data());
  std::vector<double> expected, sums(before.begin(), before.end());
  for (int i = 0; i < n; ++i)
    for (int t = 0; t < tokens; ++t)
      for (int c = 0; c < channels; ++c) {
        double const d = dy[(i * tokens + t) * channels + c];
        sums[c * tokens + t] += d;
        if (t > 0) expected.push_back(d + double(dy[i * tokens * channels + c]) / pixels);
      }
  CHECK(relative_error(to_host(dx), expected) < 1e-6);
  CHECK(relative_error(to_host(d_positions), sums) < 1e-6);
}

TEST_CASE_TEMPLATE("rows between strides", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  auto const x = values(3 * 8, 1);
  auto const y = unset<Exec>(3 * 6);
  kernels::copy_rows(Exec(), 3, 5, to_space<Exec>(x).data(), 8, y.data(), 6);
  auto const result = to_host(y);
  for (int row = 0; row < 3; ++row) {
    for (int c = 0; c < 5; ++c) CHECK(result[row * 6 + c] == x[row * 8 + c]);
    CHECK(std::isnan(result[row * 6 + 5]));
  }
}

}  // namespace kernels_tokens_tests
