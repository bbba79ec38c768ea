#include "../arrays.hpp"
#include "../spaces.hpp"

#include <glyphdiff/kernels/pointwise.hpp>

#include <doctest/doctest.h>

namespace kernels_pointwise_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

Extent const e{3, 7, 11};  // 77 pixels: more than one run of add_per_image
int const widths[] = {1, 3, 5, 16, 33, 48};

double silu(double x) { return x / (1 + std::exp(-x)); }
double silu_slope(double x) {
  double const s = 1 / (1 + std::exp(-x));
  return s * (1 + x * (1 - s));
}

template <class On>
std::vector<float> column_sums(std::int64_t rows, int columns) {
  using Exec = typename On::Exec;
  auto const x = to_space<Exec>(values(rows * columns, 1)), y = to_space<Exec>(values(columns, 2));
  auto const scratch = unset<Exec>(kernels::column_sums_workspace(rows, columns));
  kernels::add_column_sums<typename On::Backend>(Exec(), rows, columns, x.data(), y.data(), scratch.data());
  return to_host(y);
}

template <class On>
std::vector<float> sums_per_image(int channels) {
  using Exec = typename On::Exec;
  auto const x = to_space<Exec>(values(e.pixels() * channels, 1)), y = unset<Exec>(e.n * channels);
  kernels::sum_per_image<typename On::Backend>(Exec(), e, channels, x.data(), y.data(), channels);
  return to_host(y);
}

}  // namespace

TEST_CASE_TEMPLATE("filling, copying and adding", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  Exec const exec;
  auto const a = values(37, 1), b = values(37, 2);
  auto const x = to_space<Exec>(a), y = to_space<Exec>(b), z = unset<Exec>(37);
  kernels::add(exec, x.data(), y.data(), 36);
  auto const sum = to_host(y);
  for (int i = 0; i < 36; ++i) CHECK(sum[i] == a[i] + b[i]);
  CHECK(sum[36] == b[36]);
  kernels::copy(exec, x.data(), z.data(), 36);
  auto const copied = to_host(z);
  for (int i = 0; i < 36; ++i) CHECK(copied[i] == a[i]);
  CHECK(std::isnan(copied[36]));
  kernels::interpolate(exec, x.data(), to_space<Exec>(b).data(), 0.25f, z.data(), 36);
  auto const between = to_host(z);
  for (int i = 0; i < 36; ++i) CHECK(between[i] == doctest::Approx(0.75f * a[i] + 0.25f * b[i]));
  CHECK(std::isnan(between[36]));
  kernels::fill_zero(exec, z.data(), 36);
  auto const zeros = to_host(z);
  for (int i = 0; i < 36; ++i) CHECK(zeros[i] == 0);
  CHECK(std::isnan(zeros[36]));
}

TEST_CASE_TEMPLATE("SiLU and its derivative, over its whole range", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  Exec const exec;
  auto host = values(301, 1, 12.0f);
  host.insert(host.end(), {0.0f, -0.0f, 90.0f, -90.0f, 1000.0f, -1000.0f, 1e-30f});
  auto const slope = values(host.size(), 2);
  std::vector<double> y(host.size()), dx(host.size());
  for (std::size_t i = 0; i < host.size(); ++i) {
    y[i] = silu(host[i]);
    dx[i] = slope[i] * silu_slope(host[i]);
  }
  auto const x = to_space<Exec>(host), dy = to_space<Exec>(slope), found = unset<Exec>(host.size());
  kernels::silu_forward(exec, x.data(), found.data(), host.size());
  auto const found_y = to_host(found);
  for (std::size_t i = 0; i < host.size(); ++i) CHECK(found_y[i] == doctest::Approx(y[i]).epsilon(1e-6));
  kernels::silu_backward(exec, x.data(), dy.data(), dy.data(), host.size());  // in place
  CHECK(relative_error(to_host(dy), dx) < 1e-6);
}

TEST_CASE_TEMPLATE("a bias per image, and its gradient", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  Exec const exec;
  for (int channels : widths) {
    CAPTURE(channels);
    auto const image = values(e.pixels() * channels, 1), row = values(e.n * channels, 2);
    std::vector<double> expected(image.size()), sums(row.size(), 0);
    for (std::size_t i = 0; i < image.size(); ++i) {
      std::size_t const at = i / (e.h * e.w * channels) * channels + i % channels;
      expected[i] = double(image[i]) + row[at];
      sums[at] += image[i];
    }
    auto const x = to_space<Exec>(image), bias = to_space<Exec>(row);
    CHECK(relative_error(sums_per_image<On>(channels), sums) < 1e-6);
    kernels::add_per_image<typename On::Backend>(exec, e, channels, bias.data(), x.data());
    CHECK(relative_error(to_host(x), expected) < 1e-6);
  }
}

TEST_CASE_TEMPLATE("column sums are added to what is there", On, GLYPHDIFF_TEST_BACKENDS) {
  for (int columns : widths)
    for (int rows : {1, 255, 256, 1111}) {
      CAPTURE(columns);
      CAPTURE(rows);
      auto const x = values(std::int64_t(rows) * columns, 1), y = values(columns, 2);
      std::vector<double> expected(y.begin(), y.end());
      for (std::size_t i = 0; i < x.size(); ++i) expected[i % columns] += x[i];
      CHECK(relative_error(column_sums<On>(rows, columns), expected) < 1e-5);
    }
}

