// libFuzzer target: any bytes as a safetensors file. Build with clang++ -fsanitize=fuzzer,address,undefined.
#include <glyphdiff/checkpoint/safetensors.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 2) return 0;
  // The first two bytes say how many bytes of tensor data the file has; the rest is the header.
  std::uint64_t const data_bytes = data[0] + 256u * data[1];
  std::string_view const json(reinterpret_cast<char const*>(data) + 2, size - 2);
  try {
    auto const header = glyphdiff::parse_safetensors_header(json, data_bytes, "fuzz");
    std::uint64_t end = 0;
    for (auto const& entry : header.entries) {
      if (entry.offset != end) std::abort();
      end += entry.bytes;
    }
    if (end != data_bytes) std::abort();
  } catch (glyphdiff::Error const&) {
  }
  return 0;
}
