#pragma once

#include <glyphdiff/error.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

/// Files that are replaced as a whole or not at all.
namespace glyphdiff {

/// When a file that is written reaches the disk: before it has its name, or later, for the files of a folder
/// that gets its own name after `flush_files`. Many files are flushed faster together than one by one.
enum class Flush { now, later };

namespace detail {

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

/// New names in a folder reach the disk. Some file systems can't flush a folder; there is nothing more to do
/// then.
inline void flush_folder(std::filesystem::path const& folder) {
  FileDescriptor const opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() >= 0) ::fsync(opened.get());
}

inline std::filesystem::path folder_of(std::filesystem::path const& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

/// The name of a temporary file: NAME.0123456789abcdef.partial, the sixteen digits drawn anew each time. A
/// long NAME is cut, so that the whole is allowed where NAME is.
inline constexpr std::string_view temporary_suffix = ".partial";
inline constexpr std::size_t temporary_digits = 16;

inline std::string temporary_name(std::string const& name) {
  std::random_device draw;
  char digits[temporary_digits + 1];
  std::snprintf(digits, sizeof digits, "%08x%08x", unsigned(draw()), unsigned(draw()));
  std::size_t kept = std::min<std::size_t>(name.size(), 200);
  while (kept < name.size() && kept > 0 && (static_cast<unsigned char>(name[kept]) & 0xc0) == 0x80)
    --kept;  // not within a character
  return name.substr(0, kept) + "." + digits + std::string(temporary_suffix);
}

inline bool is_temporary_name(std::string_view name) {
  if (!name.ends_with(temporary_suffix)) return false;
  name.remove_suffix(temporary_suffix.size());
  if (name.size() < temporary_digits + 2 || name[name.size() - temporary_digits - 1] != '.') return false;
  return name.substr(name.size() - temporary_digits).find_first_not_of("0123456789abcdef") == name.npos;
}

/// A temporary file for `path`, in its folder. Whoever writes it holds its lock, which the system takes away
/// when the process ends, however it ends; so a file of this name whose lock is free has nobody who writes
/// it. (A process number would not do: containers that share a folder count processes anew, and numbers
/// return.)
class TemporaryFile {
 public:
  explicit TemporaryFile(std::filesystem::path const& path) : path_(path), file_(-1) {
    do {  // until the file is ours: another process may remove it between its making and its locking
      temporary_ = folder_of(path) / temporary_name(path.filename().string());
      file_ = FileDescriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
      if (file_.get() < 0 && errno != EEXIST) fail_with_errno(path.string() + " cannot be written");
    } while (file_.get() < 0 || !lock());
  }
  ~TemporaryFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }
  TemporaryFile(TemporaryFile const&) = delete;
  TemporaryFile& operator=(TemporaryFile const&) = delete;

  int get() const { return file_.get(); }

  /// Gives the file its name, for good. Throws Error, and the temporary goes, if that is impossible.
  void publish(Flush flush) {
    if ((flush == Flush::now && !flush_to_disk(file_.get())) ||
        ::rename(temporary_.c_str(), path_.c_str()) != 0)
      fail_with_errno(path_.string() + " cannot be written");
    temporary_.clear();
    if (!file_.close()) fail_with_errno(path_.string() + " cannot be written");
    if (flush == Flush::now) flush_folder(folder_of(path_));
  }

 private:
  /// Where the file system knows no locks, nobody can take one, and `remove_abandoned` removes nothing.
  bool lock() const {
    while (::flock(file_.get(), LOCK_EX) != 0 && errno == EINTR) {
    }
    struct stat status {};
    return ::fstat(file_.get(), &status) != 0 || status.st_nlink > 0;
  }

  std::filesystem::path path_, temporary_;
  FileDescriptor file_;
};

/// Removes a temporary file unless somebody is writing it.
inline void remove_if_abandoned(std::filesystem::path const& temporary) {
  FileDescriptor const file(::open(temporary.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(temporary.c_str());
}

}  // namespace detail

/// Removes from a folder the temporary files of `replace_file` that killed programs have left there: those
/// whose lock nobody holds. Meant for the beginning of a run, for the run's own folder.
inline void remove_abandoned(std::filesystem::path const& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    if (detail::is_temporary_name(entry->path().filename().string()))
      detail::remove_if_abandoned(entry->path());
}

/// Files that were written with Flush::later to the disk on which the folder lies. Returns whether they are
/// there.
inline bool flush_files(std::filesystem::path const& folder) {
#if defined(__linux__) && defined(_GNU_SOURCE)
  detail::FileDescriptor const opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.get() >= 0 && ::syncfs(opened.get()) == 0;
#else
  (void)folder;
  ::sync();
  return true;
#endif
}

/// Calls `write(fd)` on a temporary file in the folder of `path`, flushes it and renames it to `path`, so
/// that `path` is at every moment either what it was or the whole new file, also after a loss of power. On
/// any failure (folder missing or closed to writing, disk full, an exception of `write`) the temporary is
/// removed and Error, or the exception, thrown.
template <class Write>
void replace_file(std::filesystem::path const& path, Write&& write, Flush flush = Flush::now) {
  std::error_code error;
  auto const kind = std::filesystem::status(path, error).type();
  if (kind == std::filesystem::file_type::directory)
    throw Error(path.string(), "the name of a file to write", "a folder");
  if (std::filesystem::exists(std::filesystem::file_status(kind)) &&
      kind != std::filesystem::file_type::regular)
    throw Error(path.string(), "the name of a file to write", "a device or a pipe");  // a rename would end it
  detail::TemporaryFile file(path);
  std::forward<Write>(write)(file.get());
  file.publish(flush);
}

}  // namespace glyphdiff
