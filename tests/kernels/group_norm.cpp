#include "../arrays.hpp"
#include "../spaces.hpp"

#include <glyphdiff/kernels/group_norm.hpp>

#include <doctest/doctest.h>

namespace kernels_group_norm_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

struct Case {
  Extent e;
  int first, second, groups;  // channels of the two sources
  bool silu, modulated;
  bool accumulate_first = false, accumulate_second = true;
  float offset = 0;  // of the mean
};

// Sources that no pack fits, whose boundary lies inside a group and inside a pack, one and several tiles of
// pixels.
Case const cases[] = {
    {{1, 1, 1}, 1, 0, 1, false, false},        {{2, 3, 5}, 3, 0, 3, true, false},
    {{3, 5, 7}, 5, 0, 1, true, true},          {{1, 13, 11}, 16, 0, 4, true, true},
    {{2, 9, 11}, 33, 0, 11, false, true},      {{2, 7, 9}, 32, 16, 3, true, false},
    {{2, 7, 9}, 32, 16, 3, true, true, true},  {{1, 9, 9}, 5, 4, 3, true, true, true, false},
    {{2, 4, 17}, 33, 15, 4, true, true},       {{2, 8, 16}, 48, 48, 32, false, false},
    {{1, 6, 6}, 17, 16, 3, true, false, true}, {{2, 8, 9}, 16, 0, 4, true, true, false, true, 10.0f},
};

struct Numbers {
  std::vector<float> first, second, gamma, beta, embedding, dy, dx_first, dx_second, dgamma, dbeta;
  explicit Numbers(Case const& c) {
    std::int64_t const pixels = c.e.pixels();
    int const channels = c.first + c.second;
    first = values(pixels * c.first, 1);
    second = values(pixels * c.second, 2);
    for (float& x : first) x += c.offset;
    gamma = values(channels, 3);
    beta = values(channels, 4);
    embedding = values(std::int64_t(c.e.n) * 2 * channels, 5);
    dy = values(pixels * channels, 6);
    dx_first = values(pixels * c.first, 7);
    dx_second = values(pixels * c.second, 8);
    dgamma = values(channels, 9);
    dbeta = values(channels, 10);
  }
};

struct Result {
  std::vector<float> statistics, y, dx_first, dx_second, dgamma, dbeta, dembedding;
};

template <class On>
Result run(Case const& c) {
  using Exec = typename On::Exec;
  using Backend = typename On::Backend;
  Numbers const host(c);
  Exec const exec;
  int const channels = c.first + c.second;
  auto const first = to_space<Exec>(host.first), second = to_space<Exec>(host.second);
  auto const gamma = to_space<Exec>(host.gamma), beta = to_space<Exec>(host.beta);
  auto const embedding = to_space<Exec>(host.embedding), dy = to_space<Exec>(host.dy);
  auto const scratch_floats = kernels::group_norm_workspace(c.e, channels);
  auto const statistics = unset<Exec>(std::int64_t(c.e.n) * c.groups * 2), y = unset<Exec>(dy.extent(0));
  auto const dembedding = unset<Exec>(embedding.extent(0));
  auto const dx_first = c.accumulate_first ? to_space<Exec>(host.dx_first) : unset<Exec>(first.extent(0));
  auto const dx_second = c.accumulate_second ? to_space<Exec>(host.dx_second) : unset<Exec>(second.extent(0));
  auto const dgamma = to_space<Exec>(host.dgamma), dbeta = to_space<Exec>(host.dbeta);

  kernels::Channels const x{first.data(), c.first, second.data(), c.second};
  kernels::ScaleShift scale_shift;
  if (c.modulated) scale_shift = {embedding.data(), dembedding.data()};
  kernels::ChannelsGradient const dx{
      {dx_first.data(), c.accumulate_first}, c.first, {dx_second.data(), c.accumulate_second}, c.second};
  kernels::group_norm_statistics<Backend, float>(exec, c.e, x, c.groups, 1e-5f, statistics.data(),
                                                 unset<Exec>(scratch_floats).data());
  auto const passes = [&](auto silu) {
    kernels::group_norm_forward<decltype(silu)::value, Backend>(exec, c.e, x, c.groups, statistics.data(),
                                                                gamma.data(), beta.data(), scale_shift,
                                                                y.data(), unset<Exec>(scratch_floats).data());
    kernels::group_norm_backward<decltype(silu)::value, Backend>(
        exec, c.e, x, c.groups, statistics.data(), gamma.data(), beta.data(), scale_shift, dy.data(), dx,
        dgamma.data(), dbeta.data(), unset<Exec>(scratch_floats).data());
  };
  c.silu ? passes(std::true_type{}) : passes(std::false_type{});
  return {to_host(statistics), to_host(y),     to_host(dx_first),  to_host(dx_second),
          to_host(dgamma),     to_host(dbeta), to_host(dembedding)};
}

