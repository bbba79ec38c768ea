#include "decimal_comma.hpp"

#include <glyphdiff/ascii.hpp>
#include <glyphdiff/number_text.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace number_text_tests {

using namespace glyphdiff;

namespace {

std::string printed(char const* format, int precision, double value) {
  char text[400];
  std::snprintf(text, sizeof text, format, precision, value);
  return text;
}

/// Numbers of every size, and what lies at the ends.
std::vector<double> numbers() {
  using Limits = std::numeric_limits<double>;
  std::vector<double> all{0.0,
                          -0.0,
                          0.5,
                          2.5,
                          1e5,
                          999999.5,
                          1e6,
                          1e-5,
                          0.0001,
                          123456,
                          1234567,
                          (Limits::min)(),
                          (Limits::max)(),
                          Limits::denorm_min(),
                          -1.5e9,
                          0.1,
                          1.0 / 3,
                          Limits::epsilon()};
  std::mt19937_64 draw(7);
  while (all.size() < 20000) {
    std::uint64_t const bits = draw();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value)) all.push_back(value);
    all.push_back(std::ldexp(double(std::int64_t(bits)), -63 + int(bits % 40) - 20));
  }
  return all;
}

}  // namespace

TEST_CASE("numbers are written as printf writes them in the C locale") {
  for (double const value : numbers()) {
    CAPTURE(value);
    for (int const digits : {3, 6, 17}) CHECK(number_text(value, digits) == printed("%.*g", digits, value));
    for (int const decimals : {0, 1, 3})
      CHECK(fixed_text(value, decimals) == printed("%.*f", decimals, value));
  }
  CHECK(number_text(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(fixed_text(-std::numeric_limits<double>::infinity(), 2) == "-inf");
  CHECK(number_text(std::numeric_limits<double>::quiet_NaN()) == "nan");
}

TEST_CASE("numbers come back as they were") {
  for (double const value : numbers()) {
    CAPTURE(value);
    for (std::string const& text : {shortest_text(value), number_text(value, 17)}) {
      std::optional<double> const read = parse_number(text);
      REQUIRE(read);
      CHECK(std::memcmp(&*read, &value, sizeof value) == 0);
    }
  }
}

TEST_CASE("what is no decimal number is not read as one") {
  for (char const* text : {"", " 1", "1 ", "+1", "1,5", "0x10", "inf", "nan", "1e400", "-1e400", "1.5.2",
                           "e5", "-", ".", "1e", "--1", "1f", "1_000"})
    CHECK_MESSAGE(!parse_number(text), text);
  CHECK(!parse_number(std::string_view("1\0", 2)));
  CHECK(parse_number("1e-400") == 0.0);
  CHECK(parse_number(".5") == 0.5);
  CHECK(parse_number("5.") == 5.0);
  CHECK(parse_number("-1E3") == -1000.0);
}

TEST_CASE("a decimal comma of the host changes nothing of that") {
  DecimalComma const comma;
  CHECK(number_text(0.5) == "0.5");
  CHECK(number_text(1234567.5, 9) == "1234567.5");
  CHECK(fixed_text(1234.5, 2) == "1234.50");
  CHECK(shortest_text(0.1) == "0.1");
  CHECK(parse_number("0.5") == 0.5);
  CHECK(!parse_number("0,5"));
}

TEST_CASE("letters and digits are those of ASCII") {
  for (int byte = 0; byte < 256; ++byte) {
    char const c = char(byte);
    CHECK(is_ascii_digit(c) == (std::string_view("0123456789").find(c) != std::string_view::npos));
    CHECK(is_ascii_letter(c) == ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')));
    CHECK((ascii_lower(c) == c || (byte >= 'A' && byte <= 'Z')));
  }
  CHECK(ascii_lower(std::string(".TIF\xc4\x30")) == ".tif\xc4\x30");
}

}  // namespace number_text_tests
