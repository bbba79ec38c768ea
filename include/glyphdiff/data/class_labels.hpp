#pragma once

#include <glyphdiff/data/characters.hpp>
#include <glyphdiff/error.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace glyphdiff {

/// The classes of a data set: their names in alphabetical order, and the number of each picture's.
struct ClassLabels {
  std::vector<std::string> names;
  std::vector<int> labels;
};

/// The class that a picture's name says: what stands behind the last space of an atlas's cell ("Font.ttf B"),
/// else what stands before the first underscore of a file's name ("B_0012.png"), as in the reference's image
/// folders, where a character's code stands for it ("u0042_12.png"). Error if the name says none.
inline std::string class_of(std::string const& name) {
  std::size_t const underscore = name.find('_'), space = name.rfind(' ');
  if (space != std::string::npos && space + 1 < name.size() && name.find('.', space) == std::string::npos)
    return name.substr(space + 1);
  if (underscore == std::string::npos || underscore == 0)
    throw Error(name, "a name that begins with its class and an underscore, such as B_0012.png", "none");
  std::string const word = name.substr(0, underscore);
  auto const character = character_of_word(word);
  return character ? to_utf8(*character) : word;
}

/// The classes of pictures of these names. Error as class_of.
inline ClassLabels class_labels(std::vector<std::string> const& names) {
  ClassLabels result;
  for (std::string const& name : names) result.names.push_back(class_of(name));
  std::vector<std::string> const each = result.names;
  std::sort(result.names.begin(), result.names.end());
  result.names.erase(std::unique(result.names.begin(), result.names.end()), result.names.end());
  for (std::string const& name : each)
    result.labels.push_back(
        int(std::lower_bound(result.names.begin(), result.names.end(), name) - result.names.begin()));
  return result;
}

}  // namespace glyphdiff
