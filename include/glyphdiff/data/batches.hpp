#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/random.hpp>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// Says which images make a batch. The images come in epochs, each a random permutation of all of them, cut
/// into batches without regard to where an epoch ends; a set smaller than the batch gives several epochs to
/// one batch. The answer depends on (seed, position) alone, so a resumed run sees what an uninterrupted one
/// would.
class BatchSampler {
 public:
  /// Throws Error unless there is an image and batches have room for one.
  BatchSampler(std::size_t image_count, std::size_t batch_size, std::uint64_t seed)
      : batch_size_(batch_size), seed_(seed), order_(image_count) {
    if (image_count == 0 || batch_size == 0)
      throw Error("a batch needs at least one image and room for one, found " + std::to_string(image_count) +
                  " images and a batch size of " + std::to_string(batch_size));
    shuffle(0);
  }

  std::size_t batch_size() const { return batch_size_; }
  std::size_t image_count() const { return order_.size(); }

  /// The image at a position of the endless sequence. O(1) within the epoch last asked for.
  std::size_t image_at(std::uint64_t position) {
    std::uint64_t const epoch = position / order_.size();
    if (epoch != epoch_) shuffle(epoch);
    return order_[position % order_.size()];
  }

  /// The images of batch number `step` (from 0).
  std::vector<std::size_t> batch(std::uint64_t step) {
    std::vector<std::size_t> images(batch_size_);
    for (std::size_t i = 0; i < batch_size_; ++i) images[i] = image_at(step * batch_size_ + i);
    return images;
  }

 private:
  /// Fisher and Yates, with 64-bit random fractions: the bias is at most image_count / 2^64.
  void shuffle(std::uint64_t epoch) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    RandomKey const key{.seed = seed_, .stream = Stream::data_order, .step = epoch};
    for (std::size_t left = order_.size(); left > 1; --left) {
      auto const r = bits4(key, left);
      std::uint64_t const fraction = std::uint64_t{r[0]} << 32 | r[1];
      std::swap(order_[left - 1], order_[fraction % left]);
    }
    epoch_ = epoch;
  }

  std::size_t batch_size_;
  std::uint64_t seed_, epoch_ = 0;
  std::vector<std::size_t> order_;
};

}  // namespace glyphdiff
