#include "temporary_folder.hpp"

#include <glyphdiff/io/file.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

namespace io_file_tests {

using namespace glyphdiff;

TEST_CASE("a file comes back as it was written, over an older one too") {
  TemporaryFolder folder;
  std::string const first("one\0two\n", 8), second = "longer than the first";
  write_file(folder / "a", first.data(), first.size());
  auto bytes = read_file(folder / "a");
  CHECK(std::string(bytes.begin(), bytes.end()) == first);
  write_file(folder / "a", second.data(), second.size());
  bytes = read_file(folder / "a");
  CHECK(std::string(bytes.begin(), bytes.end()) == second);
  write_file(folder / "a", nullptr, 0);
  CHECK(read_file(folder / "a").empty());
}

TEST_CASE("what cannot be read or written is named") {
  TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(read_file(folder / "missing"),
                       doctest::Contains("missing: expected a file, found nothing"), Error);
  CHECK_THROWS_WITH_AS(read_file(folder.path()), doctest::Contains("found a folder"), Error);
  CHECK_THROWS_WITH_AS(write_file(folder / "no/such/folder", "x", 1), doctest::Contains("no/such/folder"),
                       Error);
  std::filesystem::create_directory(folder / "a folder");
  CHECK_THROWS_AS(write_file(folder / "a folder", "x", 1), Error);
  CHECK(std::filesystem::is_directory(folder / "a folder"));
}

TEST_CASE("a folder is listed, or said to be none") {
  TemporaryFolder folder;
  folder.write("a", "");
  std::filesystem::create_directory(folder / "b");
  CHECK(list_folder(folder.path()).size() == 2);
  CHECK_THROWS_WITH_AS(list_folder(folder / "missing"), doctest::Contains("missing: expected a folder"),
                       Error);
  CHECK_THROWS_AS(list_folder(folder / "a"), Error);
}

}  // namespace io_file_tests
