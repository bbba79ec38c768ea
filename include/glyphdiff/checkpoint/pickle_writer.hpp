#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace glyphdiff {

/// Writes a pickle of protocol 2 as torch.load reads it, value by value:
///
///     PickleWriter writer;
///     writer.begin_dict().text("lr").real(1e-4).end_dict();
///     std::string const bytes = writer.finish();
///
/// Dicts take keys and values in turn. Nothing is remembered, so nothing is shared.
class PickleWriter {
 public:
  PickleWriter() : bytes_("\x80\x02") {}

  PickleWriter& none() { return put("N"); }
  PickleWriter& boolean(bool value) { return put(value ? "\x88" : "\x89"); }

  PickleWriter& integer(std::int64_t value) {
    if (value == std::int32_t(value)) return put("J").raw(std::int32_t(value));
    return put("\x8a\x08").raw(value);
  }

  PickleWriter& real(double value) {
    put("G");
    auto const bits = std::bit_cast<std::uint64_t>(value);
    for (int shift = 56; shift >= 0; shift -= 8) bytes_ += char(bits >> shift & 0xff);  // big-endian
    return *this;
  }

  /// UTF-8.
  PickleWriter& text(std::string_view value) { return put("X").raw(std::uint32_t(value.size())).put(value); }

  PickleWriter& begin_dict() { return put("}("); }
  PickleWriter& end_dict() { return put("u"); }
  PickleWriter& begin_ordered_dict() { return put("ccollections\nOrderedDict\n)R("); }
  PickleWriter& end_ordered_dict() { return put("u"); }
  PickleWriter& begin_list() { return put("]("); }
  PickleWriter& end_list() { return put("e"); }
  PickleWriter& begin_tuple() { return put("("); }
  PickleWriter& end_tuple() { return put("t"); }

  /// A tensor of floats in C order that fills the storage `key`.
  PickleWriter& tensor(std::string_view key, std::vector<std::int64_t> const& shape) {
    std::vector<std::int64_t> strides(shape.size());
    std::int64_t count = 1;
    for (std::size_t axis = shape.size(); axis-- > 0; count *= shape[axis]) strides[axis] = count;
    put("ctorch._utils\n_rebuild_tensor_v2\n").begin_tuple();
    begin_tuple()
        .text("storage")
        .put("ctorch\nFloatStorage\n")
        .text(key)
        .text("cpu")
        .integer(count)
        .end_tuple()
        .put("Q");
    integer(0).sizes(shape).sizes(strides).boolean(false).begin_ordered_dict().end_ordered_dict();
    return end_tuple().put("R");
  }

  /// The pickle. The writer is used up.
  std::string finish() {
    put(".");
    return std::move(bytes_);
  }

 private:
  PickleWriter& put(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }

  template <class T>
  PickleWriter& raw(T value) {
    bytes_.append(reinterpret_cast<char const*>(&value), sizeof value);
    return *this;
  }

  PickleWriter& sizes(std::vector<std::int64_t> const& values) {
    begin_tuple();
    for (std::int64_t const value : values) integer(value);
    return end_tuple();
  }

  std::string bytes_;
};

}  // namespace glyphdiff
