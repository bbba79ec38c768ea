// What a training program says before it starts: how long the run will take on this machine, and what memory
// and disk; and how many updates fit into the minutes that it is given.
#pragma once

#include "json_line.hpp"

#include <glyphdiff/io/run_plan.hpp>
#include <glyphdiff/train/forecast.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>

/// What a run takes.
struct Forecast {
  double update = 0;  ///< seconds of an update
  double save = 0;    ///< seconds of what a save draws and measures
  double end = 0;     ///< seconds of what follows the last update
  double memory = 0;  ///< bytes
  double disk = 0;    ///< bytes, when all of the run is there and the newest checkpoint is being replaced

  double seconds(std::int64_t updates, std::int64_t saves) const {
    return update * double(updates) + save * double(saves) + end;
  }
};

/// An update of the trainer at this size, measured: nothing is learnt yet. Its passes over the network are
/// nearly all of it; what AdamW and the averages take, on top of them, is some percent.
template <class Trainer>
double seconds_per_update(Trainer& trainer, int size) {
  double const pass = glyphdiff::seconds_of([&] { trainer.rehearse(size, size); });
  int const batch = trainer.options().batch, microbatch = trainer.options().microbatch;
  return 1.05 * pass * ((batch + microbatch - 1) / microbatch);
}

/// Seconds of `count` passes of one picture without gradients, about a third of those with them.
inline double seconds_to_draw(double update, int batch, double count) { return update / batch / 3 * count; }

/// A run of `minutes` here, with a save every `save_every` updates or, if that is 0, with up to five saves
/// that take a third of the time at most.
inline glyphdiff::RunPlan plan_within(double minutes, Forecast const& forecast, int size,
                                      std::int64_t save_every) {
  double const seconds = 60 * minutes;
  glyphdiff::RunPlan plan{minutes, 0, save_every, size, 0};
  if (save_every > 0) {
    double const each = forecast.update + forecast.save / double(save_every);
    plan.steps = glyphdiff::updates_within(seconds, each, forecast.end);
    return plan;
  }
  double const most = forecast.save > 0 ? seconds / 3 / forecast.save : 5;
  int const saves = int(std::clamp(most, 1.0, 5.0));
  plan.steps = glyphdiff::updates_within(seconds, forecast.update, forecast.end + saves * forecast.save);
  plan.save_every = (plan.steps + saves - 1) / saves;
  return plan;
}

/// The saves of updates first + 1 to `steps`, one every so many and one at the end.
inline std::int64_t saves_between(std::int64_t first, std::int64_t steps, std::int64_t every) {
  if (first >= steps) return 0;
  return steps / every - first / every + (steps % every != 0 ? 1 : 0);
}

/// What is left of a run of `steps` updates from update `first` on, as a sentence on `text`, or for programs.
inline void announce(std::FILE* text, bool json, std::filesystem::path const& out, Forecast const& forecast,
                     std::int64_t first, std::int64_t steps, std::int64_t saves) {
  double const seconds = forecast.seconds(steps - first, saves);
  std::error_code error;
  auto const space = std::filesystem::space(out, error);
  double const free = error ? 0 : double(space.available);
  std::fprintf(
      text,
      "here: about %s for %lld updates of %.3g s each and %lld saves; %s of memory; %s of disk in %s%s\n",
      glyphdiff::duration_text(seconds).c_str(), (long long)(steps - first), forecast.update,
      (long long)saves, glyphdiff::bytes_text(forecast.memory).c_str(),
      glyphdiff::bytes_text(forecast.disk).c_str(), out.string().c_str(),
      error ? "" : (", where " + glyphdiff::bytes_text(free) + " are free").c_str());
  if (!error && forecast.disk > free)
    std::fprintf(stderr, "warning: the disk of %s will be full before the run ends\n", out.string().c_str());
  if (seconds > 2 * 86400)
    std::fprintf(
        text,
        "That is long. A smaller network learns letters in minutes (docs/fine-tuning.md); --minutes, "
        "--steps or --batch shorten this run; Ctrl-C stops it, and it can go on later.\n");
  if (json)
    print_json_line({{"event", "forecast"},
                     {"seconds", seconds},
                     {"update", forecast.update},
                     {"memory", forecast.memory},
                     {"disk", forecast.disk},
                     {"steps", steps}});
}

/// The plan of a run that --minutes gives its length: that with which it began, or what `choose()` finds now,
/// which is said and kept.
template <class Choose>
glyphdiff::RunPlan plan_of_minutes(std::FILE* text, std::filesystem::path const& out, double minutes,
                                   bool resuming, Choose const& choose) {
  auto plan = glyphdiff::plan_to_go_on(out, minutes, resuming);
  if (plan) {
    std::fprintf(text, "%lld updates, as were chosen when this run began\n", (long long)plan->steps);
    return *plan;
  }
  plan = choose();
  glyphdiff::save_run_plan(out, *plan);
  std::fprintf(text, "chosen for %g minutes here: %lld updates\n", minutes, (long long)plan->steps);
  return *plan;
}
