#include "../arrays.hpp"
#include "../spaces.hpp"

#include <glyphdiff/kernels/embedding.hpp>

#include <doctest/doctest.h>

namespace kernels_embedding_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

TEST_CASE_TEMPLATE("timesteps become cosines, then sines", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  std::vector<float> const timesteps{0, 1, 17.5f, 999};
  for (int width : {2, 3, 5, 16, 33, 48}) {
    CAPTURE(width);
    int const half = width / 2;
    std::vector<double> expected;
    for (float t : timesteps) {
      for (int i = 0; i < half; ++i) expected.push_back(std::cos(t * std::pow(10000.0, -double(i) / half)));
      for (int i = 0; i < half; ++i) expected.push_back(std::sin(t * std::pow(10000.0, -double(i) / half)));
      if (width % 2 == 1) expected.push_back(0);
    }
    auto const device = to_space<Exec>(timesteps), y = unset<Exec>(expected.size());
    kernels::timestep_embedding(Exec(), int(timesteps.size()), width, device.data(), y.data());
    CHECK(relative_error(to_host(y), expected) < 5e-5);  // 999 in single precision is known to 3e-5
  }
}

TEST_CASE_TEMPLATE("labels choose rows, and their gradients meet in them", On, GLYPHDIFF_TEST_BACKENDS) {
  using Exec = typename On::Exec;
  Exec const exec;
  int const width = 33, classes = 4;
  std::vector<int> const labels{2, 0, 2, 3, 2};  // 1 is missing
  auto const table = values(classes * width, 1), dy = values(labels.size() * width, 2);
  std::vector<float> y = values(labels.size() * width, 3), dtable = values(classes * width, 4);
  std::vector<double> expected_y(y.begin(), y.end()), expected_dtable(dtable.begin(), dtable.end());
  for (std::size_t n = 0; n < labels.size(); ++n)
    for (int c = 0; c < width; ++c) {
      expected_y[n * width + c] += table[labels[n] * width + c];
      expected_dtable[labels[n] * width + c] += dy[n * width + c];
    }
  auto const d_labels = to_space<Exec>(labels);
  auto const d_table = to_space<Exec>(table), d_dy = to_space<Exec>(dy), d_y = to_space<Exec>(y),
             d_dtable = to_space<Exec>(dtable);
  kernels::label_embedding_forward(exec, int(labels.size()), width, d_labels.data(), d_table.data(),
                                   d_y.data());
  CHECK(relative_error(to_host(d_y), expected_y) < 1e-6);
  kernels::label_embedding_backward(exec, int(labels.size()), width, d_labels.data(), d_dy.data(),
                                    d_dtable.data());
  CHECK(relative_error(to_host(d_dtable), expected_dtable) < 1e-6);
}

}  // namespace kernels_embedding_tests
