#pragma once

#include <glyphdiff/tensor.hpp>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>

/// What networks are told of each image of a batch, and of a shape that doesn't fit.
namespace glyphdiff {

/// One number for each image, a timestep or a label, in the space's memory. Grows with the largest batch.
template <class T, class Exec>
class PerImage {
 public:
  PerImage() = default;
  /// The memory goes along; a copy would share it.
  PerImage(PerImage&& other) noexcept { *this = std::move(other); }
  PerImage& operator=(PerImage&& other) noexcept {
    device_ = std::exchange(other.device_, View());
    return *this;
  }

  void upload(Exec const& exec, std::span<T const> values) {
    if (values.empty()) return;
    if (device_.extent(0) < values.size()) device_ = View("glyphdiff::per_image", values.size());
    Kokkos::View<T*, typename Exec::memory_space, Kokkos::MemoryUnmanaged> const part(device_.data(),
                                                                                      values.size());
    copy_values(exec, part, HostValues(values.data(), values.size()));
    exec.fence();
  }
  T const* data() const { return device_.data(); }

 private:
  using View = Kokkos::View<T*, typename Exec::memory_space>;
  View device_;
};

/// "(2, 8, 8, 3)".
inline std::string shape_text(std::initializer_list<std::int64_t> extents) {
  std::string text;
  for (std::int64_t extent : extents) text += (text.empty() ? "(" : ", ") + std::to_string(extent);
  return text + ")";
}

template <class View>
std::string shape_text(View const& view) {
  std::string text;
  for (int axis = 0; axis < int(View::rank); ++axis)
    text += (axis == 0 ? "(" : ", ") + std::to_string(view.extent(axis));
  return text + ")";
}

}  // namespace glyphdiff