struct Expected {
  std::vector<double> statistics, y, dx_first, dx_second, dgamma, dbeta, dembedding;
};

/// The formulas of Wu & He 2018 and their derivatives, in double and element by element.
Expected reference(Case const& c) {
  Numbers const in(c);
  int const channels = c.first + c.second, width = channels / c.groups, pixels = c.e.h * c.e.w;
  Expected out;
  out.statistics.resize(c.e.n * c.groups * 2);
  out.y.resize(in.dy.size());
  out.dx_first.assign(in.first.size(), 0);
  out.dx_second.assign(in.second.size(), 0);
  if (c.accumulate_first) out.dx_first.assign(in.dx_first.begin(), in.dx_first.end());
  if (c.accumulate_second) out.dx_second.assign(in.dx_second.begin(), in.dx_second.end());
  out.dgamma.assign(in.dgamma.begin(), in.dgamma.end());
  out.dbeta.assign(in.dbeta.begin(), in.dbeta.end());
  out.dembedding.assign(in.embedding.size(), 0);
  auto const at = [&](auto const& a, auto const& b, int n, int p, int k) -> auto& {
    std::int64_t const pixel = std::int64_t(n) * pixels + p;
    return k < c.first ? a[pixel * c.first + k] : b[pixel * c.second + k - c.first];
  };
  for (int n = 0; n < c.e.n; ++n)
    for (int g = 0; g < c.groups; ++g) {
      double const count = double(pixels) * width;
      double mean = 0, variance = 0;
      for (int p = 0; p < pixels; ++p)
        for (int k = g * width; k < (g + 1) * width; ++k) mean += at(in.first, in.second, n, p, k) / count;
      for (int p = 0; p < pixels; ++p)
        for (int k = g * width; k < (g + 1) * width; ++k)
          variance += std::pow(at(in.first, in.second, n, p, k) - mean, 2) / count;
      double const rstd = 1 / std::sqrt(variance + 1e-5);
      out.statistics[2 * (n * c.groups + g)] = mean;
      out.statistics[2 * (n * c.groups + g) + 1] = rstd;
      double sum = 0, sum_xhat = 0;
      auto const visit = [&](auto const& f) {
        for (int p = 0; p < pixels; ++p)
          for (int k = g * width; k < (g + 1) * width; ++k) {
            std::int64_t const i = (std::int64_t(n) * pixels + p) * channels + k;
            double const xhat = (at(in.first, in.second, n, p, k) - mean) * rstd;
            double const normed = xhat * in.gamma[k] + in.beta[k];
            double const scale = c.modulated ? 1.0 + in.embedding[n * 2 * channels + k] : 1.0;
            double const shift = c.modulated ? in.embedding[n * 2 * channels + channels + k] : 0.0;
            double const z = normed * scale + shift, s = 1 / (1 + std::exp(-z));
            out.y[i] = c.silu ? z * s : z;
            double const dz = in.dy[i] * (c.silu ? s * (1 + z * (1 - s)) : 1.0);
            f(p, k, xhat, normed, dz, dz * scale * in.gamma[k], scale);
          }
      };
      visit([&](int, int k, double xhat, double normed, double dz, double dxhat, double scale) {
        sum += dxhat / count;
        sum_xhat += dxhat * xhat / count;
        out.dgamma[k] += dz * scale * xhat;
        out.dbeta[k] += dz * scale;
        out.dembedding[n * 2 * channels + k] += dz * normed;
        out.dembedding[n * 2 * channels + channels + k] += dz;
      });
      visit([&](int p, int k, double xhat, double, double, double dxhat, double) {
        double const dx = rstd * (dxhat - sum - xhat * sum_xhat);
        if (k < c.first)
          out.dx_first[(std::int64_t(n) * pixels + p) * c.first + k] += dx;
        else
          out.dx_second[(std::int64_t(n) * pixels + p) * c.second + k - c.first] += dx;
      });
    }
  return out;
}

}  // namespace

