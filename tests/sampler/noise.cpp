#include "../arenas.hpp"
#include "../golden/golden.hpp"

#include <glyphdiff/sampler/noise.hpp>

#include <doctest/doctest.h>

namespace sampler_noise_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

TEST_CASE_TEMPLATE("a picture's noise depends on its number alone", Exec, GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  Images<Exec> const four("four", 4, 5, 5, 3), one("one", 1, 5, 5, 3), later("later", 1, 5, 5, 3);
  SeededNoise{1, 10}.start(exec, four);
  SeededNoise{1, 12}.start(exec, one);
  exec.fence();
  CHECK(golden::from_images(one).values == golden::from_images(four)[2].values);
  SeededNoise{1, 10}.step(exec, 3, four);
  SeededNoise{1, 12}.step(exec, 3, one);
  SeededNoise{1, 12}.step(exec, 4, later);
  exec.fence();
  CHECK(golden::from_images(one).values == golden::from_images(four)[2].values);
  CHECK(golden::from_images(one).values != golden::from_images(later).values);
}

}  // namespace sampler_noise_tests
