#pragma once

#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/data/lint.hpp>
#include <glyphdiff/data/lint_page.hpp>
#include <glyphdiff/data/read_drawing.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/io/resize.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// Whether a file's name is that of a picture that read_rgba knows.
inline bool is_drawing(std::filesystem::path const& path) {
  std::string const extension = lower_extension(path);
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg" || extension == ".svg";
}

/// What was found in a folder of letters.
struct LetterCheck {
  std::vector<LetterEntry> entries;  ///< of the letters that could be read
  std::vector<LetterFault> faults;
  std::vector<std::string> skipped;  ///< a sentence for each that couldn't
};

namespace detail {

/// The letters of the manifest, or if there is none the pictures of the folder, by name, whose names say the
/// characters where they do.
inline std::vector<LetterEntry> entries_of(std::filesystem::path const& folder) {
  std::error_code error;
  if (std::filesystem::exists(folder / "letters.tsv", error)) return load_manifest(folder);
  if (!std::filesystem::is_directory(folder, error))
    throw Error(folder.string(), "a folder of letters", "none");
  std::vector<LetterEntry> entries;
  for (std::filesystem::path const& path : list_folder(folder)) {
    if (!std::filesystem::is_regular_file(path, error) || !is_drawing(path)) continue;
    LetterEntry entry{.file = path.filename().string()};
    try {
      entry.character = to_utf8(character_of_file(path));
    } catch (Error const&) {  // all that have none are compared with each other
    }
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) throw Error(folder.string(), "a folder with letters.tsv, or with drawings", "neither");
  std::sort(entries.begin(), entries.end(),
            [](LetterEntry const& a, LetterEntry const& b) { return a.file < b.file; });
  return entries;
}

}  // namespace detail

/// Looks for faults in the letters of a folder, a data set or drawings. Throws Error if there are none.
inline LetterCheck check_letters(std::filesystem::path const& folder) {
  LetterCheck check;
  LetterLint lint;
  for (LetterEntry& entry : detail::entries_of(folder)) {
    try {
      lint.add(read_rgba(folder / entry.file), entry);
      check.entries.push_back(std::move(entry));
    } catch (Error const& error) {
      check.skipped.emplace_back(error.what());
    }
  }
  if (check.entries.empty())
    throw Error(folder.string(), "at least one picture that can be read",
                "none, first " + check.skipped.front());
  check.faults = lint.faults();
  return check;
}

/// Writes the page of what was found.
inline void write_lint_page(std::filesystem::path const& path, std::filesystem::path const& folder,
                            LetterCheck const& check) {
  write_lint_page(path, check.entries, check.faults,
                  [&](std::size_t i) { return read_rgba(folder / check.entries[i].file); });
}

/// A contact sheet of a data set's letters, 64 pixels each, in their order: all, or so many spread evenly.
inline Image letter_sheet(std::filesystem::path const& folder, std::vector<LetterEntry> const& entries,
                          std::size_t most = 1024) {
  constexpr int cell = 64, gap = 2;
  std::size_t const count = (std::min)(entries.size(), most);
  int const columns = (std::max)(1, int(std::ceil(std::sqrt(1.5 * double(count))))),
            rows = (int(count) + columns - 1) / columns;
  Image sheet(rows * (cell + gap) + gap, columns * (cell + gap) + gap, 1, 192);
  for (std::size_t n = 0; n < count; ++n) {
    Image const letter =
        fit_to_square(read_image(folder / entries[n * entries.size() / count].file, 1), cell);
    for (int y = 0; y < cell; ++y)
      std::copy_n(letter.at(y, 0), cell,
                  sheet.at(gap + int(n) / columns * (cell + gap) + y, gap + int(n) % columns * (cell + gap)));
  }
  return sheet;
}

}  // namespace glyphdiff
