// libFuzzer target: any bytes as a file of torch.save. Build with clang++ -fsanitize=fuzzer,address,undefined
// and libzip.
#include <glyphdiff/checkpoint/open_tensor_file.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static int const memory = ::memfd_create("fuzz", 0);  // a file without a disk
  static std::string const path = "/proc/self/fd/" + std::to_string(memory);
  if (::ftruncate(memory, 0) != 0 || ::pwrite(memory, data, size, 0) != ssize_t(size)) return 0;
  try {
    auto const file = glyphdiff::open_tensor_file(path);
    for (std::size_t i = 0; i < file->entries().size(); ++i) {
      std::int64_t const count = std::min<std::int64_t>(file->entries()[i].count(), 1000);
      std::vector<float> values(static_cast<std::size_t>(count));
      try {
        file->read(i, file->entries()[i].count() - count, count, values.data());
      } catch (glyphdiff::Error const&) {
      }
    }
  } catch (glyphdiff::Error const&) {
  }
  return 0;
}
