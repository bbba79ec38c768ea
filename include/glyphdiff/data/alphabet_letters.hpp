#pragma once

#include <glyphdiff/data/alphabet.hpp>
#include <glyphdiff/data/alphabet_batches.hpp>
#include <glyphdiff/data/ink_box.hpp>
#include <glyphdiff/data/letter_frame.hpp>
#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/data/place_drawing.hpp>
#include <glyphdiff/error.hpp>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// The letters of a folder that an alphabet model can learn from or be shown.
struct AlphabetLetters {
  std::vector<StyledLetter> letters;
  std::vector<LetterEntry> entries;  ///< of each letter
  std::vector<std::string> skipped;  ///< one sentence for each that is left out
  std::size_t moved = 0;             ///< how many lay otherwise and were brought to AlphabetFrame
};

namespace detail {

/// Brings a letter of another size, baseline or cap height to AlphabetFrame, and its entry with it; false
/// for one that lies so already, which stays as it is. Where the cap height is not known, the size says by
/// how much to scale. Throws Error for a letter that would be clipped.
inline bool bring_to_alphabet_frame(Image& picture, LetterEntry& entry, std::string const& where) {
  using Frame = AlphabetFrame;
  if (picture.height == Frame::size && std::abs(entry.baseline - Frame::baseline) <= 0.5 &&
      (entry.cap_height <= 0 || std::abs(entry.cap_height - Frame::cap_height) <= 1))
    return false;
  double const scale =
      entry.cap_height > 0 ? Frame::cap_height / entry.cap_height : double(Frame::size) / picture.height;
  Placement const at{scale, 0.5 * (Frame::size - scale * picture.width),
                     Frame::baseline - scale * entry.baseline};
  LetterFrame const frame{Frame::size, Frame::baseline, Frame::cap_height};
  if (auto const ink = ink_box(picture);
      ink && !fits(frame, at.left + scale * ink->left, at.top + scale * ink->top,
                   at.left + scale * ink->right, at.top + scale * ink->bottom))
    throw clipped(where, entry.character, frame);
  picture = place_drawing(std::move(picture), at, Frame::size);
  entry.scale *= scale;
  entry.baseline = Frame::baseline;
  if (entry.cap_height > 0) entry.cap_height = Frame::cap_height;
  entry.origin = at.left + scale * entry.origin;
  entry.advance *= scale;
  return true;
}

}  // namespace detail

/// Loads a folder with a manifest (load_letter_set). Letters have the style of the font that they were drawn
/// from, or of their family where each letter has a file of its own, and where that leaves every letter alone
/// they have one style together; characters that the alphabet does not
/// have are skipped, and so are letters that AlphabetFrame, to which those of other frames are brought, would
/// clip. Error as load_letter_set; also where all are skipped.
inline AlphabetLetters load_alphabet_letters(std::filesystem::path const& folder) {
  LetterSet set = load_letter_set(folder);
  AlphabetLetters result;
  result.skipped = std::move(set.skipped);
  std::map<std::string, std::set<std::string>> characters;
  for (LetterEntry const& entry : set.entries) characters[entry.source].insert(entry.character);
  std::set<std::string> unknown;
  for (std::size_t i = 0; i < set.entries.size(); ++i) {
    LetterEntry& entry = set.entries[i];
    int const label = alphabet_class(entry.character);
    if (label == no_class) {
      unknown.insert(entry.character);
      continue;
    }
    try {
      result.moved +=
          detail::bring_to_alphabet_frame(set.pictures[i], entry, (folder / entry.file).string()) ? 1 : 0;
    } catch (Error const& error) {
      result.skipped.emplace_back(error.what());
      continue;
    }
    bool const one_font = characters[entry.source].size() > 1;
    result.letters.push_back({std::move(set.pictures[i]), label, one_font ? entry.source : entry.family});
    result.entries.push_back(std::move(entry));
  }
  std::set<std::string> styles;
  for (StyledLetter const& letter : result.letters) styles.insert(letter.style);
  if (styles.size() == result.letters.size())
    for (StyledLetter& letter : result.letters) letter.style = *styles.begin();
  for (std::string const& character : unknown)
    result.skipped.push_back(folder.string() + ": the letters " + character + ", which the alphabet lacks");
  if (result.letters.empty())
    throw Error(folder.string(), "letters of " + std::string(alphabet),
                "others alone, first " + result.skipped.front());
  return result;
}

}  // namespace glyphdiff
