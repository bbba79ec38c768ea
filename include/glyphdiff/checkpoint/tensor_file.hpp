#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/checkpoint/binary_file.hpp>
#include <glyphdiff/checkpoint/dtype.hpp>
#include <glyphdiff/checkpoint/key_values.hpp>
#include <glyphdiff/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// Files of named tensors, whatever their format.
namespace glyphdiff {

/// A tensor as a file states it.
struct TensorEntry {
  std::string name;
  std::string dtype;                ///< "F32", "BF16", "I64", ...: the names of safetensors
  std::vector<std::int64_t> shape;  ///< empty for a scalar

  /// Values; the product of the shape, which readers have checked to fit 64 bits.
  std::int64_t count() const {
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;  // whatever the others are
    std::int64_t product = 1;
    for (std::int64_t const extent : shape) product *= extent;
    return product;
  }
};

/// A tensor to be written. `read(offset, bytes, to)` copies a piece of its data, in order of rising offsets,
/// so that data which lies on a device needs no second copy as a whole.
struct TensorSource {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::function<void(std::uint64_t offset, std::uint64_t bytes, void* to)> read;
};

namespace detail {

/// A loop without a way out of it runs on vectors.
inline bool all_finite(float const* values, std::int64_t count) {
  bool finite = true;
  for (std::int64_t i = 0; i < count; ++i) finite &= is_finite(values[i]);
  return finite;
}

[[noreturn]] inline void throw_not_finite(std::string const& path, std::string const& tensor) {
  throw Error(path, "finite numbers", "one that is not in " + printable(tensor));
}

}  // namespace detail

/// A file of named tensors, open for reading by one thread. open_tensor_file opens any format.
class TensorFile {
 public:
  virtual ~TensorFile() = default;

  virtual std::string const& path() const = 0;
  virtual std::vector<TensorEntry> const& entries() const = 0;  ///< no name twice, in file order
  virtual KeyValues const& metadata() const = 0;                ///< what the file says about itself

  /// Copies `count` values of a tensor from value `first` on, in C order, converted to float. Throws Error
  /// for a tensor of integers and where the file is damaged.
  virtual void read(std::size_t index, std::int64_t first, std::int64_t count, float* to) const = 0;

  /// Reads those values to no purpose but to throw Error, naming the tensor, if one is not finite or, as far
  /// as the file can tell, the data is not what was written.
  virtual void require_intact(std::size_t index, std::int64_t first, std::int64_t count) const {
    std::vector<float> values(std::size_t(std::min<std::int64_t>(1 << 18, count)));
    for (std::int64_t done = 0; done < count; done += std::int64_t(values.size())) {
      std::int64_t const now = (std::min)(std::int64_t(values.size()), count - done);
      read(index, first + done, now, values.data());
      if (!detail::all_finite(values.data(), now)) detail::throw_not_finite(path(), entries()[index].name);
    }
  }

  /// Compares a tensor with the checksums that the file has of it, and returns how many those are. Throws
  /// Error, naming the tensor, if one does not hold.
  virtual int verify(std::size_t) const { return 0; }

  /// A whole tensor of F64, checked as far as the file can tell.
  virtual std::vector<double> read_doubles(std::size_t index) const {
    throw Error(path(), "F64 in the tensor " + detail::printable(entries()[index].name),
                entries()[index].dtype);
  }
};

namespace detail {

/// Throws Error unless a tensor has these values and floats can stand for them.
inline void require_piece(std::string const& path, TensorEntry const& entry, std::int64_t first,
                          std::int64_t count) {
  if (!is_floating(entry.dtype))
    throw Error(path, "floating-point numbers in the tensor " + printable(entry.name), entry.dtype);
  if (first < 0 || count < 0 || first > entry.count() || count > entry.count() - first)
    throw Error(path, std::to_string(entry.count()) + " values of the tensor " + printable(entry.name),
                "a request beyond");
}

/// TensorFile::read for data that lies in C order: `read_bytes(offset, bytes, to)` copies from the tensor's
/// data.
template <class ReadBytes>
void read_as_floats(std::string const& path, TensorEntry const& entry, std::int64_t first, std::int64_t count,
                    float* to, ReadBytes const& read_bytes) {
  require_piece(path, entry, first, count);
  std::uint64_t const size = dtype_bytes(entry.dtype);
  if (entry.dtype == "F32") return read_bytes(std::uint64_t(first) * size, std::uint64_t(count) * size, to);
  std::int64_t const most = 1 << 16;
  std::vector<char> piece(std::size_t((std::min)(most, count)) * size);
  for (std::int64_t done = 0; done < count; done += most) {
    std::int64_t const now = (std::min)(most, count - done);
    read_bytes(std::uint64_t(first + done) * size, std::uint64_t(now) * size, piece.data());
    to_floats(entry.dtype, piece.data(), now, to + done);
  }
}

}  // namespace detail

}  // namespace glyphdiff
