#pragma once

#include <glyphdiff/ascii.hpp>
#include <glyphdiff/data/characters.hpp>
#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/error.hpp>

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace glyphdiff {

/// Writes a data set of letters. It grows in a folder of a temporary name, beside the one asked for or within
/// it if that is there and empty, so that there is a whole data set or none. Nothing is removed that was not
/// made here.
class LetterFolder {
 public:
  /// Throws Error unless `folder` is new or empty, and can be made.
  explicit LetterFolder(std::filesystem::path const& folder) : folder_(folder.lexically_normal()) {
    namespace fs = std::filesystem;
    if (!folder_.has_filename()) folder_ = folder_.parent_path();  // "letters/"
    std::error_code error;
    there_ = fs::exists(folder_, error);
    if (there_ && (!fs::is_directory(folder_, error) || !fs::is_empty(folder_, error)))
      throw Error(folder_.string(), "a new or empty folder to write to", "something in its place");
    if (!there_ && folder_.has_parent_path()) fs::create_directories(folder_.parent_path(), error);
    for (int number = 0; !error && part_.empty(); ++number) {  // what has the name is not ours
      fs::path part = there_ ? folder_ / "part" : folder_;
      if (!there_) part += ".part";
      if (number > 0) part += std::to_string(number);
      if (fs::create_directory(part, error)) part_ = part;
    }
    if (error) throw Error(folder_.string(), "a folder to write to", error.message());
  }
  LetterFolder(LetterFolder const&) = delete;
  LetterFolder& operator=(LetterFolder const&) = delete;
  ~LetterFolder() {
    std::error_code ignored;
    if (!part_.empty()) std::filesystem::remove_all(part_, ignored);
  }

  /// Where further files of the data set go until it is finished.
  std::filesystem::path const& part() const { return part_; }
  std::vector<LetterEntry> const& entries() const { return entries_; }

  /// Adds a letter. Its file is called by its character and `name`: u0041_DejaVuSans-Bold_0.png. The number
  /// at the end is another one where the rest is equal but for capitals.
  void add(Letter letter, std::string const& name) {
    auto const characters = characters_of(letter.entry.character);
    std::string stem;
    for (char32_t const character : characters) stem += code_name(character);
    stem += "_" + file_word(name);
    letter.entry.file = stem + "_" + std::to_string(used_[ascii_lower(stem)]++) + ".png";
    write_png(part_ / letter.entry.file, letter.picture, Flush::later);
    entries_.push_back(std::move(letter.entry));
  }

  /// Writes the manifest, which a look at the data set needs before it is finished.
  void write_manifest() const { save_manifest(part_, entries_); }

  /// Writes the manifest and puts everything in its place.
  void finish() {
    namespace fs = std::filesystem;
    if (entries_.empty()) throw Error(folder_.string(), "at least one letter to write", "none");
    write_manifest();
    if (!flush_files(part_)) throw Error(folder_.string(), "a disk with room for the letters", "none");
    std::error_code error;
    if (there_) {
      for (fs::path const& path : list_folder(part_))
        if (!error && path.filename() != "letters.tsv") fs::rename(path, folder_ / path.filename(), error);
      if (!error) fs::rename(part_ / "letters.tsv", folder_ / "letters.tsv", error);
    } else {
      fs::rename(part_, folder_, error);
      if (!error) part_.clear();
    }
    if (error) throw Error(folder_.string(), "a folder to write to", error.message());
    detail::flush_folder(there_ ? folder_ : detail::folder_of(folder_));
  }

 private:
  /// Letters, digits, - and . of a name, at most 60: what any disk takes.
  static std::string file_word(std::string const& name) {
    std::string word;
    for (char const c : name)
      if (word.size() < 60 && (is_ascii_letter(c) || is_ascii_digit(c) || c == '-' || c == '.')) word += c;
    return word.empty() ? "unnamed" : word;
  }

  std::filesystem::path folder_, part_;
  bool there_ = false;
  std::map<std::string, int> used_;
  std::vector<LetterEntry> entries_;
};

}  // namespace glyphdiff
