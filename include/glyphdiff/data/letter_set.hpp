#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/data/characters.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/number_text.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

/// A data set of letters: a folder of gray PNGs of one size, and letters.tsv, the manifest that says what
/// each shows and where it stands.
namespace glyphdiff {

/// A line of the manifest.
struct LetterEntry {
  std::string file{};       ///< its picture, within the folder
  std::string character{};  ///< in UTF-8
  std::string family{};     ///< first word of the font's family, in lower case: what a split keeps together
  std::string source{};     ///< the file that it was drawn from
  double scale = 0;         ///< pixels per em (fonts), or per pixel of the source (drawings)
  double baseline = 0;      ///< rows from the top edge to the baseline
  double cap_height = 0;    ///< pixels; 0 if unknown
  double origin = 0;        ///< columns from the left edge to the pen's origin
  double advance = 0;       ///< pixels; 0 if unknown

  friend bool operator==(LetterEntry const&, LetterEntry const&) = default;
};

/// A picture and what the manifest says of it.
struct Letter {
  Image picture;  // (size, size, 1), black on white
  LetterEntry entry;
};

struct LetterSet {
  std::vector<Image> pictures;       // (size, size, 1) each, black on white
  std::vector<LetterEntry> entries;  ///< of each picture
  std::vector<std::string> skipped;  ///< one sentence for each picture that cannot be read, naming it
};

/// Whether a gray picture is a light letter on dark paper: dark along most of its edge.
inline bool is_white_on_black(Image const& picture) {
  std::size_t dark = 0, all = 0;
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width;
         x += y == 0 || y == picture.height - 1 ? 1 : (std::max)(1, picture.width - 1))
      dark += *picture.at(y, x) < 128, ++all;
  return 2 * dark > all;
}

inline Image inverted(Image picture) {
  for (std::uint8_t& value : picture.pixels) value = std::uint8_t(255 - value);
  return picture;
}

namespace detail {

inline constexpr char const* manifest_header =
    "file\tcharacter\tfamily\tsource\tscale\tbaseline\tcap_height\torigin\tadvance";

/// A field is UTF-8 without tabs and line breaks; a file's name need not be.
inline std::string manifest_field(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  if (is_utf8(text)) return text;
  for (char& c : text)
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  return text;
}

inline std::vector<std::string> manifest_fields(std::string const& line) {
  std::vector<std::string> fields{""};
  for (char const c : line)
    if (c == '\t')
      fields.emplace_back();
    else
      fields.back() += c;
  return fields;
}

inline LetterEntry manifest_entry(std::string line, std::string const& where) {
  if (line.ends_with('\r')) line.pop_back();
  auto const fields = manifest_fields(line);
  auto const refuse = [&](std::string const& found) -> Error {
    return Error(where, "file, character, family, source and five numbers, with tabs between", found);
  };
  if (fields.size() != 9) throw refuse(std::to_string(fields.size()) + " fields");
  double numbers[5];
  for (std::size_t i = 0; i < 5; ++i) {
    std::string const& field = fields[4 + i];
    auto const number = parse_number(field);
    if (!number || !is_finite(*number)) throw refuse("\"" + field + "\"");
    numbers[i] = *number;
  }
  std::filesystem::path const file = fields[0];
  if (fields[0].empty() || file.is_absolute() || file.lexically_normal().string().starts_with(".."))
    throw Error(where, "a file within the folder", "\"" + fields[0] + "\"");
  return {fields[0],  fields[1],  fields[2],  fields[3], numbers[0],
          numbers[1], numbers[2], numbers[3], numbers[4]};
}

}  // namespace detail

/// Writes folder/letters.tsv.
inline void save_manifest(std::filesystem::path const& folder, std::vector<LetterEntry> const& entries) {
  std::string text = std::string(detail::manifest_header) + "\n";
  for (LetterEntry const& e : entries) {
    for (std::string const& field : {e.file, e.character, e.family, e.source})
      text += detail::manifest_field(field) + "\t";
    for (double const number : {e.scale, e.baseline, e.cap_height, e.origin})
      text += number_text(number) + "\t";
    text += number_text(e.advance) + "\n";
  }
  write_file(folder / "letters.tsv", text.data(), text.size());
}

/// Reads folder/letters.tsv. Throws Error if it is missing, or a line says nothing or names a picture that is
/// missing.
inline std::vector<LetterEntry> load_manifest(std::filesystem::path const& folder) {
  std::filesystem::path const manifest = folder / "letters.tsv";
  auto const bytes = read_file(manifest);
  std::istringstream lines(std::string(bytes.begin(), bytes.end()));
  std::string line;
  std::getline(lines, line);
  if (line.ends_with('\r')) line.pop_back();
  if (line != detail::manifest_header)
    throw Error(
        manifest.string(),
        "a header line of file, character, family, source, scale, baseline, cap_height, origin, advance",
        "\"" + line + "\"");
  std::vector<LetterEntry> entries;
  for (int number = 2; std::getline(lines, line); ++number) {
    std::string const where = manifest.string() + ", line " + std::to_string(number);
    entries.push_back(detail::manifest_entry(line, where));
    std::string const& file = entries.back().file;
    std::error_code error;
    if (!std::filesystem::exists(folder / file, error)) throw Error(where, "the picture " + file, "nothing");
  }
  if (entries.empty()) throw Error(manifest.string(), "at least one letter", "none");
  return entries;
}

/// Loads folder/letters.tsv and its pictures, which become gray and black on white whatever they are. Throws
/// Error as load_manifest, for a picture that is not square or differs in size from the others, and where
/// none can be read.
inline LetterSet load_letter_set(std::filesystem::path const& folder) {
  LetterSet set;
  for (LetterEntry& entry : load_manifest(folder)) {
    std::filesystem::path const file = folder / entry.file;
    Image picture;
    try {
      picture = read_image(file, 1);
    } catch (Error const& unreadable) {
      set.skipped.emplace_back(unreadable.what());
      continue;
    }
    int const size = set.pictures.empty() ? picture.height : set.pictures[0].height;
    if (picture.height != size || picture.width != size)
      throw Error(file.string(), "a square picture, of the size of the others",
                  std::to_string(picture.height) + "x" + std::to_string(picture.width));
    if (is_white_on_black(picture)) picture = inverted(std::move(picture));
    set.pictures.push_back(std::move(picture));
    set.entries.push_back(std::move(entry));
  }
  if (set.pictures.empty())
    throw Error((folder / "letters.tsv").string(), "at least one picture that can be read",
                "none, first " + set.skipped.front());
  return set;
}

}  // namespace glyphdiff