TEST_CASE_TEMPLATE("dropout drops the right share, scales the rest, and is replayed by its key", On,
                   GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  Exec const exec;
  int const n = 4, elements = 1001;
  RandomKey const key{7, Stream::dropout, 3, 5};
  auto const dropped = [&](RandomKey k, int images, std::int64_t first_sample) {
    auto const x = to_space<Exec>(std::vector<float>(images * elements, 1.0f));
    std::vector<RandomBatch> const numbers{{k, std::uint64_t(first_sample)}};
    kernels::dropout(exec, x.data(), images, elements, 0.3f, k.part, to_space<Exec>(numbers).data());
    return to_host(x);
  };
  auto const all = dropped(key, n, 10);
  int zeros = 0;
  for (float x : all) {
    if (x == 0.0f)
      ++zeros;
    else
      CHECK(x == doctest::Approx(1 / 0.7).epsilon(1e-6));
  }
  CHECK(zeros / double(all.size()) == doctest::Approx(0.3).epsilon(0.1));  // 4 standard deviations: 0.03
  CHECK(same_bits(all, dropped(key, n, 10)));
  // A sample is dropped alike in any batch, and differently under another key.
  std::vector<float> const third(all.begin() + 2 * elements, all.begin() + 3 * elements);
  CHECK(same_bits(third, dropped(key, 1, 12)));
  CHECK(!same_bits(third, dropped(key, 1, 13)));
  auto other = key;
  other.step = 4;
  CHECK(!same_bits(third, dropped(other, 1, 12)));
  other = key;
  other.part = 6;
  CHECK(!same_bits(third, dropped(other, 1, 12)));
}

TEST_CASE("sums have the same bits on one thread and on several") {
  for (int columns : widths) {
    CAPTURE(columns);
    CHECK(same_bits(column_sums<SingleVectorised>(1111, columns),
                    column_sums<ParallelVectorised>(1111, columns)));
    CHECK(
        same_bits(column_sums<SinglePortable>(1111, columns), column_sums<ParallelPortable>(1111, columns)));
    CHECK(same_bits(sums_per_image<SingleVectorised>(columns), sums_per_image<ParallelVectorised>(columns)));
    CHECK(same_bits(sums_per_image<SinglePortable>(columns), sums_per_image<ParallelPortable>(columns)));
  }
}

TEST_CASE_TEMPLATE("ReLU and its gradient", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  Exec const exec;
  auto const x = values(37, 1), dy = values(37, 2);
  auto const y = to_space<Exec>(x), dx = to_space<Exec>(dy);
  kernels::relu_forward(exec, y.data(), y.data(), 37);
  kernels::relu_backward(exec, y.data(), dx.data(), dx.data(), 37);
  auto const result = to_host(y), gradient = to_host(dx);
  for (int i = 0; i < 37; ++i) {
    CHECK(result[i] == (x[i] > 0 ? x[i] : 0));
    CHECK(gradient[i] == (x[i] > 0 ? dy[i] : 0));
  }
}

TEST_CASE_TEMPLATE("means of each image into columns of a wider row, and back", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  using Backend = typename On::Backend;
  Exec const exec;
  int const pixels = e.h * e.w;
  for (int channels : widths) {
    CAPTURE(channels);
    int const stride = channels + 5;
    auto const x = values(e.pixels() * channels, 1), before = values(e.pixels() * channels, 2);
    auto const rows = unset<Exec>(e.n * stride);
    kernels::mean_per_image<Backend>(exec, e, channels, to_space<Exec>(x).data(), rows.data() + 3, stride);
    auto const means = to_host(rows);
    std::vector<double> expected;
    std::vector<float> found;
    for (int n = 0; n < e.n; ++n)
      for (int c = 0; c < stride; ++c) {
        float const mean = means[n * stride + c];
        if (c < 3 || c >= 3 + channels) {
          CHECK(std::isnan(mean));
          continue;
        }
        double sum = 0;
        for (int p = 0; p < pixels; ++p) sum += x[(n * pixels + p) * channels + c - 3];
        expected.push_back(sum / pixels);
        found.push_back(mean);
      }
    CHECK(relative_error(found, expected) < 1e-6);

    auto const added = to_space<Exec>(before), assigned = unset<Exec>(e.pixels() * channels);
    kernels::mean_per_image_backward<Backend, float>(exec, e, channels, rows.data() + 3, stride,
                                                     {added.data(), true});
    kernels::mean_per_image_backward<Backend, float>(exec, e, channels, rows.data() + 3, stride,
                                                     {assigned.data(), false});
    std::vector<double> sums, shares;
    for (std::size_t i = 0; i < x.size(); ++i) {
      shares.push_back(double(found[i / channels / pixels * channels + i % channels]) / pixels);
      sums.push_back(before[i] + shares.back());
    }
    CHECK(relative_error(to_host(added), sums) < 1e-6);
    CHECK(relative_error(to_host(assigned), shares) < 1e-6);
  }
}

}  // namespace kernels_pointwise_tests
