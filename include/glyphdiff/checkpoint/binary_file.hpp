#pragma once

#include <glyphdiff/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

/// Binary files: read at any place, replaced as a whole or not at all.
namespace glyphdiff {

namespace detail {

/// Text out of a file, made fit for a message: no control characters, not too long.
inline std::string printable(std::string_view text, std::size_t limit = 80) {
  std::string result(text.substr(0, limit));
  for (char& c : result)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text.size() > limit ? result + "..." : result;
}

/// What the format allows, or Error with the path of the file.
class Demand {
 public:
  explicit Demand(std::string const& path) : path_(path) {}
  void operator()(bool valid, std::string const& expected, std::string const& found) const {
    if (!valid) throw Error(path_, expected, found);
  }

 private:
  std::string const& path_;
};

/// An open file descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() { close(); }
  int get() const { return fd_; }
  bool close() { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

[[noreturn]] inline void fail_with_errno(std::string const& sentence_start) {
  throw Error(sentence_start + ": " + std::strerror(errno) + ".");
}

inline void write_all(int fd, void const* data, std::uint64_t bytes, std::string const& path) {
  auto from = static_cast<char const*>(data);
  while (bytes > 0) {
    ssize_t const written = ::write(fd, from, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_with_errno(path + " cannot be written");
    from += written;
    bytes -= std::uint64_t(written);
  }
}

/// Data reaches the disk before this returns, where the system can say so.
inline bool flush_to_disk(int fd) {
#if defined(F_FULLFSYNC)
  if (::fcntl(fd, F_FULLFSYNC) == 0) return true;  // macOS: fsync alone leaves it in the drive's cache
#endif
  return ::fsync(fd) == 0;
}

}  // namespace detail

/// A file open for reading at any place.
class InputFile {
 public:
  /// `kind` says what is expected, for messages: "a safetensors file". Throws Error for what cannot be opened
  /// or is no regular file.
  InputFile(std::string path, std::string const& kind)
      : path_(std::move(path)),
        file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {  // a pipe would block the open
    if (file_.get() < 0) detail::fail_with_errno(path_ + " cannot be opened");
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) detail::fail_with_errno(path_ + " cannot be read");
    if (!S_ISREG(status.st_mode)) throw Error(path_, kind, "no regular file");
    size_ = std::uint64_t(status.st_size);
  }

  std::string const& path() const { return path_; }
  std::uint64_t size() const { return size_; }  ///< bytes

  /// Copies bytes from `position` on. Throws Error where the file ends before.
  void read(std::uint64_t position, std::uint64_t bytes, void* to) const {
    auto target = static_cast<char*>(to);
    while (bytes > 0) {
      ssize_t const got = ::pread(file_.get(), target, bytes, off_t(position));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) detail::fail_with_errno(path_ + " cannot be read");
      if (got == 0) throw Error(path_, std::to_string(bytes) + " more bytes", "the end of the file");
      target += got;
      position += std::uint64_t(got);
      bytes -= std::uint64_t(got);
    }
  }

 private:
  std::string path_;
  detail::FileDescriptor file_;
  std::uint64_t size_ = 0;
};

namespace detail {

/// Removes the temporary files of `replace_file` for `path` whose programs no longer run: killed ones leave
/// theirs behind.
inline void remove_abandoned(std::filesystem::path const& path) {
  std::string const prefix = path.filename().string() + ".", suffix = ".partial";
  std::filesystem::path const folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::string const name = entry->path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() <= prefix.size() + suffix.size())
      continue;
    char const *const begin = name.data() + prefix.size(), *const end =
                                                               name.data() + name.size() - suffix.size();
    pid_t process = 0;
    auto const [rest, failed] = std::from_chars(begin, end, process);
    if (failed != std::errc() || rest != end || process <= 0) continue;
    std::error_code ignored;
    if (::kill(process, 0) != 0 && errno == ESRCH) std::filesystem::remove(entry->path(), ignored);
  }
}

}  // namespace detail

/// Calls `write(fd)` on a temporary file in the folder of `path`, flushes it and renames it to `path`, so
/// that `path` is at every moment either the previous file or the whole new one. On any failure the temporary
/// is removed and Error thrown.
template <class Write>
void replace_file(std::string const& path, Write&& write) {
  // The process number keeps two programs that write the same file apart.
  std::string const temporary = path + "." + std::to_string(::getpid()) + ".partial";
  detail::remove_abandoned(path);
  detail::FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) detail::fail_with_errno(path + " cannot be written");
  try {
    write(file.get());
    if (!detail::flush_to_disk(file.get()) || !file.close() || ::rename(temporary.c_str(), path.c_str()) != 0)
      detail::fail_with_errno(path + " cannot be written");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  // The new name must reach the disk too. Some file systems can't flush a folder; there is nothing more to do
  // then.
  std::size_t const slash = path.rfind('/');
  std::string const folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  detail::FileDescriptor const directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) ::fsync(directory.get());
}

}  // namespace glyphdiff
