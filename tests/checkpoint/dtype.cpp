#include <glyphdiff/checkpoint/dtype.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace checkpoint_dtype_tests {

using namespace glyphdiff::detail;

TEST_CASE("half precision becomes the same number in single precision") {
  CHECK(half_to_float(0x0000) == 0.0f);
  CHECK(std::signbit(half_to_float(0x8000)));
  CHECK(half_to_float(0x3c00) == 1.0f);
  CHECK(half_to_float(0xc100) == -2.5f);
  CHECK(half_to_float(0x7bff) == 65504.0f);
  CHECK(half_to_float(0x0001) == 0x1p-24f);  // subnormal
  CHECK(half_to_float(0x03ff) == 1023 * 0x1p-24f);
  CHECK(half_to_float(0xfc00) == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(half_to_float(0x7e00)));
  for (int bits = 0; bits < 0x7c00; ++bits) {  // the value by its definition
    int const exponent = bits >> 10, fraction = bits & 1023;
    float const expected =
        exponent == 0 ? std::ldexp(float(fraction), -24) : std::ldexp(float(1024 + fraction), exponent - 25);
    REQUIRE(half_to_float(std::uint16_t(bits)) == expected);
  }
}

TEST_CASE("numbers of every floating type are converted") {
  float floats[3];
  double const doubles[] = {0.1, -3e10, 1e300};
  to_floats("F64", doubles, 3, floats);
  CHECK(floats[0] == 0.1f);
  CHECK(floats[2] == std::numeric_limits<float>::infinity());
  std::uint16_t const halves[8] = {0x3c00, 0xc100};
  to_floats("F16", halves, 2, floats);
  CHECK(floats[1] == -2.5f);
  to_floats("BF16", halves, 1, floats);
  CHECK(floats[0] == glyphdiff::bfloat16_to_float(0x3c00));
  CHECK(is_floating("BF16"));
  CHECK_FALSE(is_floating("I64"));
  CHECK(dtype_bytes("BF16") == 2);
  CHECK(dtype_bytes("F31") == 0);
}

TEST_CASE("every half precision number survives the way to float and back") {
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    float const value = half_to_float(std::uint16_t(half));
    bool const is_nan = (half & 0x7c00) == 0x7c00 && (half & 0x3ff) != 0;
    REQUIRE(std::isnan(value) == is_nan);
    if (is_nan)
      REQUIRE(std::isnan(half_to_float(float_to_half(value))));
    else
      REQUIRE(float_to_half(value) == half);
  }
}

TEST_CASE("floats become the nearest half precision number, ties to even") {
  for (std::uint32_t half = 0; half < 0x7bff; ++half) {  // neighbours, both finite
    float const low = half_to_float(std::uint16_t(half)), high = half_to_float(std::uint16_t(half + 1)),
                middle = 0.5f * (low + high);
    REQUIRE(float_to_half(middle) == (half % 2 == 0 ? half : half + 1));
    REQUIRE(float_to_half(std::nextafter(middle, 0.0f)) == half);
    REQUIRE(float_to_half(-std::nextafter(middle, 1e9f)) == (0x8000 | (half + 1)));
  }
  CHECK(float_to_half(65519.0f) == 0x7bff);
  CHECK(float_to_half(65520.0f) == 0x7c00);
  CHECK(float_to_half(INFINITY) == 0x7c00);
  CHECK(float_to_half(1e-12f) == 0);
}

}  // namespace checkpoint_dtype_tests
