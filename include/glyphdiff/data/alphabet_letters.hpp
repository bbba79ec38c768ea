#pragma once

#include <glyphdiff/data/alphabet.hpp>
#include <glyphdiff/data/alphabet_batches.hpp>
#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/error.hpp>

#include <cmath>
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
};

/// Loads a folder with a manifest (load_letter_set). Letters have the style of the font that they were drawn
/// from, or of their family where each letter has a file of its own, and where that leaves every letter alone
/// they have one style together; characters that the alphabet does not
/// have are skipped. Error as load_letter_set; also where letters don't lie as AlphabetFrame says, or all are
/// skipped.
inline AlphabetLetters load_alphabet_letters(std::filesystem::path const& folder) {
  LetterSet set = load_letter_set(folder);
  AlphabetLetters result;
  result.skipped = std::move(set.skipped);
  std::map<std::string, std::set<std::string>> characters;
  for (LetterEntry const& entry : set.entries) characters[entry.source].insert(entry.character);
  std::set<std::string> unknown;
  for (std::size_t i = 0; i < set.entries.size(); ++i) {
    LetterEntry& entry = set.entries[i];
    using Frame = AlphabetFrame;
    if (set.pictures[i].height != Frame::size || std::abs(entry.baseline - Frame::baseline) > 0.5 ||
        (entry.cap_height > 0 && std::abs(entry.cap_height - Frame::cap_height) > 1))
      throw Error((folder / entry.file).string(),
                  "a letter of 64x64 pixels with its baseline at 48 and capitals 40 high (letters --size 64 "
                  "--baseline 48 --cap-height 40)",
                  std::to_string(set.pictures[i].height) + " pixels, " +
                      std::to_string(std::lround(entry.baseline)) + " and " +
                      std::to_string(std::lround(entry.cap_height)));
    int const label = alphabet_class(entry.character);
    if (label == no_class) {
      unknown.insert(entry.character);
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
    throw Error(folder.string(), "letters of " + std::string(alphabet), "others alone");
  return result;
}

}  // namespace glyphdiff
