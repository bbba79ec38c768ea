// --profile: where the time of a training or of a drawing goes, as a table and as a trace that
// chrome://tracing and ui.perfetto.dev show.
#pragma once

#include <glyphdiff/io/file.hpp>
#include <glyphdiff/kernels/peak.hpp>
#include <glyphdiff/profile.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace profile_text {

template <class... Values>
std::string line(char const* format, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

/// Sums by operation or by layer, the longest first. What the machine's limits allow is the time that a row's
/// bytes or its arithmetic would take at the peak, whichever is longer. Winograd's convolutions need less
/// arithmetic than is counted, and data that stay in a cache come faster than from memory, so a share can be
/// above 100 %.
inline std::string table(std::vector<glyphdiff::Profiler::Row> const& rows, char const* by, char const* each,
                         int count, glyphdiff::Peak const& peak) {
  double all = 0;
  for (auto const& row : rows) all += row.seconds;
  std::string text =
      line("%-32s %6s %12s %9s %8s %9s %8s\n", by, "time", each, "launches", "GB/s", "GFLOP/s", "of peak");
  for (auto const& row : rows) {
    double const least = std::max(row.work.bytes / peak.bytes, row.work.arithmetic / peak.arithmetic);
    text +=
        line("%-32s %5.1f%% %9.3f ms %9.1f %8.2f %9.1f %7.0f%%\n", row.name.c_str(), 100 * row.seconds / all,
             1e3 * row.seconds / count, double(row.count) / count, 1e-9 * row.work.bytes / row.seconds,
             1e-9 * row.work.arithmetic / row.seconds, 100 * least / row.seconds);
  }
  return text + line("%-32s %6s %9.3f ms\n\n", "all", "", 1e3 * all / count);
}

inline std::string trace(glyphdiff::Profiler const& profiler) {
  std::string text = "{\"traceEvents\":[\n";
  bool first = true;
  for (auto const& event : profiler.events()) {
    if (!first) text += ",\n";
    first = false;
    text += line(
        "{\"name\":\"%s\",\"cat\":\"operation\",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":%.3f,\"dur\":%.3f,",
        event.operation, 1e6 * event.begin, 1e6 * event.seconds);
    text += "\"args\":{\"layer\":\"" + profiler.layer_name(event.layer);
    text += line("\",\"bytes\":%.0f,\"arithmetic\":%.0f}}", event.work.bytes, event.work.arithmetic);
  }
  return text + "\n],\"displayTimeUnit\":\"ms\"}\n";
}

}  // namespace profile_text

/// Writes `stem`.txt and `stem`.json, and the table by operation to `to`. `each`: what was done `count`
/// times.
template <class Exec>
void write_profile(Exec const& exec, glyphdiff::Profiler const& profiler, std::filesystem::path const& stem,
                   char const* each, int count, std::FILE* to) {
  if (profiler.events().empty() || count < 1) return;
  auto const peak = glyphdiff::measure_peak(exec);
  std::string const operations = profile_text::table(profiler.by_operation(), "operation", each, count, peak),
                    layers = profile_text::table(profiler.by_layer(), "layer", each, count, peak),
                    head =
                        profile_text::line("peak here: %.1f GB/s from memory, %.1f GFLOP/s in registers\n\n",
                                           1e-9 * peak.bytes, 1e-9 * peak.arithmetic),
                    text = head + operations + layers, trace = profile_text::trace(profiler);
  auto const path = [&](char const* extension) { return std::filesystem::path(stem.string() + extension); };
  glyphdiff::write_file(path(".txt"), text.data(), text.size());
  glyphdiff::write_file(path(".json"), trace.data(), trace.size());
  std::fprintf(to, "\n%s%slayers: %s; every launch: %s\n", head.c_str(), operations.c_str(),
               path(".txt").c_str(), path(".json").c_str());
}

/// Records ten updates of a run, the third one first: those before it plan and touch their memory.
class UpdateProfile {
 public:
  UpdateProfile(bool wanted, std::filesystem::path folder, std::FILE* to)
      : wanted_(wanted), stem_(std::move(folder) / "profile"), to_(to) {}

  template <class Trainer>
  void before_update(Trainer& trainer) {
    if (!wanted_) return;
    if (updates_ == first) trainer.set_profiler(&profiler_);
    if (updates_ == first + count) return end(trainer);
    ++updates_;
  }
  /// To be called after the last update: writes what there is, if that has not been done.
  template <class Trainer>
  void end(Trainer& trainer) {
    if (!wanted_) return;
    wanted_ = false;
    trainer.set_profiler(nullptr);
    write_profile(trainer.exec(), profiler_, stem_, "an update", updates_ - first, to_);
  }

 private:
  static constexpr int first = 2, count = 10;

  bool wanted_;
  std::filesystem::path stem_;
  std::FILE* to_;
  glyphdiff::Profiler profiler_;
  int updates_ = 0;
};