TEST_CASE_TEMPLATE("group norm agrees with its formulas", On, GLYPHDIFF_TEST_BACKENDS) {
  for (Case const& c : cases) {
    CAPTURE(c.first);
    CAPTURE(c.second);
    CAPTURE(c.groups);
    Result const found = run<On>(c);
    Expected const expected = reference(c);
    double const tolerance = c.offset > 0 ? 1e-4 : 1e-5;
    CHECK(relative_error(found.statistics, expected.statistics) < tolerance);
    CHECK(relative_error(found.y, expected.y) < tolerance);
    CHECK(relative_error(found.dx_first, expected.dx_first) < tolerance);
    CHECK(relative_error(found.dx_second, expected.dx_second) < tolerance);
    CHECK(relative_error(found.dgamma, expected.dgamma) < tolerance);
    CHECK(relative_error(found.dbeta, expected.dbeta) < tolerance);
    if (c.modulated) CHECK(relative_error(found.dembedding, expected.dembedding) < tolerance);
  }
}

TEST_CASE_TEMPLATE("the gradient of a group norm may take the place of dy", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  using Backend = typename On::Backend;
  Case const c{{2, 9, 9}, 33, 0, 3, true, false};
  Numbers const host(c);
  Exec const exec;
  auto const x = to_space<Exec>(host.first), gamma = to_space<Exec>(host.gamma),
             beta = to_space<Exec>(host.beta);
  auto const dgamma = to_space<Exec>(host.dgamma), dbeta = to_space<Exec>(host.dbeta),
             dy = to_space<Exec>(host.dy);
  auto const statistics = unset<Exec>(2 * 3 * 2),
             scratch = unset<Exec>(kernels::group_norm_workspace(c.e, 33));
  kernels::group_norm_statistics<Backend, float>(exec, c.e, {x.data(), 33}, 3, 1e-5f, statistics.data(),
                                                 scratch.data());
  kernels::group_norm_backward<true, Backend>(exec, c.e, {x.data(), 33}, 3, statistics.data(), gamma.data(),
                                              beta.data(), {}, dy.data(), {{dy.data(), false}, 33},
                                              dgamma.data(), dbeta.data(), scratch.data());
  CHECK(same_bits(to_host(dy), run<On>(c).dx_first));
}

TEST_CASE_TEMPLATE("the variance keeps its digits a thousand deviations from zero", On,
                   GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  Exec const exec;
  int const channels = 48, groups = 3, width = channels / groups;
  for (Extent e : {Extent{2, 13, 17}, Extent{1, 8, 8}, Extent{2, 1, 1}, Extent{1, 40, 40}})
    for (float deviations : {0.0f, 30.0f, -1000.0f, 1000.0f})
      for (bool same_means : {true, false}) {
        CAPTURE(deviations);
        CAPTURE(e.h);
        CAPTURE(same_means);
        auto x = values(e.pixels() * channels, 11);  // of deviation 0.577
        for (std::size_t i = 0; i < x.size(); ++i)
          x[i] += 0.577f * deviations + (same_means ? 0.0f : 0.3f * float(i % channels % 5));
        auto const in = to_space<Exec>(x), scratch = unset<Exec>(kernels::group_norm_workspace(e, channels)),
                   statistics = unset<Exec>(std::int64_t(e.n) * groups * 2);
        float const epsilon = 1e-12f;
        kernels::group_norm_statistics<typename On::Backend, float>(
            exec, e, {in.data(), channels}, groups, epsilon, statistics.data(), scratch.data());
        exec.fence();
        auto const found = to_host(statistics);
        int const pixels = e.h * e.w;
        for (int n = 0; n < e.n; ++n)
          for (int g = 0; g < groups; ++g) {
            auto const each = [&](auto const& visit) {
              for (int p = 0; p < pixels; ++p)
                for (int c = g * width; c < (g + 1) * width; ++c)
                  visit(double(x[std::size_t(n * pixels + p) * channels + c]));
            };
            double sum = 0, squares = 0;
            each([&](double value) { sum += value; });
            double const mean = sum / (pixels * width);
            each([&](double value) { squares += (value - mean) * (value - mean); });
            double const variance = squares / (pixels * width), rstd = found[2 * (n * groups + g) + 1];
            CHECK(std::abs(found[2 * (n * groups + g)] - mean) <= 1e-7 * std::abs(mean) + 1e-6);
            CHECK(std::abs(1 / (rstd * rstd) / variance - 1) < 1e-5);
          }
      }
}

}  // namespace kernels_group_norm_tests
