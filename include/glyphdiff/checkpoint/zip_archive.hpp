#pragma once

#include <glyphdiff/checkpoint/binary_file.hpp>
#include <glyphdiff/error.hpp>

#include <zip.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// Zip archives of uncompressed members, through libzip.
namespace glyphdiff {

/// A member of a zip archive.
struct ZipMember {
  std::string name;
  std::uint64_t bytes = 0;
};

/// A zip archive open for reading by one thread. All members must be stored as they are: what is not
/// compressed can't unfold to more than the file's own size.
class ZipReader {
 public:
  /// Throws Error for a file that is no zip archive, is damaged or cut short, or has members that are
  /// compressed, encrypted or of one name.
  explicit ZipReader(std::string const& path) : path_(path) {
    int error = 0;
    archive_.reset(::zip_open(path.c_str(), ZIP_RDONLY, &error));
    if (archive_ == nullptr) {
      zip_error_t details;
      ::zip_error_init_with_code(&details, error);
      std::string const reason = ::zip_error_strerror(&details);
      ::zip_error_fini(&details);
      throw Error(path_, "a zip archive", "none that can be read (" + reason + "); it may be cut short");
    }
    std::int64_t const count = ::zip_get_num_entries(archive_.get(), 0);
    std::uint64_t total = 0, size = InputFile(path, "a zip archive").size();
    for (std::int64_t index = 0; index < count; ++index) {
      zip_stat_t status;
      require(::zip_stat_index(archive_.get(), std::uint64_t(index), ZIP_FL_ENC_RAW, &status) == 0,
              "a member's description");
      std::uint64_t const needed =
          ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
      std::string const shown = "the member " + detail::printable(status.name);
      if ((status.valid & needed) != needed || status.comp_method != ZIP_CM_STORE ||
          status.encryption_method != ZIP_EM_NONE || status.comp_size != status.size)
        throw Error(path_, shown + " as it is", "it compressed or encrypted");
      if (status.size > size || (total += status.size) > size)
        throw Error(path_, "members of at most " + std::to_string(size) + " bytes, the length of the file",
                    "more");
      members_.push_back({status.name, status.size});
    }
    std::vector<std::string> names;
    for (ZipMember const& member : members_) names.push_back(member.name);
    std::sort(names.begin(), names.end());
    auto const twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) throw Error(path_, "every member once", detail::printable(*twice) + " twice");
  }

  std::string const& path() const { return path_; }
  std::vector<ZipMember> const& members() const { return members_; }

  /// Copies bytes of a member. Reading on from where the last call ended is fast. Throws Error where the file
  /// is damaged; a member that was read from its start to its end had the checksum that the archive states.
  void read(std::size_t index, std::uint64_t offset, std::uint64_t bytes, void* to) {
    if (offset > members_[index].bytes || bytes > members_[index].bytes - offset)
      throw Error(
          path_,
          std::to_string(members_[index].bytes) + " bytes of " + detail::printable(members_[index].name),
          "a request beyond");
    if (open_ == nullptr || index != open_index_ || offset < position_) {
      open_.reset(::zip_fopen_index(archive_.get(), index, 0));
      require(open_ != nullptr, detail::printable(members_[index].name));
      open_index_ = index;
      position_ = 0;
    }
    if (offset > position_) {
      require(::zip_fseek(open_.get(), std::int64_t(offset), SEEK_SET) == 0,
              detail::printable(members_[index].name));
      position_ = offset;
    }
    auto target = static_cast<char*>(to);
    while (bytes > 0) {
      std::int64_t const got = ::zip_fread(open_.get(), target, (std::min)(bytes, most_at_once));
      require_read(got > 0);
      target += got;
      position_ += std::uint64_t(got);
      bytes -= std::uint64_t(got);
    }
    char beyond;
    if (position_ == members_[index].bytes)  // libzip compares checksums when it is asked for more
      require_read(::zip_fread(open_.get(), &beyond, 1) == 0);
  }

 private:
  static constexpr std::uint64_t most_at_once = 1 << 24;

  void require(bool valid, std::string const& expected) const {
    if (!valid)
      throw Error(path_, expected, std::string("a damaged archive (") + ::zip_strerror(archive_.get()) + ")");
  }
  void require_read(bool valid) const {
    if (!valid)
      throw Error(path_, detail::printable(members_[open_index_].name) + " undamaged",
                  std::string("otherwise (") + ::zip_file_strerror(open_.get()) + ")");
  }

  struct Discard {
    void operator()(zip_t* archive) const { ::zip_discard(archive); }
    void operator()(zip_file_t* file) const { ::zip_fclose(file); }
  };

