#include "files.hpp"

#include <glyphdiff/checkpoint/zip_archive.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <stdexcept>

namespace checkpoint_zip_archive_tests {

using namespace glyphdiff;

namespace {

ZipSource source(std::string name, std::string const& contents) {
  return {std::move(name), contents.size(), [&contents](std::uint64_t offset, std::uint64_t bytes, void* to) {
            std::memcpy(to, contents.data() + offset, bytes);
          }};
}

void write(std::string const& path, std::vector<ZipSource> const& sources) {
  replace_file(path, [&](int fd) { write_zip(fd, path, sources); });
}

std::string contents(ZipReader& zip, std::size_t index) {
  std::string text(zip.members()[index].bytes, '\0');
  zip.read(index, 0, text.size(), text.data());
  return text;
}

std::string const one = "first", none, large = [] {
  std::string text((3 << 20) + 5, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = char(i * 7 + (i >> 10));
  return text;
}();

/// An archive of libzip's own, with one member of zeros.
void write_other(std::string const& path, int compression, char const* password = nullptr) {
  static char const zeros[100'000]{};
  int error = 0;
  zip_t* const zip = ::zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  REQUIRE(zip != nullptr);
  ::zip_file_add(zip, "zeros", ::zip_source_buffer(zip, zeros, sizeof zeros, 0), 0);
  ::zip_set_file_compression(zip, 0, compression, 0);
  if (password != nullptr) ::zip_file_set_encryption(zip, 0, ZIP_EM_AES_128, password);
  REQUIRE(::zip_close(zip) == 0);
}

}  // namespace

TEST_CASE("members come back byte for byte, in any order of reading") {
  TemporaryFolder const folder;
  std::string const path = (folder / "archive").string();
  write(path, {source("a/one", one), source("none", none), source("a/large", large)});
  CHECK(files::count(folder) == 1);
  ZipReader zip(path);
  REQUIRE(zip.members().size() == 3);
  CHECK(zip.members()[2].name == "a/large");
  CHECK(contents(zip, 0) == one);
  CHECK(contents(zip, 1) == none);
  CHECK(contents(zip, 2) == large);
  for (std::size_t const offset : {std::size_t(2 << 20), std::size_t(17), large.size() - 1, std::size_t(0)}) {
    char byte;
    zip.read(2, offset, 1, &byte);
    CHECK(byte == large[offset]);
    zip.read(0, 1, 1, &byte);
    CHECK(byte == 'i');
  }
  CHECK_THROWS_AS(zip.read(0, 3, 3, nullptr), Error);
  CHECK_THROWS_AS(zip.read(0, UINT64_MAX, 1, nullptr), Error);
}

TEST_CASE("the data of every member is aligned to 64 bytes, and nothing is compressed") {
  TemporaryFolder const folder;
  std::string const path = (folder / "archive").string();
  for (std::string const name : {"a", "aa", "a rather longer name, so that the padding differs"}) {
    write(path, {source(name, one), source("b" + name, large), source("c" + name, one)});
    std::string const bytes = files::read(path);
    CHECK(bytes.find(one) % 64 == 0);
    CHECK(bytes.find(large) % 64 == 0);
    CHECK(bytes.rfind(one) % 64 == 0);
    CHECK(bytes.rfind(one) > bytes.find(large));
  }
}

TEST_CASE("a file cut short at any length is refused") {
  TemporaryFolder const folder;
  std::string const path = (folder / "archive").string();
  write(path, {source("one", one), source("two", one)});
  std::string const bytes = files::read(path);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    files::write(path, bytes.substr(0, length));
    REQUIRE(files::message_of<Error>([&] {
              ZipReader zip(path);
            }).starts_with(path + ": expected a zip archive"));
  }
}

TEST_CASE("a changed byte of the data is noticed") {
  TemporaryFolder const folder;
  std::string const path = (folder / "archive").string();
  write(path, {source("one", one)});
  std::string bytes = files::read(path);
  bytes[bytes.find(one) + 2] ^= 1;
  files::write(path, bytes);
  CHECK(files::message_of<Error>([&] {
          ZipReader zip(path);
          contents(zip, 0);
        }) == path + ": expected one undamaged, found otherwise (CRC error)");
}

TEST_CASE("compressed, encrypted and repeated members are refused") {
  TemporaryFolder const folder;
  std::string const path = (folder / "archive").string();
  auto const error = [&] { return files::message_of<Error>([&] { ZipReader zip(path); }); };
  write_other(path, ZIP_CM_STORE);
  CHECK(error() == "no error");
  write_other(path, ZIP_CM_DEFLATE);
  CHECK(error() == path + ": expected the member zeros as it is, found it compressed or encrypted");
  write_other(path, ZIP_CM_STORE, "password");
  CHECK(error() == path + ": expected the member zeros as it is, found it compressed or encrypted");

  write(path, {source("one", one), source("two", one)});
  std::string bytes = files::read(path);
  for (std::size_t at = bytes.find("two"); at != bytes.npos; at = bytes.find("two"))
    bytes.replace(at, 3, "one");
  files::write(path, bytes);
  CHECK(error() == path + ": expected every member once, found one twice");
}

TEST_CASE("what the data's source throws comes through, and the old file stays") {
  TemporaryFolder const folder;
  std::string const path = (folder / "archive").string();
  files::write(path, "old");
  auto const broken = [](std::uint64_t, std::uint64_t, void*) {
    throw std::runtime_error("the device is gone");
  };
  CHECK_THROWS_WITH_AS(write(path, {source("one", one), {"two", 10, broken}}), "the device is gone",
                       std::runtime_error);
  CHECK_THROWS_AS(write(path, {source("one", one), source("one", one)}), Error);
  CHECK(files::read(path) == "old");
  CHECK(files::count(folder) == 1);
}

}  // namespace checkpoint_zip_archive_tests
