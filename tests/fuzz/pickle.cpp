// libFuzzer target: any bytes as a pickle. Build with clang++ -fsanitize=fuzzer,address,undefined.
#include <glyphdiff/checkpoint/pickle.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const bytes(reinterpret_cast<char const*>(data), size);
  try {
    auto const pickle = glyphdiff::read_pickle(bytes, "fuzz");
    if (pickle.root == nullptr || pickle.bytes > size) std::abort();
    for (auto const& value : pickle.values) {
      auto const* const tensor = value.as<glyphdiff::PickleTensor>();
      if (tensor == nullptr) continue;
      std::int64_t last = tensor->offset;  // readers rely on it to lie within the storage
      bool empty = false;
      for (std::size_t axis = 0; axis < tensor->shape.size(); ++axis) {
        empty = empty || tensor->shape[axis] == 0;
        if (!empty) last += (tensor->shape[axis] - 1) * tensor->strides[axis];
      }
      if (!empty && (tensor->offset < 0 || last >= tensor->storage.count)) std::abort();
    }
  } catch (glyphdiff::Error const&) {
  }
  return 0;
}
