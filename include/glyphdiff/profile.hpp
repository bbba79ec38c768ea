#pragma once

#include <glyphdiff/error.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

/// Where the time of a pass goes: operation by operation and layer by layer.
namespace glyphdiff {

/// What an operation cannot do without: bytes that are read or written once, and additions and
/// multiplications.
struct Work {
  double bytes = 0;
  double arithmetic = 0;

  Work& operator+=(Work const& other) {
    bytes += other.bytes;
    arithmetic += other.arithmetic;
    return *this;
  }
};

/// Records every operation that is launched while it is set (Trainer::set_profiler, Evaluator::set_profiler).
/// Each is waited for, so that its time is its own; without a profiler nothing is waited for or measured.
class Profiler {
 public:
  struct Event {
    char const* operation;
    std::int64_t layer;     ///< see layer_name()
    double begin, seconds;  ///< since the first event
    Work work;
  };

  /// Times `launch()`, which begins an operation and whose end `wait()` waits for.
  template <class Launch, class Wait>
  void time(char const* operation, std::int64_t layer, Work const& work, Launch const& launch,
            Wait const& wait) {
    wait();
    double const begin = now();
    launch();
    wait();
    events_.push_back({operation, layer, begin, now() - begin, work});
  }

  /// A layer is known by the offset of its first parameter, -1 for what is outside of the network; `name` is
  /// how it is written.
  void name_layer(std::int64_t layer, std::string name) { names_[layer] = std::move(name); }
  std::string layer_name(std::int64_t layer) const {
    auto const found = names_.find(layer);
    return found != names_.end() ? found->second : layer < 0 ? "outside of the network" : "?";
  }

  std::vector<Event> const& events() const { return events_; }
  void clear() { events_.clear(); }

  /// Sums of the events by what `key(event)` says, the longest first.
  struct Row {
    std::string name;
    int count = 0;
    double seconds = 0;
    Work work;
  };
  template <class Key>
  std::vector<Row> rows(Key const& key) const {
    std::map<std::string, Row> sums;
    for (Event const& event : events_) {
      Row& row = sums[key(event)];
      ++row.count;
      row.seconds += event.seconds;
      row.work += event.work;
    }
    std::vector<Row> result;
    for (auto& [name, row] : sums) {
      row.name = name;
      result.push_back(row);
    }
    std::stable_sort(result.begin(), result.end(),
                     [](Row const& a, Row const& b) { return a.seconds > b.seconds; });
    return result;
  }
  std::vector<Row> by_operation() const {
    return rows([](Event const& event) { return std::string(event.operation); });
  }
  std::vector<Row> by_layer() const {
    return rows([&](Event const& event) { return layer_name(event.layer); });
  }

 private:
  double now() {
    auto const time = std::chrono::steady_clock::now();
    if (!started_) start_ = time;
    started_ = true;
    return std::chrono::duration<double>(time - start_).count();
  }

  std::vector<Event> events_;
  std::map<std::int64_t, std::string> names_;
  std::chrono::steady_clock::time_point start_;
  bool started_ = false;
};

}  // namespace glyphdiff
