#pragma once

#include <glyphdiff/data/characters.hpp>
#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/error.hpp>

#include <cctype>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace glyphdiff {

/// Writes a data set of letters. It grows in a folder of a temporary name, so that the one asked for is whole
/// or not there at all.
class LetterFolder {
 public:
  /// Throws Error unless `folder` is new or empty, and can be made.
  explicit LetterFolder(std::filesystem::path const& folder) : folder_(folder.lexically_normal()) {
    if (!folder_.has_filename()) folder_ = folder_.parent_path();  // "letters/"
    part_ = folder_;
    part_ += ".part";
    std::error_code error;
    bool const there = std::filesystem::exists(folder_, error);
    if (there &&
        (!std::filesystem::is_directory(folder_, error) || !std::filesystem::is_empty(folder_, error)))
      throw Error(folder_.string(), "a new or empty folder to write to", "something in its place");
    std::filesystem::remove_all(part_, error);
    std::filesystem::create_directories(part_, error);
    if (error) throw Error(folder_.string(), "a folder to write to", error.message());
  }
  LetterFolder(LetterFolder const&) = delete;
  LetterFolder& operator=(LetterFolder const&) = delete;
  ~LetterFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(part_, ignored);
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
    std::string folded = stem;
    for (char& c : folded) c = char(std::tolower(static_cast<unsigned char>(c)));
    letter.entry.file = stem + "_" + std::to_string(used_[folded]++) + ".png";
    write_png(part_ / letter.entry.file, letter.picture);
    entries_.push_back(std::move(letter.entry));
  }

  /// Writes the manifest and gives the folder its name.
  void finish() {
    if (entries_.empty()) throw Error(folder_.string(), "at least one letter to write", "none");
    save_manifest(part_, entries_);
    std::error_code error;
    std::filesystem::remove(folder_, error);  // it is empty, or not there
    std::filesystem::rename(part_, folder_, error);
    if (error) throw Error(folder_.string(), "a folder to write to", error.message());
  }

 private:
  /// Letters, digits, - and . of a name, at most 60: what any disk takes.
  static std::string file_word(std::string const& name) {
    std::string word;
    for (char const c : name)
      if (word.size() < 60 && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.'))
        word += c;
    return word.empty() ? "unnamed" : word;
  }

  std::filesystem::path folder_, part_;
  std::map<std::string, int> used_;
  std::vector<LetterEntry> entries_;
};

}  // namespace glyphdiff