  std::string path_;
  std::unique_ptr<zip_t, Discard> archive_;
  std::vector<ZipMember> members_;
  std::unique_ptr<zip_file_t, Discard> open_;  // closed before the archive
  std::size_t open_index_ = 0;
  std::uint64_t position_ = 0;
};

/// A member to be written. `read(offset, bytes, to)` copies a piece of its data, in order of rising offsets,
/// which are multiples of a megabyte.
struct ZipSource {
  std::string name;  ///< ASCII
  std::uint64_t bytes = 0;
  std::function<void(std::uint64_t offset, std::uint64_t bytes, void* to)> read;
};

namespace detail {

/// What a callback of libzip must remember: its functions can't throw through C.
class ZipCallback {
 public:
  explicit ZipCallback(std::exception_ptr& failure) : failure_(failure) { ::zip_error_init(&error_); }
  ZipCallback(ZipCallback&&) = delete;
  ~ZipCallback() { ::zip_error_fini(&error_); }

 protected:
  /// The value of `function`, or -1 after an exception, which is kept.
  template <class Function>
  std::int64_t guarded(Function const& function) {
    try {
      return function();
    } catch (...) {
      if (failure_ == nullptr) failure_ = std::current_exception();
      ::zip_error_set(&error_, ZIP_ER_INTERNAL, 0);
      return -1;
    }
  }

  std::int64_t state_size(void* data, std::uint64_t size) {
    auto* const status = static_cast<zip_stat_t*>(data);
    ::zip_stat_init(status);
    status->size = size;
    status->valid = ZIP_STAT_SIZE;
    return sizeof *status;
  }

  std::int64_t give_error(void* data, std::uint64_t bytes) {
    return ::zip_error_to_data(&error_, data, bytes);
  }

  zip_error_t error_;

 private:
  std::exception_ptr& failure_;
};

/// A ZipSource as libzip reads it: in pieces of some kilobytes, which would be slow to copy from a device.
class ZipInput : ZipCallback {
 public:
  ZipInput(ZipSource const& source, std::exception_ptr& failure) : ZipCallback(failure), source_(source) {}

  static zip_int64_t call(void* self, void* data, zip_uint64_t bytes, zip_source_cmd_t command) {
    return static_cast<ZipInput*>(self)->serve(data, bytes, command);
  }

 private:
  std::int64_t serve(void* data, std::uint64_t bytes, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_OPEN:
        position_ = 0;
        buffer_.resize(std::min<std::uint64_t>(source_.bytes, 1 << 20));
        return 0;
      case ZIP_SOURCE_READ:
        return guarded([&] { return std::int64_t(read(static_cast<char*>(data), bytes)); });
      case ZIP_SOURCE_CLOSE:
        buffer_ = {};
        return 0;
      case ZIP_SOURCE_STAT:
        return state_size(data, source_.bytes);
      case ZIP_SOURCE_ERROR:
        return give_error(data, bytes);
      case ZIP_SOURCE_SUPPORTS:
        return ::zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                                ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
      default:  // FREE
        return 0;
    }
  }

  std::uint64_t read(char* to, std::uint64_t bytes) {
    std::uint64_t const total = (std::min)(bytes, source_.bytes - position_);
    for (std::uint64_t copied = 0; copied < total;) {
      std::uint64_t const inside = position_ % buffer_.size();
      if (inside == 0)
        source_.read(position_, std::min<std::uint64_t>(buffer_.size(), source_.bytes - position_),
                     buffer_.data());
      std::uint64_t const now = (std::min)(total - copied, buffer_.size() - inside);
      std::memcpy(to + copied, buffer_.data() + inside, now);
      copied += now;
      position_ += now;
    }
    return total;
  }

  ZipSource const& source_;
  std::uint64_t position_ = 0;
  std::vector<char> buffer_;
};

/// An empty file that libzip fills with an archive.
class ZipOutput : ZipCallback {
 public:
  ZipOutput(int fd, std::string const& path, std::exception_ptr& failure)
      : ZipCallback(failure), fd_(fd), path_(path) {}

  static zip_int64_t call(void* self, void* data, zip_uint64_t bytes, zip_source_cmd_t command) {
    return static_cast<ZipOutput*>(self)->serve(data, bytes, command);
  }

