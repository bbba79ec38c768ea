#pragma once

#include <glyphdiff/number_text.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace glyphdiff {

/// One line on stderr that says how far a run is: step, loss, images per second, time left. Where stderr is
/// not a terminal it writes a plain line every tenth of the run instead. For programs: a line of JSON on
/// stdout once a second.
class ProgressBar {
  using Clock = std::chrono::steady_clock;

 public:
  /// Steps `first` to `last` of a run of `last` steps, each of `images_per_step` images.
  ProgressBar(std::int64_t first, std::int64_t last, int images_per_step, bool json = false)
      : first_(first),
        last_(last),
        images_per_step_(images_per_step),
        json_(json),
        terminal_(!json && isatty(STDERR_FILENO)) {}

  /// After step number `step` (counted from 1). The loss shown is a running mean.
  void update(std::int64_t step, double loss) {
    mean_loss_ = step == first_ + 1 ? loss : 0.98 * mean_loss_ + 0.02 * loss;
    auto const now = Clock::now();
    bool const final_step = step == last_;
    std::chrono::milliseconds const pause(json_ ? 1000 : 100);
    if (!final_step &&
        (terminal_ || json_ ? now - shown_ < pause : step * 10 / last_ == (step - 1) * 10 / last_))
      return;
    shown_ = now;
    double const seconds = std::chrono::duration<double>(now - start_ - paused_).count();
    double const rate = (step - first_) / (seconds > 0 ? seconds : 1e-9);
    if (json_) {
      std::printf(
          "{\"event\":\"progress\",\"step\":%lld,\"steps\":%lld,\"loss\":%s,\"images_per_second\":%s,"
          "\"seconds_left\":%s}\n",
          (long long)step, (long long)last_, number_text(mean_loss_).c_str(),
          number_text(rate * images_per_step_).c_str(), number_text((last_ - step) / rate).c_str());
      std::fflush(stdout);
      return;
    }
    std::string const text = "step " + std::to_string(step) + "/" + std::to_string(last_) + "  loss " +
                             fixed_text(mean_loss_, 4) + "  " + fixed_text(rate * images_per_step_, 0) +
                             " images/s  " +
                             (final_step ? "took " + clock(seconds) : clock((last_ - step) / rate) + " left");
    if (terminal_) {
      constexpr int width = 24;
      int const done = int(width * step / last_);
      std::fprintf(stderr, "\r[%s%s] %s\x1b[K%s", std::string(done, '#').c_str(),
                   std::string(width - done, '.').c_str(), text.c_str(), final_step ? "\n" : "");
    } else {
      std::fprintf(stderr, "%s\n", text.c_str());
    }
    std::fflush(stderr);
    open_ = terminal_ && !final_step;
  }

  /// Ends the line, so that other output can follow; time until resume() doesn't count.
  void pause() {
    if (open_) std::fputc('\n', stderr);
    open_ = false;
    pause_began_ = Clock::now();
  }
  void resume() { paused_ += Clock::now() - pause_began_; }

 private:
  static std::string clock(double seconds) {
    auto const whole = std::int64_t(seconds + 0.5);
    char text[32];
    if (whole >= 3600)
      std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", long(whole / 3600), long(whole / 60 % 60),
                    long(whole % 60));
    else
      std::snprintf(text, sizeof text, "%ld:%02ld", long(whole / 60), long(whole % 60));
    return text;
  }

  std::int64_t first_, last_;
  int images_per_step_;
  bool json_, terminal_, open_ = false;
  double mean_loss_ = 0;
  Clock::time_point start_ = Clock::now(), shown_{}, pause_began_{};
  Clock::duration paused_{};
};

}  // namespace glyphdiff
