#pragma once

#include <glyphdiff/error.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace glyphdiff {

/// Which of `steps` timesteps a shorter sampling run keeps, ascending.
/// "ddimN": the smallest stride from 0 that gives exactly N (Song et al. 2020). "N" or "a,b,c": `steps` is
/// cut into equal sections, the first ones one longer, and each keeps that many, spread from its first to its
/// last (Nichol & Dhariwal 2021, section 4). "": all of them. Throws Error for anything else, and where the
/// count can't be had.
inline std::vector<int> respaced_timesteps(std::string_view respacing, int steps) {
  std::string const quoted = "timestep respacing \"" + std::string(respacing) + "\"";
  auto const number = [&](std::string_view text) {
    int value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 1)
      throw Error(quoted, "\"ddimN\" or counts \"a,b,c\" of 1 or more", "\"" + std::string(text) + "\"");
    return value;
  };

  std::vector<int> kept;
  if (respacing.empty()) {
    for (int t = 0; t < steps; ++t) kept.push_back(t);
    return kept;
  }
  if (respacing.starts_with("ddim")) {
    int const count = number(respacing.substr(4));
    for (int stride = 1; stride < steps; ++stride)
      if ((steps - 1) / stride + 1 == count) {
        for (int t = 0; t < steps; t += stride) kept.push_back(t);
        return kept;
      }
    throw Error(quoted + ": no stride through " + std::to_string(steps) + " timesteps gives exactly " +
                std::to_string(count));
  }

  std::vector<int> counts;
  for (std::size_t begin = 0; begin <= respacing.size();) {
    std::size_t const comma = (std::min)(respacing.find(',', begin), respacing.size());
    counts.push_back(number(respacing.substr(begin, comma - begin)));
    begin = comma + 1;
  }
  int const sections = static_cast<int>(counts.size());
  for (int section = 0, first = 0; section < sections; ++section) {
    int const size = steps / sections + (section < steps % sections ? 1 : 0), count = counts[section];
    if (size < count)
      throw Error(quoted,
                  "at most " + std::to_string(size) + " of the " + std::to_string(size) +
                      " timesteps in section " + std::to_string(section + 1),
                  std::to_string(count));
    double const stride = count > 1 ? (size - 1) / double(count - 1) : 1.0;
    double position = 0;
    for (int i = 0; i < count;
         ++i, position += stride)  // accumulated, and halves rounded to even, as files expect
      kept.push_back(first + static_cast<int>(std::nearbyint(position)));
    first += size;
  }
  return kept;
}

}  // namespace glyphdiff
