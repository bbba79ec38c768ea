#pragma once

#include <glyphdiff/data/dataset.hpp>
#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/io/resize.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace glyphdiff {

struct ImageFolder {
  ImageDataset dataset;
  std::vector<std::string> skipped;  ///< one sentence for each file that is no readable image, naming it
};

namespace detail {

inline std::vector<std::filesystem::path> files_of_folder(std::filesystem::path const& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  if (std::filesystem::exists(folder / "letters.tsv", error)) {
    for (LetterEntry const& entry : load_manifest(folder)) files.push_back(folder / entry.file);
    return files;
  }
  for (std::filesystem::path const& path : list_folder(folder))
    if (!std::filesystem::is_directory(path, error) && !path.filename().string().starts_with('.'))
      files.push_back(path);
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace detail

/// Loads every PNG and JPEG of a folder (told by content; sub-folders and hidden files are left alone) in the
/// order of the names, or of a data set of letters those of letters.tsv in its order, each fitted to a square
/// of `size` with white around it, in 1 (gray) or 3 (RGB) channels. `mirror` adds the mirror image of each:
/// not for letters. Throws Error if the folder is missing, empty or has no readable image.
inline ImageFolder load_image_folder(std::filesystem::path const& folder, int size, int channels,
                                     bool mirror = false) {
  if (size < 1)
    throw Error(folder.string(), "images to be asked for at a size of at least 1", std::to_string(size));
  if (channels != 1 && channels != 3)
    throw Error(folder.string(), "images to be asked for in 1 or 3 channels", std::to_string(channels));
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error))
    throw Error(folder.string(), "a folder of PNG or JPEG images",
                std::filesystem::exists(folder, error) ? "a file" : "nothing");
  std::vector<std::filesystem::path> const files = detail::files_of_folder(folder);
  if (files.empty()) throw Error(folder.string(), "at least one PNG or JPEG image", "no file");

  ImageFolder result;
  std::vector<Image> images;
  std::vector<std::string> names;
  for (std::filesystem::path const& file : files) {
    try {
      Image image = fit_to_square(read_image(file, channels), size);
      images.push_back(std::move(image));
      names.push_back(file.filename().string());
    } catch (Error const& unreadable) {
      result.skipped.emplace_back(unreadable.what());
      continue;
    }
    if (!mirror) continue;
    Image mirrored = images.back();
    for (int y = 0; y < size; ++y)
      for (int x = 0; x < size; ++x)
        std::copy_n(images.back().at(y, x), channels, mirrored.at(y, size - 1 - x));
    images.push_back(std::move(mirrored));
    names.push_back(names.back() + " (mirrored)");
  }
  if (images.empty())
    throw Error(folder.string() + ": none of " + std::to_string(files.size()) +
                " files is a readable image, first " + result.skipped.front());
  result.dataset = make_dataset(images, std::move(names));
  return result;
}

}  // namespace glyphdiff
