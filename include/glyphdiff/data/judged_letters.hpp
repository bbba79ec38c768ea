#pragma once

#include <glyphdiff/data/characters.hpp>
#include <glyphdiff/data/dataset.hpp>
#include <glyphdiff/data/image_folder.hpp>
#include <glyphdiff/data/letter_atlas.hpp>
#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/grid.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/io/resize.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace glyphdiff {

/// Letters of one character to judge or to compare with, gray, black on white, (N,S,S,1).
struct JudgedLetters {
  ImageDataset letters;
  std::vector<std::string> families{};  ///< of each letter, or empty where nothing says so
  std::vector<std::string> skipped{};   ///< one sentence for each picture that cannot be read, naming it
};

enum class LetterSplit { train, held_out };

namespace detail {

/// Brings pictures to squares of `size`, or leaves them as they are if it is 0.
inline ImageDataset letters_of(std::vector<Image> pictures, std::vector<std::string> names, int size) {
  for (std::size_t n = 0; n < pictures.size(); ++n) {
    Image& picture = pictures[n];
    if (size == 0 && (picture.height != pictures[0].height || picture.width != picture.height))
      throw Error(names[n], "a square picture of the size of the others, or a size that all are brought to",
                  std::to_string(picture.width) + "x" + std::to_string(picture.height));
    if (is_white_on_black(picture)) picture = inverted(std::move(picture));
    bool const shrinks = (std::max)(picture.height, picture.width) > size;
    if (size > 0) picture = fit_to_square(picture, size, shrinks ? ResizeFilter::area : ResizeFilter::cubic);
  }
  return make_dataset(pictures, std::move(names));
}

/// The letters of this character in a data set with a manifest.
inline JudgedLetters letters_of_set(std::filesystem::path const& folder, int size,
                                    std::string const& character) {
  LetterSet set = load_letter_set(folder);
  std::set<std::string> characters;
  for (LetterEntry const& entry : set.entries) characters.insert(entry.character);
  std::string found;
  for (std::string const& one : characters) found += (found.empty() ? "" : " ") + one;
  std::string const wanted = character.empty() && characters.size() == 1 ? *characters.begin() : character;
  if (!characters.contains(wanted))
    throw Error(folder.string(), wanted.empty() ? "one character to be chosen of it" : "letters " + wanted,
                found);
  JudgedLetters result;
  std::vector<Image> pictures;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < set.entries.size(); ++i) {
    if (set.entries[i].character != wanted) continue;
    pictures.push_back(std::move(set.pictures[i]));
    names.push_back(set.entries[i].file);
    result.families.push_back(set.entries[i].family);
  }
  result.letters = letters_of(std::move(pictures), std::move(names), size);
  result.skipped = std::move(set.skipped);
  return result;
}

/// All pictures of a folder that can be read, but for those whose names say another character.
inline JudgedLetters letters_of_folder(std::filesystem::path const& folder, int size,
                                       std::string const& character) {
  JudgedLetters result;
  std::vector<Image> pictures;
  std::vector<std::string> names;
  for (std::filesystem::path const& file : files_of_folder(folder)) {
    std::string const stem = file.stem().string();
    std::size_t const underscore = stem.find('_');
    auto const said = character_of_word(stem.substr(0, underscore));
    bool const number = said && *said >= U'0' && *said <= U'9';  // of a picture, as in 7_2.png
    if (!character.empty() && underscore != std::string::npos && said && !number &&
        to_utf8(*said) != character)
      continue;
    try {
      pictures.push_back(read_image(file, 1));
      names.push_back(file.string());
    } catch (Error const& unreadable) {
      result.skipped.emplace_back(unreadable.what());
    }
  }
  if (pictures.empty())
    throw Error(folder.string(),
                "at least one PNG or JPEG image" + (character.empty() ? "" : " that may show " + character),
                result.skipped.empty() ? "none" : "none, first " + result.skipped.front());
  result.letters = letters_of(std::move(pictures), std::move(names), size);
  return result;
}

}  // namespace detail

/// Loads letters from whatever they lie in: a data set of letters (a folder with letters.tsv: those of
/// `character`, which may be left out if there is one only), another folder (its pictures, but for those
/// called by another character), a letter atlas (a picture with a list of its cells beside it, letters.tsv
/// beside letters.png: one split), or a contact sheet as `image_grid` makes it. They come at `size`, or at
/// their own if it is 0. Throws Error where there are none, of that character, or of different sizes that are
/// to stay so.
inline JudgedLetters load_letters(std::filesystem::path const& source, int size, std::string const& character,
                                  LetterSplit split) {
  std::error_code error;
  if (std::filesystem::is_directory(source, error))
    return std::filesystem::exists(source / "letters.tsv", error)
               ? detail::letters_of_set(source, size, character)
               : detail::letters_of_folder(source, size, character);
  if (!std::filesystem::exists(source, error))
    throw Error(source.string(), "a folder of pictures, a sheet of letters or an atlas of them", "nothing");
  std::filesystem::path list = source;
  list.replace_extension("tsv");
  JudgedLetters result;
  if (std::filesystem::exists(list, error)) {
    LetterAtlas atlas = load_letter_atlas(source, list, size > 0 ? size : 64);
    result.letters = std::move(split == LetterSplit::train ? atlas.train : atlas.held_out);
    if (result.letters.size() == 0) throw Error(list.string(), "letters that are held out", "none");
    return result;
  }
  std::vector<Image> cells = images_of_grid(read_image(source, 1), size, source.string());
  if (cells.size() < 2)
    throw Error(source.string(), "a sheet of letters, or an atlas with its list beside it, " + list.string(),
                "a single picture");
  std::vector<std::string> names;
  for (std::size_t n = 0; n < cells.size(); ++n) names.push_back("letter " + std::to_string(n));
  result.letters = detail::letters_of(std::move(cells), std::move(names), size);
  return result;
}

/// Takes a tenth of the letters out, to compare with: every tenth family, where at least ten are known, so
/// that a held-out letter has no near copy among the others, unless that is fewer than 3 letters; else every
/// tenth letter. Returns them, and says
/// in words which. Error if there are fewer than 30 letters.
inline std::pair<ImageDataset, std::string> hold_out_letters(JudgedLetters& from) {
  // Families may be so unequal that a tenth of them is nothing to compare with.
  constexpr std::size_t fewest = 3;
  std::set<std::string> const families(from.families.begin(), from.families.end());
  bool by_family = families.size() >= 10;
  if (by_family) {
    ImageDataset tried = from.letters;
    by_family = hold_out_tenth(tried, from.families).size() >= fewest;
  }
  if (!by_family) from.families.clear();
  ImageDataset held_out = hold_out_tenth(from.letters, from.families);
  from.families.clear();
  return {std::move(held_out), by_family ? "every tenth family" : "every tenth letter"};
}

}  // namespace glyphdiff
