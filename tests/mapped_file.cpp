#include "io/temporary_folder.hpp"

#include <glyphdiff/mapped_file.hpp>

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <csignal>
#include <filesystem>
#include <string>

namespace mapped_file_tests {

using namespace glyphdiff;

namespace {

std::string error_of(std::string const& folder, std::int64_t bytes) {
  try {
    MappedFile const file(folder, bytes);
  } catch (Error const& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("what is written stays when its pages are given back") {
  TemporaryFolder const folder;
  MappedFile const file(folder.path().string(), 100'000);
  auto const bytes = static_cast<unsigned char*>(file.data());
  for (int i = 0; i < 100'000; ++i) {
    REQUIRE(bytes[i] == 0);
    bytes[i] = static_cast<unsigned char>(i % 251);
  }
  file.release(5000, 60'000);
  file.release();
  for (int i = 0; i < 100'000; ++i) REQUIRE(bytes[i] == i % 251);
}

TEST_CASE("no name is left in the folder, not even while the file lives") {
  TemporaryFolder const folder;
  MappedFile const file(folder.path().string(), 0);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a folder that cannot take the file is refused with one sentence") {
  TemporaryFolder const folder;
  std::string const missing = (folder / "missing").string();
  CHECK(error_of(missing, 1000) ==
        missing + ": expected a folder to write to, found No such file or directory");
  std::string const file = folder.write("file", "").string();
  CHECK(error_of(file, 1000) == file + ": expected a folder to write to, found Not a directory");
}

TEST_CASE("a disk that is too small is refused with one sentence, and nothing is left on it") {
  TemporaryFolder const folder;
  std::string const path = folder.path().string();
  CHECK(error_of(path, std::int64_t(1) << 58)
            .starts_with(path + ": expected 288230376151 MB of free disk space, found "));
  ::rlimit original{};
  ::getrlimit(RLIMIT_FSIZE, &original);
  ::rlimit limited = original;
  limited.rlim_cur = 1'000'000;
  auto const handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &limited);
  std::string const error = error_of(path, 3'000'000);
  ::setrlimit(RLIMIT_FSIZE, &original);
  std::signal(SIGXFSZ, handler);
  CHECK(error == path + ": expected room for a file of 3 MB, found File too large");
  CHECK(std::filesystem::is_empty(folder.path()));
}

}  // namespace mapped_file_tests
