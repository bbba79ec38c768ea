#include <glyphdiff/nn/gradient_check.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace nn_gradient_check_tests {

using namespace glyphdiff;

namespace {

/// sum_i w_i sin(x_i) + x_0 x_1, and its gradient.
struct Function {
  std::vector<float> x, w;

  explicit Function(int count) : x(count), w(count) {
    for (int i = 0; i < count; ++i) {
      x[i] = 0.1f * float(i % 17) - 0.8f;
      w[i] = 0.5f + 0.25f * float(i % 5);
    }
  }
  double operator()() const {
    double sum = double(x[0]) * x[1];
    for (std::size_t i = 0; i < x.size(); ++i) sum += w[i] * std::sin(double(x[i]));
    return sum;
  }
  std::vector<float> gradient() const {
    std::vector<float> g;
    for (std::size_t i = 0; i < x.size(); ++i) g.push_back(w[i] * std::cos(x[i]));
    g[0] += x[1];
    g[1] += x[0];
    return g;
  }
};

}  // namespace

TEST_CASE("a right gradient passes, and the values are left as they were") {
  Function f(40);
  auto const before = f.x;
  auto const result = check_gradient(f, f.x, f.gradient());
  CHECK(result.worst < 1e-3);
  CHECK(f.x == before);
}

TEST_CASE("a single value is enough to check") {
  float x = 0.5f;
  auto const square = [&] { return double(x) * x; };
  std::vector<float> const right{1.0f}, wrong{1.1f};
  CHECK(check_gradient(square, {&x, 1}, right).worst < 1e-3);
  CHECK(check_gradient(square, {&x, 1}, wrong).worst > 0.05);
}

TEST_CASE("wrong gradients are flagged") {
  Function f(40);
  auto g = f.gradient();
  SUBCASE("zero") { g.assign(g.size(), 0.0f); }
  SUBCASE("the wrong sign") {
    for (float& x : g) x = -x;
  }
  SUBCASE("twice too large") {
    for (float& x : g) x *= 2;
  }
  SUBCASE("a tenth too large") {
    for (float& x : g) x *= 1.1f;
  }
  SUBCASE("one element missing") { g[3] = 0; }
  SUBCASE("two elements exchanged") { std::swap(g[2], g[9]); }
  SUBCASE("shifted by one element") { std::rotate(g.begin(), g.begin() + 1, g.end()); }
  SUBCASE("not a number") { g[5] = NAN; }
  auto const result = check_gradient(f, f.x, g);
  CHECK(!(result.worst < 0.02));
}

TEST_CASE("a loss that is not a number is flagged") {
  std::vector<float> x(3), const_gradient(3);
  auto const result = check_gradient([] { return double(NAN); }, x, const_gradient);
  CHECK(!(result.worst < 1e30));
}

}  // namespace nn_gradient_check_tests
