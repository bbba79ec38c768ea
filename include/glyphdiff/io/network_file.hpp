#pragma once

#include <glyphdiff/error.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

/// Which file of a training run's folder is its network.
namespace glyphdiff {

namespace detail {

/// The number of a save's file, step_000500.safetensors; -1 for a file that is called otherwise.
inline std::int64_t step_of_snapshot(std::string const& name) {
  static constexpr std::string_view begin = "step_", end = ".safetensors";
  if (!name.starts_with(begin) || !name.ends_with(end) || name.size() <= begin.size() + end.size()) return -1;
  std::int64_t step = -1;
  char const* const last = name.data() + name.size() - end.size();
  auto const [stop, error] = std::from_chars(name.data() + begin.size(), last, step);
  return error == std::errc() && stop == last ? step : -1;
}

/// The names of a folder's files that may be networks, sorted.
inline std::vector<std::string> network_names(std::filesystem::path const& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::filesystem::path const extension = entry->path().extension();
    if (extension == ".safetensors" || extension == ".pt") names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Up to five of them, for a sentence.
inline std::string list_of(std::vector<std::string> const& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 5); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  return text + (names.size() > 5 ? " and " + std::to_string(names.size() - 5) + " more" : "");
}

}  // namespace detail

/// The file of a network that a path means: a file itself, or of a run's folder the first of these that is
/// there, so that a run can be drawn from at any moment, also while it trains or after Ctrl-C:
///
///   best.safetensors         the best save by held-out pictures (letter_a, finetune)
///   alphabet.safetensors     the newest save of alphabet train
///   classifier.safetensors   the newest save of train_classifier
///   step_NNNNNN.safetensors  the save with the highest number (finetune)
///   checkpoint.safetensors   the newest save with all that training goes on from
///
/// Throws Error where there is none, one sentence that says what is there instead.
inline std::filesystem::path network_file(std::filesystem::path const& path) {
  namespace fs = std::filesystem;
  static constexpr char const* expected = "a file of a network, or the folder of a run";
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (fs::exists(path, error)) return path;
    fs::path const folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    auto const names = detail::network_names(folder);
    if (names.empty()) throw Error(path.string(), expected, "nothing");
    throw Error(path.string(), expected,
                "nothing of that name; " + folder.string() + " has " + detail::list_of(names) +
                    ", and the folder itself may be given");
  }
  auto const names = detail::network_names(path);
  auto const has = [&](char const* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (char const* name : {"best.safetensors", "alphabet.safetensors", "classifier.safetensors"})
    if (has(name)) return path / name;
  auto const newest = std::max_element(names.begin(), names.end(), [](auto const& a, auto const& b) {
    return detail::step_of_snapshot(a) < detail::step_of_snapshot(b);
  });
  if (newest != names.end() && detail::step_of_snapshot(*newest) >= 0) return path / *newest;
  if (has("checkpoint.safetensors")) return path / "checkpoint.safetensors";
  throw Error(path.string(), expected,
              names.empty() ? "a folder without a save" : "a folder with " + detail::list_of(names));
}

}  // namespace glyphdiff
