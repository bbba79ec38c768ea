#pragma once

#include "io/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <locale>
#include <sstream>
#include <string>

/// While it lives the program is one whose user writes 1.234,5: both the C library, which printf and strtod
/// ask, and C++'s streams. The C locale is one that this makes for itself, since a machine need not have any
/// but "C".
class DecimalComma {
 public:
  DecimalComma() : before_(std::setlocale(LC_ALL, nullptr)) {
    make_c_locale();
    bool const known = std::setlocale(LC_NUMERIC, "comma") != nullptr ||
                       std::setlocale(LC_NUMERIC, "de_DE.UTF-8") != nullptr;
    REQUIRE_MESSAGE(known, "this C library knows no locale with a decimal comma: install de_DE.UTF-8");
    cpp_ = std::locale::global(std::locale(std::locale::classic(), new Punctuation));
    char text[16];
    std::snprintf(text, sizeof text, "%.1f", 0.5);
    REQUIRE(std::string(text) == "0,5");
    std::ostringstream stream;
    stream << 1234.5;
    REQUIRE(stream.str() == "1.234,5");
  }
  ~DecimalComma() {
    std::locale::global(cpp_);
    std::setlocale(LC_ALL, before_.c_str());
    ::unsetenv("LOCPATH");
  }
  DecimalComma(DecimalComma const&) = delete;

 private:
  struct Punctuation : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };

  /// glibc's file for LC_NUMERIC: a number that says what it is, then how many entries there are, where each
  /// begins, and they: point, separator, grouping, both marks again as wide characters, and the encoding.
  void make_c_locale() const {
    std::string const text(",\0.\0\3\3\0\0,\0\0\0.\0\0\0UTF-8", 22);
    std::uint32_t const head[]{0x20031115 ^ LC_NUMERIC, 6, 32, 34, 36, 40, 44, 48};
    std::filesystem::create_directory(folder_ / "comma");
    folder_.write("comma/LC_NUMERIC", std::string(reinterpret_cast<char const*>(head), sizeof head) + text);
    ::setenv("LOCPATH", folder_.path().c_str(), 1);
  }

  TemporaryFolder folder_;
  std::string before_;
  std::locale cpp_;
};
