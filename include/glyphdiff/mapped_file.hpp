#pragma once

#include <glyphdiff/error.hpp>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

namespace glyphdiff {

/// Memory that lies in a file: the system can write its pages to disk and take them back whenever main memory
/// is short. The file has no name, so its space is free again as soon as the object or the process is gone,
/// however it ended.
class MappedFile {
 public:
  /// Zeros. All disk space is allocated here, so that no later access can fail for want of it. Throws Error,
  /// one sentence, for a folder that cannot be written to or has too little space.
  MappedFile(std::string const& folder, std::int64_t bytes) : bytes_(bytes > 0 ? bytes : 1) {
    std::string name = folder + "/mapped.XXXXXX";
    int const file = ::mkstemp(name.data());
    if (file < 0) throw Error(folder, "a folder to write to", std::strerror(errno));
    ::unlink(name.c_str());
    try {
      allocate(file, folder);
      data_ = ::mmap(nullptr, std::size_t(bytes_), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
      if (data_ == MAP_FAILED) throw Error(folder, "files that can be mapped", std::strerror(errno));
    } catch (...) {
      ::close(file);
      throw;
    }
    ::close(file);  // the mapping keeps it
  }
  ~MappedFile() { ::munmap(data_, std::size_t(bytes_)); }
  MappedFile(MappedFile const&) = delete;

  void* data() const { return data_; }  ///< at the start of a page

  /// Takes the pages of these bytes out of the process's memory. What they hold stays, and is read from the
  /// file, or from what the system still keeps of it, when it is touched again.
  void release(std::int64_t first, std::int64_t bytes) const {
    std::int64_t const page = ::sysconf(_SC_PAGESIZE), begin = first / page * page;
    ::madvise(static_cast<char*>(data_) + begin, std::size_t(first + bytes - begin), MADV_DONTNEED);
  }
  void release() const { release(0, bytes_); }

 private:
  void allocate(int file, std::string const& folder) const {
    auto const megabytes = [](double value) { return std::to_string(std::int64_t(value / 1e6)) + " MB"; };
    struct statvfs disk {};
    // Asked first: a disk need not be full for a moment to learn that it is too small.
    if (::fstatvfs(file, &disk) == 0 && double(disk.f_bavail) * double(disk.f_frsize) < double(bytes_))
      throw Error(folder, megabytes(double(bytes_)) + " of free disk space",
                  megabytes(double(disk.f_bavail) * double(disk.f_frsize)));
#if defined(F_PREALLOCATE)  // macOS
    fstore_t space{F_ALLOCATEALL, F_PEOFPOSMODE, 0, bytes_, 0};
    int error = ::fcntl(file, F_PREALLOCATE, &space) < 0 || ::ftruncate(file, bytes_) != 0 ? errno : 0;
#else
    int error = 0;
    do error = ::posix_fallocate(file, 0, bytes_);
    while (error == EINTR);
#endif
    if (error != 0)
      throw Error(folder, "room for a file of " + megabytes(double(bytes_)), std::strerror(error));
  }

  std::int64_t bytes_;
  void* data_ = nullptr;
};

}  // namespace glyphdiff
