#pragma once

#include <glyphdiff/fence.hpp>
#include <glyphdiff/random.hpp>
#include <glyphdiff/transfer_block.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

/// What networks are told of each image of a batch, and of a shape that doesn't fit.
namespace glyphdiff {

/// Which random numbers a training pass drops activations by.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::int64_t first_sample = 0;  ///< global number of the batch's first sample

  /// The numbers; `part` is each layer's own.
  RandomBatch numbers() const { return {{seed, Stream::dropout, step}, std::uint64_t(first_sample)}; }
};

/// Adds which random numbers each microbatch of a batch takes to a block: those of one key, from the number
/// of its first sample on.
template <class Exec>
auto add_random(TransferBlock<Exec>& block, RandomKey const& key, std::size_t batch, std::size_t microbatch) {
  auto const part = block.template add<RandomBatch>((batch + microbatch - 1) / microbatch);
  for (std::size_t m = 0; m < part.count; ++m) block.host(part)[m] = {key, m * microbatch};
  return part;
}

/// What a network is told of a batch of images, in the space's memory.
struct Told {
  float const* timesteps = nullptr;      ///< N
  int const* labels = nullptr;           ///< N; null: none
  RandomBatch const* dropout = nullptr;  ///< one; not read by networks without dropout, or by an Evaluator
};

/// Takes it there. Its memory grows with the largest batch.
template <class Exec>
class PerImage {
 public:
  /// Told holds until the next call.
  Told upload(Exec const& exec, std::span<float const> timesteps, std::span<int const> labels,
              DropoutKey const& dropout = {}) {
    block_.clear();
    auto const times = block_.template add<float>(timesteps.size());
    auto const classes = block_.template add<int>(labels.size());
    auto const numbers = block_.template add<RandomBatch>(1);
    std::copy(timesteps.begin(), timesteps.end(), block_.host(times).begin());
    std::copy(labels.begin(), labels.end(), block_.host(classes).begin());
    block_.host(numbers)[0] = dropout.numbers();
    block_.upload(exec);
    fence(exec, "timesteps and labels to the space");
    return {block_.device(times), labels.empty() ? nullptr : block_.device(classes), block_.device(numbers)};
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
