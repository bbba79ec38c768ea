#pragma once

#include <glyphdiff/data/dataset.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/io/resize.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace glyphdiff {

/// One letter in many fonts, black on white, gray: what to train on, and whole font families to compare with.
struct LetterAtlas {
  ImageDataset train, held_out;
};

/// Loads an atlas PNG of 64x64 cells, row by row, and the tab-separated list of its cells (index, family,
/// font, package, licence, split; a header line first) as examples/data/make_letter_atlas.cpp makes them,
/// each letter at (size, size). Throws Error if the two do not fit together.
inline LetterAtlas load_letter_atlas(std::filesystem::path const& png, std::filesystem::path const& list,
                                     int size) {
  static constexpr int cell = 64;
  if (size < 1)
    throw Error(png.string(), "letters to be asked for at a size of at least 1", std::to_string(size));
  Image const atlas = read_image(png, 1);
  if (atlas.width % cell != 0 || atlas.height % cell != 0)
    throw Error(png.string(), "cells of 64x64 pixels",
                "an image of " + std::to_string(atlas.height) + "x" + std::to_string(atlas.width));
  int const columns = atlas.width / cell, cells = columns * (atlas.height / cell);

  std::vector<std::uint8_t> const bytes = read_file(list);
  std::istringstream lines(std::string(bytes.begin(), bytes.end()));
  std::string line;
  static constexpr auto header = "index\tfamily\tfont\tpackage\tlicence\tsplit";
  if (!std::getline(lines, line) || line != header)
    throw Error(list.string(), "a header line of index, family, font, package, licence, split",
                "\"" + line + "\"");

  std::vector<Image> train, held_out;
  std::vector<std::string> train_names, held_out_names;
  for (int index = 0; std::getline(lines, line); ++index) {
    std::vector<std::string> fields;
    std::istringstream rest(line);
    for (std::string field; std::getline(rest, field, '\t');) fields.push_back(field);
    bool const is_train = fields.size() == 6 && fields[5] == "train";
    if (fields.size() != 6 || fields[0] != std::to_string(index) || (!is_train && fields[5] != "held_out"))
      throw Error(list.string() + ", line " + std::to_string(index + 2),
                  "index " + std::to_string(index) + ", four more fields and train or held_out",
                  "\"" + line + "\"");
    if (index >= cells)
      throw Error(list.string(), "at most the " + std::to_string(cells) + " cells of " + png.string(),
                  "more lines");
    Image letter(cell, cell, 1);
    for (int y = 0; y < cell; ++y)
      std::copy_n(atlas.at(index / columns * cell + y, index % columns * cell), cell, letter.at(y, 0));
    (is_train ? train : held_out)
        .push_back(resize(letter, size, size, size < cell ? ResizeFilter::area : ResizeFilter::cubic));
    (is_train ? train_names : held_out_names).push_back(fields[2]);
  }
  if (train.empty()) throw Error(list.string(), "at least one letter to train on", "none");
  return {make_dataset(train, std::move(train_names)), make_dataset(held_out, std::move(held_out_names))};
}

}  // namespace glyphdiff
