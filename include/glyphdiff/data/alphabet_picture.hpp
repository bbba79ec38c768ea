#pragma once

#include <glyphdiff/data/alphabet.hpp>
#include <glyphdiff/data/characters.hpp>
#include <glyphdiff/data/ink_box.hpp>
#include <glyphdiff/data/letter_frame.hpp>
#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/data/place_drawing.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/io/resize.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace glyphdiff {

/// A picture of a letter as an alphabet model sees it.
struct AlphabetPicture {
  Image image;                     // (64,64,1), black on white, as AlphabetFrame has it
  int height = 0, width = 0;       ///< of the file
  std::optional<Placement> moved;  ///< how it was brought to the frame; none if it was taken as it is
};

/// Reads a picture of a letter. One of 64x64 pixels is taken to lie in the frame already. Any other is
/// scaled and moved until its ink stands on the baseline and is as high as capitals, or for small letters as
/// an x: `character` says what it shows, or else the beginning of the file's name (R_12.png). Throws Error
/// for a picture that cannot be read, has no ink or no known character, and for a letter that reaches below
/// the baseline, since nothing says how far.
inline AlphabetPicture read_alphabet_picture(std::filesystem::path const& path,
                                             std::optional<char32_t> character = {}) {
  using Frame = AlphabetFrame;
  Image image = read_image(path, 1);
  if (is_white_on_black(image)) image = inverted(std::move(image));
  int const height = image.height, width = image.width;
  if (height == Frame::size && width == Frame::size) return {std::move(image), height, width, {}};
  std::string const stem = path.stem().string(), size = std::to_string(height) + "x" + std::to_string(width);
  if (!character) character = character_of_word(stem.substr(0, stem.find('_')));
  if (!character)
    throw Error(path.string(),
                "a letter of 64x64 pixels, or a name that says what it shows, such as R_12.png",
                size + " pixels and another name");
  auto const ink = ink_box(image);
  if (!ink) throw Error(path.string(), "a drawing of a letter", "no ink");
  DrawnLetter const letter{*character, *ink};
  if (letter_kind(*character) == LetterKind::other)
    throw Error(
        path.string(),
        "64x64 pixels with the baseline on row 48, as ./run letters makes them, of a letter that does "
        "not stand on the baseline",
        size);
  LetterFrame const frame{Frame::size, Frame::baseline, Frame::cap_height};
  Placement at = fitted_placement(letter, frame, path.string());
  Letter placed = place_letter(image, letter, at, frame, path.string());
  at.left = placed.entry.origin;
  return {std::move(placed.picture), height, width, at};
}

/// Reads a mask of such a picture, white where it is open, and brings it where the picture was brought; what
/// lies outside of it is closed. Throws Error if it cannot be read or a picture that was moved has another
/// size.
inline Image read_alphabet_mask(std::filesystem::path const& path, AlphabetPicture const& of) {
  Image mask = read_image(path, 1);
  if (!of.moved) return fit_to_square(mask, AlphabetFrame::size);
  if (mask.height != of.height || mask.width != of.width)
    throw Error(path.string(),
                "a mask of " + std::to_string(of.height) + "x" + std::to_string(of.width) +
                    " pixels, as its picture has",
                std::to_string(mask.height) + "x" + std::to_string(mask.width));
  return inverted(place_drawing(inverted(std::move(mask)), *of.moved, AlphabetFrame::size));
}

}  // namespace glyphdiff
