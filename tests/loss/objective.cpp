#include <glyphdiff/loss/objective.hpp>

#include <doctest/doctest.h>

namespace loss_objective_tests {

using namespace glyphdiff;

TEST_CASE("rescaled objectives weigh the bound as at a thousand steps") {
  CHECK(Mse::bound_scale(4000) == 1);
  CHECK(RescaledMse::bound_scale(4000) == 4);
  CHECK(RescaledMse::bound_scale(1000) == 1);
  CHECK(Kl::bound_scale(4000) == 1);
  CHECK(RescaledKl::bound_scale(4000) == 4000);
}

}  // namespace loss_objective_tests
