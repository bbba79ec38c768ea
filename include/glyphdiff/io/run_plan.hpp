#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/number_text.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <type_traits>

/// What `--minutes` chose when a run began: kept in its folder, so that the run goes on as it began whatever
/// the machine does by then.
namespace glyphdiff {

struct RunPlan {
  double minutes = 0;           ///< that were given
  std::int64_t steps = 0;       ///< updates
  std::int64_t save_every = 0;  ///< updates between saves
  int size = 0;                 ///< pixels per side
  int judged = 0;               ///< samples that are judged at the end, 0: none

  friend bool operator==(RunPlan const&, RunPlan const&) = default;
};

inline std::filesystem::path plan_path(std::filesystem::path const& folder) { return folder / "plan.txt"; }

/// Writes folder/plan.txt.
inline void save_run_plan(std::filesystem::path const& folder, RunPlan const& plan) {
  std::string const text = "minutes " + shortest_text(plan.minutes) + "\nsteps " +
                           std::to_string(plan.steps) + "\nsave_every " + std::to_string(plan.save_every) +
                           "\nsize " + std::to_string(plan.size) + "\njudged " + std::to_string(plan.judged) +
                           "\n";
  write_file(plan_path(folder), text.data(), text.size());
}

/// Reads it; none if there is no such file. Throws Error for one that says something else.
inline std::optional<RunPlan> load_run_plan(std::filesystem::path const& folder) {
  std::error_code error;
  if (!std::filesystem::exists(plan_path(folder), error)) return {};
  auto const bytes = read_file(plan_path(folder));
  std::istringstream words(std::string(bytes.begin(), bytes.end()));
  RunPlan plan;
  auto const read = [&](char const* name, auto& value, int least) {
    std::string word, number;
    words >> word >> number;
    using T = std::remove_reference_t<decltype(value)>;
    auto const found = parse_number(number);
    if (word != name || !found || *found < least || *found > 9e15 ||
        (std::is_integral_v<T> &&
         (*found != std::floor(*found) || *found > double((std::numeric_limits<T>::max)()))))
      throw Error(plan_path(folder).string(),
                  std::string(name) + " and a number of " + std::to_string(least) + " or more",
                  "\"" + word + " " + number + "\"");
    value = T(*found);
  };
  read("minutes", plan.minutes, 0), read("steps", plan.steps, 1), read("save_every", plan.save_every, 1);
  read("size", plan.size, 1), read("judged", plan.judged, 0);
  return plan;
}

/// The plan by which a run goes on: none for one that begins anew. Throws Error where a run that goes on was
/// begun without --minutes, or with others: its length is part of it.
inline std::optional<RunPlan> plan_to_go_on(std::filesystem::path const& folder, double minutes,
                                            bool resuming) {
  if (!resuming) return {};
  auto const plan = load_run_plan(folder);
  std::string const ways = "; --steps N gives that run another length, --fresh starts over";
  if (!plan)
    throw Error("--minutes", "a new run", "one in " + folder.string() + " that was begun without it" + ways);
  if (plan->minutes != minutes)
    throw Error("--minutes", "the number with which the run in " + folder.string() + " was begun",
                "another one" + ways);
  return plan;
}

}  // namespace glyphdiff
