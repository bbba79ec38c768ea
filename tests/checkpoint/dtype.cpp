#include <glyphdiff/checkpoint/dtype.hpp>

#include <doctest/doctest.h>

#include <cmath>

using namespace glyphdiff;

TEST_CASE("every half precision number survives the way to float and back") {
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    float const value = detail::half_to_float(std::uint16_t(half));
    bool const is_nan = (half & 0x7c00) == 0x7c00 && (half & 0x3ff) != 0;
    REQUIRE(std::isnan(value) == is_nan);
    if (is_nan)
      REQUIRE(std::isnan(detail::half_to_float(detail::float_to_half(value))));
    else
      REQUIRE(detail::float_to_half(value) == half);
  }
}

TEST_CASE("floats become the nearest half precision number, ties to even") {
  for (std::uint32_t half = 0; half < 0x7bff; ++half) {  // neighbours, both finite
    float const low = detail::half_to_float(std::uint16_t(half)),
                high = detail::half_to_float(std::uint16_t(half + 1)), middle = 0.5f * (low + high);
    REQUIRE(detail::float_to_half(middle) == (half % 2 == 0 ? half : half + 1));
    REQUIRE(detail::float_to_half(std::nextafter(middle, 0.0f)) == half);
    REQUIRE(detail::float_to_half(-std::nextafter(middle, 1e9f)) == (0x8000 | (half + 1)));
  }
  CHECK(detail::float_to_half(65519.0f) == 0x7bff);
  CHECK(detail::float_to_half(65520.0f) == 0x7c00);
  CHECK(detail::float_to_half(INFINITY) == 0x7c00);
  CHECK(detail::float_to_half(1e-12f) == 0);
}
