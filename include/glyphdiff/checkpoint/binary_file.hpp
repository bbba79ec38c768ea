#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/replace_file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

/// Binary files that are read at any place.
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

}  // namespace glyphdiff
