#pragma once

#include <csignal>

namespace glyphdiff {

/// Turns Ctrl-C (and a polite kill) into a question that a training loop can ask between steps. A second
/// Ctrl-C ends the program at once. One at a time.
class Interrupt {
 public:
  Interrupt() {
    requested_flag() = 0;
    previous_int_ = std::signal(SIGINT, &on_signal);
    previous_term_ = std::signal(SIGTERM, &on_signal);
  }
  ~Interrupt() {
    std::signal(SIGINT, previous_int_);
    std::signal(SIGTERM, previous_term_);
  }
  Interrupt(Interrupt const&) = delete;
  Interrupt& operator=(Interrupt const&) = delete;

  bool requested() const { return requested_flag() != 0; }

 private:
  static std::sig_atomic_t volatile& requested_flag() {
    static std::sig_atomic_t volatile flag = 0;
    return flag;
  }
  static void on_signal(int number) {
    requested_flag() = 1;
    std::signal(number, SIG_DFL);
  }

  void (*previous_int_)(int);
  void (*previous_term_)(int);
};

}  // namespace glyphdiff
