#pragma once

#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/io/resize.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// Recognises fonts whose letters have been seen before: copies, renamed ones, weights that differ by a hair.
class DistinctFonts {
 public:
  /// Fonts are one font where the root mean square over the characters that both have of the letters'
  /// Euclidean distance, at 64 x 64 pixels on a scale of 0 to 1, is below `least`. 0: only never.
  explicit DistinctFonts(double least = 3) : least_squared_(least * least * 255 * 255) {}

  /// Remembers the letters of a font and says true, unless they are those of one that is remembered.
  bool add(std::vector<Letter> const& letters) {
    Alphabet letters_of_font;
    for (Letter const& letter : letters) {
      std::size_t const place = places_.emplace(letter.entry.character, places_.size()).first->second;
      letters_of_font.resize((std::max)(letters_of_font.size(), place + 1));
      letters_of_font[place] = resize(letter.picture, compared, compared, ResizeFilter::area).pixels;
    }
    for (Alphabet const& known : known_)
      if (same(known, letters_of_font)) return false;
    if (least_squared_ > 0) known_.push_back(std::move(letters_of_font));
    return true;
  }

 private:
  static constexpr int compared = 64;
  /// Pixels of each character, in the order in which characters first came; nothing for one that is missing.
  using Alphabet = std::vector<std::vector<std::uint8_t>>;

  bool same(Alphabet const& a, Alphabet const& b) const {
    std::size_t const common = (std::min)(a.size(), b.size());
    auto const both = [&](std::size_t i) { return !a[i].empty() && !b[i].empty(); };
    double count = 0, sum = 0;
    for (std::size_t i = 0; i < common; ++i) count += both(i);
    for (std::size_t i = 0; i < common && sum < least_squared_ * count; ++i)  // most fonts differ at once
      if (both(i)) sum += squared_distance(a[i], b[i]);
    return sum < least_squared_ * count;
  }

  static double squared_distance(std::vector<std::uint8_t> const& a, std::vector<std::uint8_t> const& b) {
    std::int32_t sum = 0;  // at most 4096 * 255^2
    for (std::size_t i = 0; i < a.size(); ++i) {
      std::int32_t const difference = std::int32_t(a[i]) - std::int32_t(b[i]);
      sum += difference * difference;
    }
    return sum;
  }

  double least_squared_;
  std::map<std::string, std::size_t> places_;
  std::vector<Alphabet> known_;
};

}  // namespace glyphdiff
