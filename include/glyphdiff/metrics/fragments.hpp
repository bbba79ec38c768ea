#pragma once

#include <glyphdiff/metrics/image_span.hpp>
#include <glyphdiff/metrics/topology.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

namespace glyphdiff {

/// A piece of ink with less than this share of a letter's ink is a fragment: torn off, not drawn. Dots and
/// accents are larger.
inline constexpr double fragment_share = 0.02;

/// Number of fragments of every image; specks that `letter_topology` leaves out are among them.
inline std::vector<int> letter_fragments(ImageSpan images) {
  std::vector<int> found;
  for (int n = 0; n < images.count; ++n) {
    std::vector<int> const areas = piece_areas(images.image(n), images.height, images.width).ink;
    double const limit = fragment_share * std::accumulate(areas.begin(), areas.end(), 0);
    found.push_back(static_cast<int>(
        std::count_if(areas.begin(), areas.end(), [limit](int area) { return area < limit; })));
  }
  return found;
}

/// Share of letters with at least one fragment. NaN when there is no letter.
inline double fragmented_rate(std::vector<int> const& fragments) {
  auto const torn = std::count_if(fragments.begin(), fragments.end(), [](int n) { return n > 0; });
  return static_cast<double>(torn) / static_cast<double>(fragments.size());
}

}  // namespace glyphdiff
