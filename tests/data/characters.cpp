#include <glyphdiff/data/characters.hpp>

#include <doctest/doctest.h>

namespace data_characters_tests {

using namespace glyphdiff;

TEST_CASE("characters of one to four bytes, there and back") {
  std::u32string const expected = U"Aé的𝔸";
  auto const characters = characters_of("Aé的𝔸");
  CHECK(std::u32string(characters.begin(), characters.end()) == expected);
  std::string back;
  for (char32_t const character : characters) back += to_utf8(character);
  CHECK(back == "Aé的𝔸");
  CHECK(characters_of("").empty());
  CHECK(code_name(U'A') == "u0041");
  CHECK(code_name(U'𝔸') == "u1d538");
}

TEST_CASE("text that is no UTF-8 is refused") {
  for (char const* bad : {"\x80", "A\xc3", "\xe7\x9a", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xff"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(characters_of(bad), Error);
  }
}

}  // namespace data_characters_tests
