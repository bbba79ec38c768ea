#include "../arenas.hpp"

#include <glyphdiff/kernels/random.hpp>

#include <doctest/doctest.h>

namespace kernels_random_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

namespace {

template <class Exec, class Backend>
std::vector<float> normals(int samples, int per_sample, std::uint64_t first_sample, Backend backend) {
  Exec const exec;
  Arena<Exec> const out("out", samples * per_sample);
  kernels::fill_normal(exec, out.data(), samples, per_sample, {1, Stream::noise, 2}, first_sample, backend);
  exec.fence();
  return to_host(out);
}

}  // namespace

TEST_CASE_TEMPLATE("element e of sample n is number e % 4 of draw (n, e / 4), on every backend", Exec,
                   GLYPHDIFF_TEST_SPACES) {
  for (int const per_sample : {1, 3, 4, 7, 1024, 1025, 3071}) {
    CAPTURE(per_sample);
    std::vector<float> expected;
    for (int n = 0; n < 3; ++n)
      for (int e = 0; e < per_sample; ++e)
        expected.push_back(normal4({1, Stream::noise, 2}, random_index(10 + n, e / 4))[e % 4]);
    CHECK(normals<Exec>(3, per_sample, 10, kernels::Portable{}) == expected);
    CHECK(normals<Exec>(3, per_sample, 10, kernels::DefaultBackend<Exec>{}) == expected);
  }
}

TEST_CASE_TEMPLATE("a sample's noise doesn't depend on its batch", Exec, GLYPHDIFF_TEST_SPACES) {
  kernels::DefaultBackend<Exec> const backend;
  auto const whole = normals<Exec>(5, 301, 20, backend);
  auto split = normals<Exec>(2, 301, 20, backend);
  for (float const x : normals<Exec>(3, 301, 22, backend)) split.push_back(x);
  CHECK(whole == split);
}

TEST_CASE_TEMPLATE("what is drawn may be said in the space's memory", Exec, GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  std::vector<RandomBatch> const numbers{{{1, Stream::noise, 2}, 20}};
  auto const of = to_space<Exec>(numbers);
  auto const check = [&](auto backend) {
    Arena<Exec> const out("out", 3 * 301);
    kernels::FillNormal{3, 301}.run(backend, exec, out.data(), of.data());
    exec.fence();
    CHECK(to_host(out) == normals<Exec>(3, 301, 20, backend));
  };
  check(kernels::Portable{});
  check(kernels::DefaultBackend<Exec>{});
}

TEST_CASE_TEMPLATE("uniforms are in (0, 1)", Exec, GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  Arena<Exec> const out("out", 4096);
  kernels::fill_uniform(exec, out.data(), 1, 4096, {3});
  exec.fence();
  double sum = 0;
  for (float const u : to_host(out)) {
    REQUIRE((u > 0 && u < 1));
    sum += u;
  }
  CHECK(sum / 4096 == doctest::Approx(0.5).epsilon(0.02));
}

}  // namespace kernels_random_tests
