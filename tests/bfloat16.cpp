#include <glyphdiff/bfloat16.hpp>

#include <bit>

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

namespace bfloat16_tests {

using namespace glyphdiff;

TEST_CASE("bfloat16 is the upper half of a float") {
  CHECK(bfloat16_to_float(0x3f80) == 1.0f);
  CHECK(bfloat16_to_float(0xc020) == -2.5f);
  CHECK(std::isnan(bfloat16_to_float(0x7fc0)));
}

TEST_CASE("every bfloat16 survives both roundings, and NaN stays NaN") {
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    float const value = bfloat16_to_float(std::uint16_t(half));
    for (std::uint32_t bits : {0u, 1u, 0x8000u, 0xffffu}) {
      float const rounded = bfloat16_to_float(round_stochastically(value, bits));
      REQUIRE((std::isnan(value) ? std::isnan(rounded) : rounded == value));
    }
    if (!std::isnan(value)) REQUIRE(float_to_bfloat16(value) == half);
  }
  CHECK(std::isnan(bfloat16_to_float(round_stochastically(std::bit_cast<float>(0x7fffffffu), 0xffff))));
  CHECK(std::isnan(bfloat16_to_float(float_to_bfloat16(std::bit_cast<float>(0xff800001u)))));
}

TEST_CASE("rounding to the nearest, ties to even") {
  float const one = 1.0f, next = bfloat16_to_float(0x3f81), third = bfloat16_to_float(0x3f82);
  CHECK(float_to_bfloat16((one + next) / 2) == 0x3f80);
  CHECK(float_to_bfloat16((next + third) / 2) == 0x3f82);
  CHECK(float_to_bfloat16(std::nextafter((one + next) / 2, 2.0f)) == 0x3f81);
  CHECK(float_to_bfloat16(-std::nextafter((next + third) / 2, 0.0f)) == 0xbf81);
  CHECK(float_to_bfloat16(3.4e38f) == 0x7f80);
}

TEST_CASE("the mean of stochastic rounding over all bits is the value itself") {
  for (float const value : {1.001f, -0.3f, 3e-39f, 12345.678f, -1e-20f, 0.999f * 0.999f}) {
    CAPTURE(value);
    double sum = 0;
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits)
      sum += bfloat16_to_float(round_stochastically(value, bits));
    CHECK(sum / 0x10000 == doctest::Approx(value).epsilon(1e-12));
  }
}

}  // namespace bfloat16_tests
