#pragma once

#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/io/image.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace glyphdiff {

/// A drawing or scan made fit to train on: gray, black on white.
struct Drawing {
  Image picture;                   // (H, W, 1)
  std::vector<std::string> notes;  ///< what was done to it, in words
};

/// Whether a picture (RGBA) has transparent parts.
inline bool is_transparent(Image const& rgba) {
  for (std::size_t i = 3; i < rgba.pixels.size(); i += 4)
    if (rgba.pixels[i] < 255) return true;
  return false;
}

/// Whether a picture (RGBA) is coloured: the difference between its strongest and weakest colour is 6 of 255
/// in the mean. The noise of a JPEG is less.
inline bool is_coloured(Image const& rgba) {
  double sum = 0;
  for (std::size_t i = 0; i < rgba.pixels.size(); i += 4) {
    auto const [least, most] = std::minmax({rgba.pixels[i], rgba.pixels[i + 1], rgba.pixels[i + 2]});
    sum += (most - least) * rgba.pixels[i + 3] / 255.0;
  }
  return 4 * sum >= 6.0 * double(rgba.pixels.size());
}

/// A picture (RGBA) laid on paper of a gray tone: luma of Rec. 601, (H, W, 1).
inline Image on_paper(Image const& rgba, int paper) {
  Image gray(rgba.height, rgba.width, 1);
  for (std::size_t i = 0; i < gray.pixels.size(); ++i) {
    std::uint8_t const* const in = &rgba.pixels[4 * i];
    int const luma = (299 * in[0] + 587 * in[1] + 114 * in[2] + 500) / 1000;
    gray.pixels[i] = std::uint8_t((luma * in[3] + paper * (255 - in[3]) + 127) / 255);
  }
  return gray;
}

namespace detail {

/// The most frequent tones of paper and ink of a picture, black on white.
struct Tones {
  int ink, paper;
};
inline Tones tones(Image const& picture) {
  std::array<std::size_t, 256> count{};
  for (std::uint8_t const value : picture.pixels) ++count[value];
  auto const [darkest, lightest] = std::minmax_element(picture.pixels.begin(), picture.pixels.end());
  auto const middle = count.begin() + (*darkest + *lightest) / 2;
  return {int(std::max_element(count.begin(), middle) - count.begin()),
          int(std::max_element(middle, count.end()) - count.begin())};
}

}  // namespace detail

/// Makes a picture (RGBA) a drawing. What is transparent becomes paper, colours become gray, a light letter
/// on dark paper is turned; where paper is not white, as in a scan, it becomes white and ink black.
inline Drawing make_drawing(Image const& rgba) {
  Drawing drawing{on_paper(rgba, 255), {}};
  Image& picture = drawing.picture;
  if (is_transparent(rgba)) {
    drawing.notes.emplace_back("transparent parts became paper");
    // White ink on nothing is seen on black alone.
    auto const [least, most] = std::minmax_element(picture.pixels.begin(), picture.pixels.end());
    if (*most - *least < 64) picture = on_paper(rgba, 0);
  }
  if (is_coloured(rgba)) drawing.notes.emplace_back("colours became gray");
  if (is_white_on_black(picture)) {
    picture = inverted(std::move(picture));
    drawing.notes.emplace_back("white on black was turned");
  }
  auto const [ink, paper] = detail::tones(picture);
  if (paper < 250 && paper - ink >= 32) {
    // Both tones vary: an eighth of what lies between them is still paper, or ink.
    double const low = ink + (paper - ink) / 8.0, high = paper - (paper - ink) / 8.0;
    for (std::uint8_t& value : picture.pixels)
      value = std::uint8_t(std::clamp(255 * (value - low) / (high - low), 0.0, 255.0) + 0.5);
    drawing.notes.emplace_back("paper became white and ink black");
  }
  return drawing;
}

}  // namespace glyphdiff
