#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/metrics/neighbours.hpp>

#include <string>

namespace glyphdiff {

/// Mean distance of two different letters of a set; `distances` (N, N) are those among them, N >= 2. Compare
/// with the same figure of real letters: a model that draws few kinds of letters stays below it.
inline double diversity(RowMatrix const& distances) {
  auto const count = static_cast<double>(distances.rows());
  if (distances.rows() < 2)
    throw Error("expected at least 2 letters for their diversity, found " + std::to_string(distances.rows()));
  return (distances.sum() - distances.trace()) / (count * (count - 1));
}

}  // namespace glyphdiff
