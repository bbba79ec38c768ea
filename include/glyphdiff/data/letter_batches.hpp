#pragma once

#include <glyphdiff/data/augment.hpp>
#include <glyphdiff/data/batches.hpp>
#include <glyphdiff/data/dataset.hpp>
#include <glyphdiff/tensor.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace glyphdiff {

/// The update from which on a run of so many sees letters as they are: its last quarter. What is drawn then
/// follows the letters and not their variations.
inline std::int64_t plain_from(std::int64_t steps) { return steps - steps / 4; }

/// The batches that letters are trained from: which letters, and how each is varied, is a function of the
/// seed and the step.
class LetterBatches {
 public:
  /// `letters`: (N,S,S,C) with S a multiple of `size`, so that variations are drawn from a finer letter than
  /// they are shown at. Without `augmentation` letters are only brought to size. Error if there are no
  /// letters. From update `plain_from` on letters are not varied any more.
  LetterBatches(ImageDataset letters, int size, int batch, std::uint64_t seed,
                std::optional<LetterAugmentation> augmentation,
                std::int64_t plain_from = (std::numeric_limits<std::int64_t>::max)())
      : letters_(std::move(letters)),
        size_(size),
        seed_(seed),
        augmentation_(augmentation),
        plain_from_(plain_from),
        order_(letters_.size(), batch, seed),
        images_(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::batch"), batch, size, size,
                letters_.images.shape(3)) {
    std::size_t const side = letters_.images.shape(1), each = side * side * letters_.images.shape(3);
    for (std::size_t i = 0; i < letters_.size(); ++i) {
      std::span<float> const letter(letters_.images.data() + i * each, each);
      negative_.push_back(is_dark_along_edge(letter, side));
      if (negative_.back()) negate(letter);
    }
  }

  /// The batch of update number `step`, counted from 0: (batch,size,size,C). Valid until the next call.
  HostImages const& operator()(std::int64_t step) {
    int const source = int(letters_.images.shape(1)), channels = int(letters_.images.shape(3));
    auto const letters = chosen(step);
    for (std::size_t i = 0; i < letters.size(); ++i) {
      auto const u = uniform4({seed_, Stream::augmentation, std::uint64_t(step)}, random_index(i, 0));
      float const* const letter = letters_.images.data() + letters[i] * source * source * channels;
      float* const image = images_.data() + i * size_ * size_ * channels;
      if (augmentation_ && step < plain_from_)
        augment_letter(letter, source, image, size_, channels, {u[0], u[1], u[2], u[3]}, *augmentation_);
      else
        augment_letter(letter, source, image, size_, channels, {});
      if (negative_[letters[i]]) negate({image, std::size_t(size_) * size_ * channels});
    }
    return images_;
  }

  /// The letters of that batch, by number.
  std::vector<std::size_t> chosen(std::int64_t step) { return order_.batch(std::uint64_t(step)); }

  std::size_t letter_count() const { return letters_.size(); }

 private:
  /// White letters on black are varied as their negatives, since variation takes what is dark for ink.
  static bool is_dark_along_edge(std::span<float const> letter, std::size_t side) {
    std::size_t const channels = letter.size() / (side * side);
    std::size_t dark = 0, all = 0;
    for (std::size_t y = 0; y < side; ++y)
      for (std::size_t x = 0; x < side; ++x)
        if (y == 0 || y + 1 == side || x == 0 || x + 1 == side)
          dark += letter[(y * side + x) * channels] < 0, ++all;
    return 2 * dark > all;
  }
  static void negate(std::span<float> values) {
    for (float& value : values) value = -value;
  }

  ImageDataset letters_;
  std::vector<bool> negative_;
  int size_;
  std::uint64_t seed_;
  std::optional<LetterAugmentation> augmentation_;
  std::int64_t plain_from_;
  BatchSampler order_;
  HostImages images_;
};

}  // namespace glyphdiff
