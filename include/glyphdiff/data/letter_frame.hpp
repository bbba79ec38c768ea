#pragma once

#include <glyphdiff/error.hpp>

#include <cmath>
#include <string>

namespace glyphdiff {

/// Where letters stand in their pictures: all on one baseline, at one cap height or x-height.
struct LetterFrame {
  int size = 64;           ///< pixels per side
  double baseline = 48;    ///< rows from the top edge to the baseline; 48 of 64 as AlphabetFrame has it
  double cap_height = 40;  ///< pixels that H is high
  double x_height = 0;     ///< pixels that x is high; where it is said, the cap height follows from the font
  bool side_bearings = false;  ///< centred by the advance, as in a line of text; else by the ink

  static constexpr double margin = 1;  ///< pixels of paper that are left on all sides, or a letter is clipped
};

/// Whether ink between these columns and rows has paper all round. Not so for NaN.
inline bool fits(LetterFrame const& frame, double left, double top, double right, double bottom) {
  double const least = LetterFrame::margin, most = frame.size - LetterFrame::margin;
  return left >= least && top >= least && right <= most && bottom <= most;
}

/// The Error for a letter that doesn't.
inline Error clipped(std::string const& where, std::string const& character, LetterFrame const& frame) {
  std::string const size = std::to_string(frame.size);
  return Error(where, character + " to fit into " + size + "x" + size, "that it would be clipped");
}

/// Throws Error for a frame that has no room for a letter.
inline void check_frame(LetterFrame const& frame) {
  double const height = frame.x_height > 0 ? frame.x_height : frame.cap_height;
  if (frame.size < 8 || frame.size > 4096)
    throw Error("size", "8 to 4096 pixels", std::to_string(frame.size));
  if (!(height > 0 && height < frame.baseline && frame.baseline < frame.size))
    throw Error("frame",
                "letters that begin below the top edge and stand above the lower one of " +
                    std::to_string(frame.size) + " rows",
                "a height of " + std::to_string(std::lround(height)) + " on row " +
                    std::to_string(std::lround(frame.baseline)));
}

}  // namespace glyphdiff
