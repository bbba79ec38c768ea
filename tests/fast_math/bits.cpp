// A program of its own, compiled with -ffast-math, under which std::isfinite and comparisons with NaN may say
// anything.
#include <glyphdiff/bits.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/optim/learning_rate.hpp>
#include <glyphdiff/optim/power_profile.hpp>
#include <glyphdiff/outline/quadratic.hpp>

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <limits>

using namespace glyphdiff;

#if !defined(__FAST_MATH__)
#error "this file tests what -ffast-math must not break"
#endif

namespace {

/// The number of these bits, which the compiler can't see through.
template <class Bits>
auto number(Bits bits) {
  Bits volatile hidden = bits;
  return bit_cast<std::conditional_t<sizeof(Bits) == 4, float, double>>(Bits(hidden));
}

std::uint32_t const infinite = 0x7f800000u, nan_bits = 0x7fc00000u, minus_nan_bits = 0xff800001u,
                    largest = 0x7f7fffffu;
std::uint64_t const infinite_double = 0x7ff0000000000000u, nan_double_bits = 0x7ff8000000000000u,
                    minus_nan_double_bits = 0xfff0000000000001u, largest_double = 0x7fefffffffffffffu;

}  // namespace

TEST_CASE("finite, infinite and NaN are told apart, whatever the compiler assumes") {
  for (std::uint32_t bits : {0u, 1u, 0x80000000u, 0x3f800000u, largest, largest | 0x80000000u}) {
    CHECK(is_finite(number(bits)));
    CHECK(!is_nan(number(bits)));
  }
  for (std::uint64_t bits : {std::uint64_t(0), std::uint64_t(1), largest_double}) {
    CHECK(is_finite(number(bits)));
    CHECK(!is_nan(number(bits)));
  }
  CHECK(!is_finite(number(infinite)));
  CHECK(!is_finite(number(infinite | 0x80000000u)));
  CHECK(!is_nan(number(infinite)));
  CHECK(!is_finite(number(infinite_double)));
  CHECK(!is_nan(number(infinite_double)));
  for (std::uint32_t bits : {nan_bits, minus_nan_bits}) {
    CHECK(!is_finite(number(bits)));
    CHECK(is_nan(number(bits)));
  }
  for (std::uint64_t bits : {nan_double_bits, minus_nan_double_bits}) {
    CHECK(!is_finite(number(bits)));
    CHECK(is_nan(number(bits)));
  }
}

TEST_CASE("NaN is refused where numbers are asked for") {
  double const not_a_number = number(nan_double_bits);
  CHECK_THROWS_AS(LearningRate{.peak = not_a_number}(0), Error);
  CHECK_THROWS_AS(power_exponent(not_a_number), Error);
  CHECK_THROWS_AS(to_quadratics(Contour{}, not_a_number), Error);
}
