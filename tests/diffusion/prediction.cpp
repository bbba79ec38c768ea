#include <glyphdiff/diffusion/prediction.hpp>

#include <doctest/doctest.h>

#include <initializer_list>

namespace diffusion_prediction_tests {

using namespace glyphdiff;

TEST_CASE_TEMPLATE("a perfect output gives x0 and eps back", Prediction, Epsilon, X0, V) {
  double const x0 = 0.3, eps = -1.7;
  for (NoiseLevel const level : {NoiseLevel{0.8, 0.6}, NoiseLevel{0.28, 0.96}}) {
    double const x_t = level.alpha * x0 + level.sigma * eps;
    Mix const target = Prediction::target(level), to_x0 = Prediction::x0(level),
              to_eps = Prediction::eps(level);
    double const output = target.first * x0 + target.second * eps;
    CHECK(to_x0.first * x_t + to_x0.second * output == doctest::Approx(x0));
    CHECK(to_eps.first * x_t + to_eps.second * output == doctest::Approx(eps));
  }
}

}  // namespace diffusion_prediction_tests
