#include <glyphdiff/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

namespace random_tests {

using namespace glyphdiff;

TEST_CASE("bits4 is Philox4x32-10: the known answers of its authors") {
  auto const zeros = bits4({0, Stream(0), 0, 0}, 0);
  CHECK(zeros[0] == 0x6627e8d5u);
  CHECK(zeros[1] == 0xe169c58du);
  CHECK(zeros[2] == 0xbc57ac4cu);
  CHECK(zeros[3] == 0x9b00dbd8u);
  auto const ones = bits4({~0ull, Stream(0xff), 0xffffffffu, 0xffffffu}, ~0ull);
  CHECK(ones[0] == 0x408f276du);
  CHECK(ones[1] == 0x41c83b0eu);
  CHECK(ones[2] == 0xa20bc7c6u);
  CHECK(ones[3] == 0x6d5451fdu);
  auto const digits_of_pi =
      bits4({0x299f31d0a4093822ull, Stream(0x03), 0x13198a2eu, 0x707344u}, 0x85a308d3243f6a88ull);
  CHECK(digits_of_pi[0] == 0xd16cfe09u);
  CHECK(digits_of_pi[1] == 0x94fdcceb);
  CHECK(digits_of_pi[2] == 0x5001e420u);
  CHECK(digits_of_pi[3] == 0x24126ea1u);
}

TEST_CASE("every part of a key and of an index matters") {
  RandomKey const key{1, Stream::noise, 2, 3};
  std::vector<std::uint32_t> first;
  for (RandomKey k : {key, RandomKey{2, Stream::noise, 2, 3}, RandomKey{1ull << 32 | 1, Stream::noise, 2, 3},
                      RandomKey{1, Stream::dropout, 2, 3}, RandomKey{1, Stream::noise, 3, 3},
                      RandomKey{1, Stream::noise, 2, 4}})
    first.push_back(bits4(k, 0)[0]);
  first.push_back(bits4(key, random_index(0, 1))[0]);
  first.push_back(bits4(key, random_index(1, 0))[0]);
  std::ranges::sort(first);
  CHECK(std::ranges::adjacent_find(first) == first.end());
}

TEST_CASE("uniforms are in the open interval and evenly spread") {
  CHECK(uniform_from_bits(0) == 0x1p-24f);
  CHECK(uniform_from_bits(~0u) == 1 - 0x1p-24f);
  int const count = 100000;
  std::vector<int> histogram(10);
  for (int i = 0; i < count / 4; ++i) {
    auto const u = uniform4({5}, i);
    for (int j = 0; j < 4; ++j) ++histogram[int(u[j] * 10)];
  }
  double chi_squared = 0;
  for (int h : histogram) chi_squared += (h - count / 10.0) * (h - count / 10.0) / (count / 10.0);
  CHECK(chi_squared < 27.9);  // 9 degrees of freedom, p = 0.001
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    double const u = uniform_double({6}, i);
    REQUIRE((u > 0 && u < 1));
    sum += u;
  }
  CHECK(sum / 10000 == doctest::Approx(0.5).epsilon(0.02));
}

TEST_CASE("normals follow Box and Muller's formula to 1e-6") {
  double worst = 0;
  for (int i = 0; i < 200000; ++i) {
    auto const bits = bits4({7}, i);
    float first, second;
    normals_from_bits(bits[0], bits[1], first, second);
    // The radius in single precision takes u's 24 leading bits.
    double const u = double(float((bits[0] + 0.5) * 0x1p-32)), radius = std::sqrt(-2 * std::log(u));
    double const angle = 2 * std::numbers::pi * (bits[1] * 0x1p-32);
    worst = std::max(
        {worst, std::abs(first - radius * std::cos(angle)), std::abs(second - radius * std::sin(angle))});
  }
  CHECK(worst < 1.2e-6);
}

TEST_CASE("normals are finite at the ends and have the right moments") {
  float first, second;
  normals_from_bits(0, 0, first, second);  // the largest radius
  CHECK(first == doctest::Approx(std::sqrt(2 * 33 * std::numbers::ln2)));
  CHECK(second == 0);
  normals_from_bits(~0u, 0x12345678u, first, second);  // u rounds to 1: radius 0
  CHECK(first == 0);
  CHECK(second == 0);

  int const count = 400000;
  double moments[5] = {}, product = 0;
  for (int i = 0; i < count / 4; ++i) {
    auto const n = normal4({8, Stream::noise}, i);
    for (int j = 0; j < 4; ++j)
      for (int k = 1; k < 5; ++k) moments[k] += std::pow(double(n[j]), k) / count;
    product +=
        (double(n[0]) * n[1] + double(n[2]) * n[3] + double(n[0]) * n[2] + double(n[1]) * n[3]) / count;
  }
  double const unit = 4 / std::sqrt(count);  // four standard errors
  CHECK(std::abs(moments[1]) < unit);
  CHECK(std::abs(moments[2] - 1) < unit * std::sqrt(2));
  CHECK(std::abs(moments[3]) < unit * std::sqrt(15));
  CHECK(std::abs(moments[4] - 3) < unit * std::sqrt(96));
  CHECK(std::abs(product) < unit);
}

TEST_CASE("normals are these bits on every compiler, instruction set and device") {
  auto const n = normal4({1234567, Stream::noise, 89, 0}, random_index(3, 70000));
  CHECK(std::bit_cast<std::uint32_t>(n[0]) == 3209234363u);
  CHECK(std::bit_cast<std::uint32_t>(n[1]) == 1070215189u);
  CHECK(std::bit_cast<std::uint32_t>(n[2]) == 3199069049u);
  CHECK(std::bit_cast<std::uint32_t>(n[3]) == 3212919790u);
  std::uint32_t digest = 0;
  for (int i = 0; i < 20000; ++i) {
    auto const m = normal4({9}, i);
    for (int j = 0; j < 4; ++j) digest = digest * 31 + std::bit_cast<std::uint32_t>(m[j]);
  }
  CHECK(digest == 211257483u);
}

TEST_CASE("uniform_below covers its range evenly") {
  std::vector<int> histogram(7);
  for (int i = 0; i < 70000; ++i) ++histogram.at(uniform_below(7, {10}, i));
  for (int h : histogram) CHECK(std::abs(h - 10000) < 400);
  CHECK(uniform_below(1, {10}, 5) == 0);
  CHECK(uniform_below(1ull << 32, {10}, 5) == bits4({10}, 5)[0]);
}

}  // namespace random_tests
