#pragma once

#include <glyphdiff/error.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace glyphdiff {

/// The number of the picture that is nearest to all others (the medoid: least sum of L2 distances): of
/// several drawings of a letter the one that has gone wrong is rarely chosen. Pictures have one size. Error
/// if there are none.
inline std::size_t most_typical(std::vector<std::vector<float>> const& pictures) {
  if (pictures.empty()) throw Error("choosing a picture", "at least one", "none");
  std::size_t best = 0;
  double least = -1;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    double sum = 0;
    for (std::vector<float> const& other : pictures) {
      double square = 0;
      for (std::size_t k = 0; k < other.size(); ++k) {
        double const d = double(pictures[i][k]) - other[k];
        square += d * d;
      }
      sum += std::sqrt(square);
    }
    if (least < 0 || sum < least) least = sum, best = i;
  }
  return best;
}

}  // namespace glyphdiff
