#include "../arrays.hpp"
#include "../spaces.hpp"

#include <glyphdiff/kernels/resample.hpp>

#include <doctest/doctest.h>

namespace kernels_resample_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

Extent const coarse{2, 3, 21}, fine{2, 6, 42};  // rows of more than one run of pixels
int const widths[] = {1, 3, 5, 16, 33, 48};

/// Index of (n, h, w, c) in an image of extent e.
std::int64_t at(Extent e, int channels, int n, int h, int w, int c) {
  return ((std::int64_t(n) * e.h + h) * e.w + w) * channels + c;
}

/// Calls f(index in the fine image, index of its block in the coarse one) for every fine element.
template <class F>
void each_fine(int channels, F const& f) {
  for (int n = 0; n < fine.n; ++n)
    for (int h = 0; h < fine.h; ++h)
      for (int w = 0; w < fine.w; ++w)
        for (int c = 0; c < channels; ++c)
          f(at(fine, channels, n, h, w, c), at(coarse, channels, n, h / 2, w / 2, c));
}

template <class On>
Arena<typename On::Exec> target(std::int64_t count, bool accumulate) {
  return accumulate ? to_space<typename On::Exec>(values(count, 2)) : unset<typename On::Exec>(count);
}

std::vector<double> start(std::int64_t count, bool accumulate) {
  auto const before = values(count, 2);
  return accumulate ? std::vector<double>(before.begin(), before.end()) : std::vector<double>(count, 0);
}

}  // namespace

TEST_CASE_TEMPLATE("upsampling repeats 2 x 2", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  for (int channels : widths) {
    CAPTURE(channels);
    auto const x = values(coarse.pixels() * channels, 1);
    std::vector<float> expected(fine.pixels() * channels);
    each_fine(channels, [&](std::int64_t i, std::int64_t j) { expected[i] = x[j]; });
    auto const device = to_space<Exec>(x), y = unset<Exec>(expected.size());
    kernels::upsample_forward<typename On::Backend>(Exec(), coarse, channels, device.data(), y.data());
    CHECK(same_bits(to_host(y), expected));
  }
}

TEST_CASE_TEMPLATE("2 x 2 blocks are summed, assigned or added", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  for (int channels : widths)
    for (bool accumulate : {false, true})
      for (float scale : {1.0f, 0.25f}) {
        CAPTURE(channels);
        CAPTURE(accumulate);
        auto const x = values(fine.pixels() * channels, 1);
        auto expected = start(coarse.pixels() * channels, accumulate);
        each_fine(channels, [&](std::int64_t i, std::int64_t j) { expected[j] += double(scale) * x[i]; });
        auto const device = to_space<Exec>(x), y = target<On>(expected.size(), accumulate);
        kernels::sum_blocks<typename On::Backend>(Exec(), coarse, channels, scale, device.data(),
                                                  {y.data(), accumulate});
        CHECK(relative_error(to_host(y), expected) < 1e-6);
      }
}

TEST_CASE_TEMPLATE("values are spread over 2 x 2 blocks, assigned or added", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  for (int channels : widths)
    for (bool accumulate : {false, true}) {
      CAPTURE(channels);
      CAPTURE(accumulate);
      auto const x = values(coarse.pixels() * channels, 1);
      auto expected = start(fine.pixels() * channels, accumulate);
      each_fine(channels, [&](std::int64_t i, std::int64_t j) { expected[i] += 0.25 * x[j]; });
      auto const device = to_space<Exec>(x), y = target<On>(expected.size(), accumulate);
      kernels::spread_blocks<typename On::Backend>(Exec(), coarse, channels, 0.25f, device.data(),
                                                   {y.data(), accumulate});
      CHECK(relative_error(to_host(y), expected) < 1e-6);
    }
}

TEST_CASE_TEMPLATE("space to depth folds blocks into channels, and back", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  Exec const exec;
  for (int factor : {1, 2, 3})
    for (int channels : {1, 3})
      for (bool coordinates : {false, true}) {
        CAPTURE(factor);
        CAPTURE(channels);
        CAPTURE(coordinates);
        Extent const e{2, 5, 4}, image{2, 5 * factor, 4 * factor};
        int const folded = channels * factor * factor, width = folded + (coordinates ? 2 : 0);
        auto const x = values(image.pixels() * channels, 1);
        std::vector<float> expected(e.pixels() * width);
        for (int n = 0; n < e.n; ++n)
          for (int h = 0; h < e.h; ++h)
            for (int w = 0; w < e.w; ++w) {
              for (int c = 0; c < channels; ++c)
                for (int row = 0; row < factor; ++row)
                  for (int column = 0; column < factor; ++column)
                    expected[at(e, width, n, h, w, (c * factor + row) * factor + column)] =
                        x[at(image, channels, n, h * factor + row, w * factor + column, c)];
              if (coordinates) {
                expected[at(e, width, n, h, w, folded)] = -1 + (h + 0.5f) * 2 / 5;
                expected[at(e, width, n, h, w, folded + 1)] = -1 + (w + 0.5f) * 2 / 4;
              }
            }
        auto const device = to_space<Exec>(x), y = unset<Exec>(expected.size()), back = unset<Exec>(x.size());
        kernels::space_to_depth(exec, e, channels, factor, coordinates, device.data(), y.data());
        CHECK(relative_error(to_host(y), expected) < 1e-6);
        kernels::depth_to_space(exec, e, channels, factor, width - folded, y.data(), back.data());
        CHECK(same_bits(to_host(back), x));
      }
}

}  // namespace kernels_resample_tests