 private:
  std::int64_t serve(void* data, std::uint64_t bytes, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_WRITE:
        return guarded([&] {
          buffer_.insert(buffer_.end(), static_cast<char*>(data), static_cast<char*>(data) + bytes);
          position_ += std::int64_t(bytes);
          if (buffer_.size() >= 1 << 20) flush();
          return std::int64_t(bytes);
        });
      case ZIP_SOURCE_SEEK_WRITE:
        return guarded([&] {
          flush();
          auto* const to = ZIP_SOURCE_GET_ARGS(zip_source_args_seek_t, data, bytes, &error_);
          if (to == nullptr) return std::int64_t(-1);
          position_ = ::lseek(fd_, off_t(to->offset), to->whence);
          if (position_ < 0) fail_with_errno(path_ + " cannot be written");
          return std::int64_t(0);
        });
      case ZIP_SOURCE_COMMIT_WRITE:
        return guarded([&] { return flush(), std::int64_t(0); });
      case ZIP_SOURCE_TELL_WRITE:
        return position_;
      case ZIP_SOURCE_STAT:
        return state_size(data, 0);
      case ZIP_SOURCE_ERROR:
        return give_error(data, bytes);
      case ZIP_SOURCE_SUPPORTS:
        return ZIP_SOURCE_SUPPORTS_WRITABLE;
      default:
        return 0;
    }
  }

  void flush() {
    write_all(fd_, buffer_.data(), buffer_.size(), path_);
    buffer_.clear();
  }

  int fd_;
  std::string const& path_;
  std::vector<char> buffer_;
  std::int64_t position_ = 0;
};

/// The bytes of padding, as an extra field of a member's header, that bring its data to a multiple of 64, as
/// torch.save does; `at` is where the header begins, and is moved to where the next one will.
inline std::vector<std::uint8_t> zip_padding(ZipSource const& source, std::uint64_t& at) {
  bool const large =
      source.bytes > (std::numeric_limits<std::uint32_t>::max)();  // then libzip adds a zip64 field
  std::uint64_t const header = 30 + source.name.size() + (large ? 20 : 0) + 4;
  std::vector<std::uint8_t> padding((64 - (at + header) % 64) % 64, 'Z');
  at += header + padding.size() + source.bytes;
  return padding;
}

}  // namespace detail

/// Writes an archive of uncompressed members, the data of each on a multiple of 64 bytes, to the empty file
/// `fd`, piece by piece. Members and archives beyond 4 GB are zip64. Throws Error, and what `read` throws.
inline void write_zip(int fd, std::string const& path, std::vector<ZipSource> const& sources) {
  std::exception_ptr failure;
  detail::ZipOutput output(fd, path, failure);
  std::vector<std::unique_ptr<detail::ZipInput>> inputs;
  auto const require = [&](bool valid, char const* reason) {
    if (valid) return;
    if (failure != nullptr) std::rethrow_exception(failure);
    throw Error(path + " cannot be written: " + reason + ".");
  };

  zip_error_t error;
  ::zip_error_init(&error);
  zip_source_t* const target = ::zip_source_function_create(detail::ZipOutput::call, &output, &error);
  zip_t* const opened =
      target == nullptr ? nullptr : ::zip_open_from_source(target, ZIP_CREATE | ZIP_TRUNCATE, &error);
  if (opened == nullptr && target != nullptr) ::zip_source_free(target);
  std::string const reason = ::zip_error_strerror(&error);
  ::zip_error_fini(&error);
  require(opened != nullptr, reason.c_str());
  std::unique_ptr<zip_t, decltype(&::zip_discard)> archive(opened, ::zip_discard);

  std::uint64_t at = 0;
  for (ZipSource const& source : sources) {
    inputs.push_back(std::make_unique<detail::ZipInput>(source, failure));
    zip_source_t* const input =
        ::zip_source_function(archive.get(), detail::ZipInput::call, inputs.back().get());
    require(input != nullptr, ::zip_strerror(archive.get()));
    std::int64_t const index = ::zip_file_add(archive.get(), source.name.c_str(), input, ZIP_FL_ENC_UTF_8);
    if (index < 0) ::zip_source_free(input);
    auto const padding = detail::zip_padding(source, at);
    std::uint16_t const padding_id = 0x4246;  // "FB", as in torch.save
    std::uint16_t const first_of_1980 =
        1 << 5 | 1;  // one time for all, so that equal contents give equal files
    require(index >= 0 &&
                ::zip_set_file_compression(archive.get(), std::uint64_t(index), ZIP_CM_STORE, 0) == 0 &&
                ::zip_file_set_dostime(archive.get(), std::uint64_t(index), 0, first_of_1980, 0) == 0 &&
                ::zip_file_extra_field_set(archive.get(), std::uint64_t(index), padding_id, 0, padding.data(),
                                           std::uint16_t(padding.size()), ZIP_FL_LOCAL) == 0,
            ::zip_strerror(archive.get()));
  }
  require(::zip_close(archive.get()) == 0, ::zip_strerror(archive.get()));
  archive.release();
}

}  // namespace glyphdiff
