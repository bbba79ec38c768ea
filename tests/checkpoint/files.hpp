#pragma once

#include "../io/temporary_folder.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

/// Files as strings, for the tests of this folder.
namespace files {

inline std::string read(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write(std::string const& path, std::string const& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline std::size_t count(TemporaryFolder const& folder) {
  std::filesystem::directory_iterator const begin(folder.path());
  return std::size_t(std::distance(begin, std::filesystem::directory_iterator()));
}

/// The message of the Error that f throws; "no error" if it returns. Other exceptions pass through.
template <class Error, class Function>
std::string message_of(Function const& f) {
  try {
    f();
  } catch (Error const& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace files
