#include <glyphdiff/checkpoint/checksum.hpp>

#include <doctest/doctest.h>

#include <string>

namespace checkpoint_checksum_tests {

using namespace glyphdiff;

namespace {

/// 100 bytes whose checksums Python's xxhash has said.
std::string bytes(std::size_t count) {
  std::string text;
  for (std::uint64_t i = 0; i < count; ++i) text += char(i * 2654435761u >> 13 & 255);
  return text;
}

}  // namespace

TEST_CASE("XXH64 gives the numbers of the reference for every kind of rest") {
  std::pair<std::size_t, char const*> const known[] = {
      {0, "ef46db3751d8e999"},  {1, "e934a84adb052768"},  {3, "28823e205e353f69"},  {4, "91b65bbe720c34cf"},
      {7, "e2400cdea02ee3c5"},  {8, "521fd2878ea69d17"},  {31, "b74baa9042b94dee"}, {32, "4e13111ced6f735d"},
      {33, "f7b9faf20b3bce63"}, {100, "d61ea92c5ae13676"}};
  for (auto const& [count, digits] : known) {
    CAPTURE(count);
    CHECK(checksum_text(xxh64(bytes(count))) == digits);
    CHECK(parse_checksum(digits) == xxh64(bytes(count)));
  }
}

TEST_CASE("bytes that arrive in pieces have the checksum of the whole") {
  std::string const text = bytes(100);
  for (std::size_t first = 0; first <= text.size(); ++first)
    for (std::size_t second = first; second <= text.size(); second += 3) {
      Xxh64 hash;
      hash.add(text.data(), first);
      hash.add(text.data() + first, second - first);
      hash.add(text.data() + second, text.size() - second);
      REQUIRE(hash.value() == xxh64(text));
    }
}

TEST_CASE("what is no checksum is none") {
  for (char const* text : {"", "0123", "0123456789abcdeg", "0123456789ABCDEF", "0123456789abcdef0"})
    CHECK_FALSE(parse_checksum(text).has_value());
}

}  // namespace checkpoint_checksum_tests
