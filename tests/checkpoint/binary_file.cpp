#include "files.hpp"

#include <glyphdiff/checkpoint/binary_file.hpp>

#include <doctest/doctest.h>

namespace checkpoint_binary_file_tests {

using namespace glyphdiff;

TEST_CASE("a file is read at any place, and not beyond its end") {
  TemporaryFolder const folder;
  std::string const path = (folder / "file").string();
  files::write(path, "0123456789");
  InputFile const file(path, "digits");
  CHECK(file.size() == 10);
  char piece[4]{};
  file.read(7, 3, piece);
  CHECK(std::string(piece) == "789");
  CHECK(files::message_of<Error>([&] { file.read(8, 3, piece); }) ==
        path + ": expected 1 more bytes, found the end of the file");
  CHECK(files::message_of<Error>([&] { InputFile(folder.path().string(), "digits"); }) ==
        folder.path().string() + ": expected digits, found no regular file");
}

TEST_CASE("text of a file is made fit for a message") {
  CHECK(detail::printable("a\x1b[31m\n") == "a?[31m?");
  CHECK(detail::printable(std::string(100, 'a')) == std::string(80, 'a') + "...");
}

TEST_CASE("a file is replaced as a whole or not at all") {
  TemporaryFolder const folder;
  std::string const path = (folder / "file").string();
  files::write(path, "old");
  CHECK_THROWS_AS(replace_file(path,
                               [&](int fd) {
                                 detail::write_all(fd, "new", 3, path);
                                 throw Error("no more");
                               }),
                  Error);
  CHECK(files::read(path) == "old");
  CHECK(files::count(folder) == 1);
  replace_file(path, [&](int fd) { detail::write_all(fd, "new", 3, path); });
  CHECK(files::read(path) == "new");
}

}  // namespace checkpoint_binary_file_tests
