#include "io/temporary_folder.hpp"

#include <glyphdiff/data/letter_folder.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/replace_file.hpp>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

namespace replace_file_tests {

using namespace glyphdiff;
namespace fs = std::filesystem;

namespace {

struct Seen {
  bool folder, there;  ///< of a folder; whether `watched` existed then
};
std::vector<Seen>* flushes = nullptr;
fs::path watched;

std::string content(fs::path const& path) {
  auto const bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}
void put(fs::path const& path, std::string const& text) { write_file(path, text.data(), text.size()); }
std::size_t count(fs::path const& folder) { return list_folder(folder).size(); }

/// The one temporary file in a folder.
fs::path temporary_in(fs::path const& folder) {
  for (fs::path const& path : list_folder(folder))
    if (path.extension() == ".partial") return path;
  return {};
}

/// A process that has begun to write `path` and goes on until it is killed.
class Writer {
 public:
  explicit Writer(fs::path const& path) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    process_ = ::fork();
    if (process_ == 0) {
      replace_file(path, [&](int fd) {
        detail::write_all(fd, "half", 4, "the file");
        if (::write(ready[1], "", 1) == 1)
          for (;;) ::pause();
      });
      ::_exit(1);
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~Writer() { kill(); }
  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }

 private:
  pid_t process_ = 0;
};

}  // namespace

#if defined(SYS_fsync) && defined(SYS_syncfs)
extern "C" int fsync(int fd) {
  struct stat status {};
  if (flushes != nullptr && ::fstat(fd, &status) == 0)
    flushes->push_back({S_ISDIR(status.st_mode), fs::exists(watched)});
  return int(::syscall(SYS_fsync, fd));
}

TEST_CASE("a file reaches the disk before it has its name, and its name after that") {
  TemporaryFolder const folder;
  std::vector<Seen> seen;
  watched = folder / "file";
  flushes = &seen;
  put(watched, "text");
  flushes = nullptr;
  REQUIRE(seen.size() == 2);
  CHECK_FALSE(seen[0].folder);
  CHECK_FALSE(seen[0].there);
  CHECK(seen[1].folder);
  CHECK(seen[1].there);
}

extern "C" int syncfs(int fd) noexcept {
  if (flushes != nullptr) flushes->push_back({false, fs::exists(watched)});
  return int(::syscall(SYS_syncfs, fd));
}

TEST_CASE("the pictures of a data set reach the disk together, before its folder has its name") {
  TemporaryFolder const folder;
  LetterFolder letters(folder / "set");
  std::vector<Seen> seen;
  watched = folder / "set";
  flushes = &seen;
  for (int i = 0; i < 3; ++i) letters.add({Image(4, 4, 1, 0), {.file = "", .character = "A"}}, "font");
  CHECK(seen.empty());
  letters.finish();
  flushes = nullptr;
  REQUIRE(seen.size() == 4);  // the manifest and its name, all pictures, the folder's name
  CHECK_FALSE(seen[2].there);
  CHECK(seen[3].folder);
  CHECK(seen[3].there);
  CHECK(count(folder / "set") == 4);
}
#endif

TEST_CASE("two writers of one file don't meet, and the last one has it") {
  TemporaryFolder const folder;
  fs::path const path = folder / "file";
  replace_file(path, [&](int outer) {
    put(path, "of the other");
    CHECK(content(path) == "of the other");
    detail::write_all(outer, "mine", 4, "file");
  });
  CHECK(content(path) == "mine");

  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      try {
        for (int k = 0; k < 25; ++k) put(path, std::string(1000, char('a' + t)));
      } catch (Error const&) {
        ++failed;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(failed == 0);
  CHECK(content(path) == std::string(1000, content(path)[0]));
  CHECK(count(folder.path()) == 1);
}

TEST_CASE("the old file survives a disk that is full, and no temporary is left") {
  TemporaryFolder const folder;
  put(folder / "file", "old");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto const handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit const small_files{4096, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small_files) == 0);
  CHECK_THROWS_WITH_AS(put(folder / "file", std::string(100'000, 'x')),
                       doctest::Contains("cannot be written"), Error);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(content(folder / "file") == "old");
  CHECK(count(folder.path()) == 1);
}

TEST_CASE("what is no file is not replaced by one") {
  TemporaryFolder const folder;
  fs::create_directory(folder / "folder");
  CHECK_THROWS_WITH_AS(put(folder / "folder", "x"), doctest::Contains("found a folder"), Error);
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_WITH_AS(put(folder / "pipe", "x"), doctest::Contains("a device or a pipe"), Error);
  CHECK(fs::is_fifo(folder / "pipe"));
  CHECK_THROWS_WITH_AS(put(folder / "no" / "x", "x"), doctest::Contains("cannot be written"), Error);
  CHECK(count(folder.path()) == 2);
}

TEST_CASE("names as long as a disk takes can be written") {
  TemporaryFolder const folder;
  std::string name(251, 'x');
  for (std::size_t i = 1; i + 1 < name.size(); i += 2) name.replace(i, 2, "ä");
  put(folder / name, "text");
  CHECK(content(folder / name) == "text");
}

TEST_CASE("temporaries of killed writers go, those of writers that live and other files stay") {
  TemporaryFolder const folder;
  {
    Writer killed(folder / "step_000010.safetensors");
    killed.kill();
  }
  fs::path const abandoned = temporary_in(folder.path());
  REQUIRE(fs::exists(abandoned));
  CHECK(abandoned.filename().string().starts_with("step_000010.safetensors."));

  std::vector<std::string> const others{"a.partial", "a.4194303.partial", "a.0123456789abcdeF.partial",
                                        "a.0123456789abcdef.part", ".0123456789abcdef.partial"};
  for (std::string const& other : others) folder.write(other, "x");
  fs::create_directory(folder / "folder.0123456789abcdef.partial");
  folder.write("target", "x");
  fs::create_symlink("target", folder / "link.0123456789abcdef.partial");

  fs::path in_time;
  {
    Writer alive(folder / "checkpoint.safetensors");
    for (fs::path const& path : list_folder(folder.path()))
      if (path.filename().string().starts_with("checkpoint.safetensors.")) in_time = path;
    REQUIRE(fs::exists(in_time));
    remove_abandoned(folder.path());
    CHECK_FALSE(fs::exists(abandoned));
    CHECK(fs::exists(in_time));
  }
  for (std::string const& other : others) CHECK(fs::exists(folder / other));
  CHECK(fs::exists(folder / "target"));
  CHECK(fs::is_symlink(folder / "link.0123456789abcdef.partial"));
  CHECK(fs::is_directory(folder / "folder.0123456789abcdef.partial"));
  remove_abandoned(folder.path());  // its writer has been killed by now
  CHECK_FALSE(fs::exists(in_time));
  remove_abandoned(folder / "missing");
}

TEST_CASE("a writer whose file was taken for abandoned as it was made takes another one") {
  TemporaryFolder const folder;
  std::atomic<bool> done{false};
  std::thread cleaner([&] {
    while (!done) remove_abandoned(folder.path());
  });
  int failed = 0;
  for (int k = 0; k < 200; ++k) {
    try {
      put(folder / "file", "text");
    } catch (Error const&) {
      ++failed;
    }
  }
  done = true;
  cleaner.join();
  CHECK(failed == 0);
  CHECK(count(folder.path()) == 1);
}

}  // namespace replace_file_tests
