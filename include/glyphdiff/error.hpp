#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace glyphdiff {

/// The one exception family of glyphdiff: bad input at the edges (files, options, shapes given by a host
/// program). `what()` is one sentence that says what is wrong where; the parts are there for programs.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string const& sentence) : std::runtime_error(sentence) {}

  /// "PATH: expected EXPECTED, found FOUND".
  Error(std::string path, std::string expected, std::string found)
      : std::runtime_error(path + ": expected " + expected + ", found " + found),
        path_(std::move(path)),
        expected_(std::move(expected)),
        found_(std::move(found)) {}

  std::string const& path() const {
    return path_;
  }  ///< what is at fault: a file, an option, a call; or empty
  std::string const& expected() const { return expected_; }  ///< what would have been right, or empty
  std::string const& found() const { return found_; }        ///< what was there, or empty

 private:
  std::string path_, expected_, found_;
};

}  // namespace glyphdiff
