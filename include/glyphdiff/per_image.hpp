#pragma once

#include <glyphdiff/fence.hpp>
#include <glyphdiff/transfer_block.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

/// What networks are told of each image of a batch, and of a shape that doesn't fit.
namespace glyphdiff {

/// What a network is told of each image of a batch, in the space's memory.
struct Told {
  float const* timesteps = nullptr;  ///< N
  int const* labels = nullptr;       ///< N; null: none
};

/// Takes it there. Its memory grows with the largest batch.
template <class Exec>
class PerImage {
 public:
  /// Told holds until the next call.
  Told upload(Exec const& exec, std::span<float const> timesteps, std::span<int const> labels) {
    block_.clear();
    auto const times = block_.template add<float>(timesteps.size());
    auto const classes = block_.template add<int>(labels.size());
    std::copy(timesteps.begin(), timesteps.end(), block_.host(times).begin());
    std::copy(labels.begin(), labels.end(), block_.host(classes).begin());
    block_.upload(exec);
    fence(exec, "timesteps and labels to the space");
    return {block_.device(times), labels.empty() ? nullptr : block_.device(classes)};
  }

 private:
  TransferBlock<Exec> block_;
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
