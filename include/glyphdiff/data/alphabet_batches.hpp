#pragma once

#include <glyphdiff/config.hpp>
#include <glyphdiff/data/augment.hpp>
#include <glyphdiff/data/batches.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/random.hpp>
#include <glyphdiff/tensor.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// What stands in a condition where no reference letter is given: a gray that no letter is all over.
inline constexpr float no_reference = 0;

/// A letter to learn: its picture, its class, and a name that the letters of its style share.
struct StyledLetter {
  Image picture;  ///< gray, (size,size,1)
  int label = no_class;
  std::string style;
};

/// The batches that a network learns classes and styles from: each letter comes with its class and a few
/// letters of other classes in the same style as references. Some come without references and some without
/// class as well, for styles of the network's own and for classifier-free guidance (Ho & Salimans 2022). What
/// is drawn is a function of the seed and the step.
class AlphabetBatches {
 public:
  struct Options {
    int batch = 32;
    int references = 3;                                    ///< at most, for each letter
    double without_references = 0.2, without_class = 0.1;  ///< shares of the letters
    std::uint64_t seed = 0;
    std::optional<LetterAugmentation> augmentation{};  ///< of letters with references, which vary alike
  };

  struct Batch {
    HostImages images;        ///< (batch,size,size,1)
    std::vector<int> labels;  ///< batch
    HostImages condition;     ///< (batch,size,size,references)
  };

  /// Error if there are no letters, or of different sizes.
  AlphabetBatches(std::vector<StyledLetter> letters, Options options)
      : letters_(std::move(letters)),
        options_(options),
        order_(letters_.size(), std::size_t(options.batch), options.seed),
        size_(letters_.front().picture.height),
        one_(std::size_t(size_) * size_),
        varied_(one_.size()) {
    for (std::size_t i = 0; i < letters_.size(); ++i) {
      Image const& picture = letters_[i].picture;
      if (picture.height != size_ || picture.width != size_ || picture.channels != 1)
        throw Error("letter " + std::to_string(i),
                    std::to_string(size_) + "x" + std::to_string(size_) + " gray pixels, as the first",
                    std::to_string(picture.height) + "x" + std::to_string(picture.width) + "x" +
                        std::to_string(picture.channels));
      styles_[letters_[i].style].push_back(i);
    }
    batch_.images = HostImages("glyphdiff::batch", options.batch, size_, size_, 1);
    batch_.condition =
        HostImages("glyphdiff::batch::condition", options.batch, size_, size_, options.references);
    batch_.labels.resize(std::size_t(options.batch));
  }

  /// The batch of update number `step`, counted from 0. Valid until the next call.
  Batch const& operator()(std::int64_t step) {
    auto const chosen = order_.batch(std::uint64_t(step));
    for (int slot = 0; slot < options_.batch; ++slot) fill(slot, chosen[std::size_t(slot)], step);
    return batch_;
  }

  std::size_t letter_count() const { return letters_.size(); }
  std::size_t style_count() const { return styles_.size(); }

 private:
  void fill(int slot, std::size_t letter, std::int64_t step) {
    auto const dropped =
        uniform4({options_.seed, Stream::class_drop, std::uint64_t(step)}, random_index(slot, 0));
    bool const without_class = dropped[0] < options_.without_class;
    bool const alone = without_class || dropped[0] < options_.without_class + options_.without_references;
    auto const references =
        alone ? std::vector<std::size_t>{} : choose_references(slot, letter, step, dropped[1]);
    auto u = uniform4({options_.seed, Stream::augmentation, std::uint64_t(step)}, random_index(slot, 0));
    if (references.empty() || !options_.augmentation) u = {0.5f, 0.5f, 0, 0};

    draw(letter, u,
         [&, out = &batch_.images(slot, 0, 0, 0)](std::size_t pixel, float value) { out[pixel] = value; });
    batch_.labels[std::size_t(slot)] = without_class ? no_class : letters_[letter].label;
    int const places = options_.references;
    float* const condition = &batch_.condition(slot, 0, 0, 0);
    std::fill_n(condition, one_.size() * std::size_t(places), no_reference);
    for (std::size_t k = 0; k < references.size(); ++k)
      draw(references[k], u,
           [&](std::size_t pixel, float value) { condition[pixel * std::size_t(places) + k] = value; });
  }

  /// Up to `references` different letters of the style and of other classes: how many is drawn too.
  std::vector<std::size_t> choose_references(int slot, std::size_t letter, std::int64_t step,
                                             float fraction) {
    std::vector<std::size_t> others;
    for (std::size_t other : styles_.at(letters_[letter].style))
      if (letters_[other].label != letters_[letter].label) others.push_back(other);
    std::size_t const most = (std::min)(others.size(), std::size_t(options_.references));
    std::size_t const count = (std::min)(most, 1 + std::size_t(fraction * float(most)));
    for (std::size_t k = 0; k < count; ++k) {  // the first of a random permutation
      auto const r =
          bits4({options_.seed, Stream::augmentation, std::uint64_t(step), 1}, random_index(slot, k));
      std::swap(others[k], others[k + r[0] % (others.size() - k)]);
    }
    others.resize(count);
    return others;
  }

  /// Calls put(pixel, value) for every pixel of a letter, varied.
  template <class Put>
  void draw(std::size_t letter, Random4<float> const& u, Put const& put) {
    auto const& bytes = letters_[letter].picture.pixels;
    for (std::size_t i = 0; i < one_.size(); ++i) one_[i] = float(bytes[i]) / 127.5f - 1.0f;
    std::vector<float>* shown = &one_;
    if (u[0] != 0.5f || u[1] != 0.5f) {
      augment_letter(one_.data(), size_, varied_.data(), size_, 1, {u[0], u[1], u[2], u[3]},
                     *options_.augmentation);
      shown = &varied_;
    }
    for (std::size_t i = 0; i < one_.size(); ++i) put(i, (*shown)[i]);
  }

  std::vector<StyledLetter> letters_;
  Options options_;
  BatchSampler order_;
  std::map<std::string, std::vector<std::size_t>> styles_;
  int size_;
  std::vector<float> one_, varied_;
  Batch batch_;
};

}  // namespace glyphdiff
