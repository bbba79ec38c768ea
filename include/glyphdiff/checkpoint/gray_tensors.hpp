#pragma once

#include <glyphdiff/checkpoint/tensor_file.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace glyphdiff {

/// A file of a network for colour pictures, seen as that of the same network for gray ones: the first
/// convolution's weights are summed over red, green and blue (which are equal in a gray picture), and the
/// last one's outputs, prediction and variance alike, averaged over them. All other tensors are the file's.
/// `file` must outlive it.
class GrayTensors : public TensorFile {
 public:
  /// Throws Error if the file's network is not one for three channels.
  explicit GrayTensors(TensorFile const& file) : file_(&file), entries_(file.entries()) {
    int adapted = 0;
    for (TensorEntry& entry : entries_) {
      if (!is_adapted(entry)) continue;
      std::int64_t& channels = entry.shape[is_first(entry) ? 1 : 0];
      bool const fits = is_first(entry) ? channels == 3 : channels == 3 || channels == 6;
      if (!fits)
        throw Error(file.path(), "a network for pictures of three channels",
                    std::to_string(channels) + " channels in " + entry.name);
      channels /= 3;
      ++adapted;
    }
    if (adapted < 3)
      throw Error(file.path(), "input_blocks.0.0.weight, out.2.weight and out.2.bias",
                  std::to_string(adapted) + " of them");
  }

  std::string const& path() const override { return file_->path(); }
  std::vector<TensorEntry> const& entries() const override { return entries_; }
  KeyValues const& metadata() const override { return file_->metadata(); }

  void read(std::size_t index, std::int64_t first, std::int64_t count, float* to) const override {
    TensorEntry const& entry = entries_[index];
    if (!is_adapted(entry)) return file_->read(index, first, count, to);
    detail::require_piece(path(), entry, first, count);
    // A few thousand numbers: (Out, 3, 3, 3) to (Out, 1, 3, 3), or (3 or 6, ...) to (1 or 2, ...).
    std::vector<float> colour(std::size_t(3 * entry.count()));
    file_->read(index, 0, 3 * entry.count(), colour.data());
    std::int64_t inner = 1;  // numbers of one channel
    for (std::size_t axis = is_first(entry) ? 2 : 1; axis < entry.shape.size(); ++axis)
      inner *= entry.shape[axis];
    double const scale = is_first(entry) ? 1.0 : 1.0 / 3.0;
    for (std::int64_t i = first; i < first + count; ++i) {
      float const* const red = colour.data() + i / inner * 3 * inner + i % inner;
      to[i - first] = float(scale * (double(red[0]) + double(red[inner]) + double(red[2 * inner])));
    }
  }

  void require_intact(std::size_t index, std::int64_t first, std::int64_t count) const override {
    TensorEntry const& original = file_->entries()[index];
    if (is_adapted(entries_[index])) return file_->require_intact(index, 0, original.count());
    file_->require_intact(index, first, count);
  }
  int verify(std::size_t index) const override { return file_->verify(index); }

 private:
  static bool is_first(TensorEntry const& entry) {
    return entry.name.ends_with("input_blocks.0.0.weight") && entry.shape.size() == 4;
  }
  static bool is_adapted(TensorEntry const& entry) {
    std::string_view const name = entry.name;
    return is_first(entry) || (name.ends_with("out.2.weight") && entry.shape.size() == 4) ||
           (name.ends_with("out.2.bias") && entry.shape.size() == 1);
  }

  TensorFile const* file_;
  std::vector<TensorEntry> entries_;
};

}  // namespace glyphdiff
