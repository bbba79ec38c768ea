#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/kernels/optimizer.hpp>
#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/kernels/runner.hpp>
#include <glyphdiff/mapped_file.hpp>
#include <glyphdiff/number_text.hpp>
#include <glyphdiff/optim/power_profile.hpp>
#include <glyphdiff/tensor.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace glyphdiff {

/// An exponential moving average's rate after `steps` updates. With warm-up it begins low, so that the
/// average of a short or fine-tuned run does not consist of the initial weights: min(rate, (1 + steps) / (10
/// + steps)).
inline double ema_rate(double rate, std::int64_t steps, bool warm_up) {
  double const early = double(1 + steps) / double(10 + steps);
  return warm_up && early < rate ? early : rate;
}

/// Moving averages of the parameters, any number at once: e = rate * e + (1 - rate) * p after each update,
/// with a constant rate (exponential averages) or one that grows with the run (power-function averages).
/// AdamW::update advances them in its own pass over memory.
template <class Exec>
class Ema {
 public:
  struct Average {
    double rate;          ///< of an exponential average; 0 if it is a power function
    Arena<Exec> values;   ///< same offsets as the parameters; on disk it lives as long as `file` does
    double width = 0;     ///< of a power function (see power_exponent); 0 if it is exponential
    double exponent = 0;  ///< its exponent
    std::shared_ptr<MappedFile const> file{};  ///< what `values` lies in, if on disk
    std::shared_ptr<std::int64_t> counter = std::make_shared<std::int64_t>(0);  ///< see changed()

    /// To evaluate a network with: it is known when they change.
    ConstParameters<Exec> parameters() const { return {values, counter}; }
  };

  Ema() = default;
  Ema(Ema&&) = default;  // a copy would share the values
  Ema& operator=(Ema&&) = default;

  /// Begins every average at the given parameters. With a `folder` they lie on its disk instead of in memory,
  /// in files without a name (MappedFile), which only execution spaces of the host can do. Throws Error
  /// unless the rates lie in [0, 1), the widths in (0, 0.28], and all differ; and if the folder can't take
  /// them.
  Ema(Exec const& exec, Arena<Exec> const& parameters, std::vector<double> const& rates, bool warm_up = true,
      std::vector<double> const& widths = {}, std::string const& folder = {})
      : warm_up_(warm_up), folder_(folder) {
    if (on_disk() && !kernels::runs_on_host<Exec>)
      throw Error("Moving averages can lie on disk only where the host's own cores compute.");
    for (double const rate : rates) {
      if (!is_finite(rate) || rate < 0.0 || rate >= 1.0)
        throw Error("The rate of a moving average must be at least 0 and below 1, not " + number_text(rate) +
                    ".");
      for (Average const& other : averages_)
        if (other.rate == rate)
          throw Error("The moving averages must differ in rate, but " + number_text(rate) +
                      " is given twice.");
      add(parameters.extent(0), rate);
    }
    for (double const width : widths) {
      for (Average const& other : averages_)
        if (other.width == width)
          throw Error("The moving averages must differ in width, but " + number_text(width) +
                      " is given twice.");
      add(parameters.extent(0), 0, width, power_exponent(width));
    }
    reset(exec, parameters);
  }

  /// Begins every average anew at these parameters.
  void reset(Exec const& exec, Arena<Exec> const& parameters) {
    changed();
    for (Average const& average : averages_)
      for_each_piece(exec, std::int64_t(parameters.extent(0)), [&](std::int64_t first, std::int64_t count) {
        run(exec, kernels::Copy{count}, parameters.data() + first, average.values.data() + first);
      });
  }

  std::vector<Average> const& averages() const { return averages_; }
  /// To be called by who writes to the values: evaluators keep weights as their backend reads them.
  void changed() const {
    for (Average const& average : averages_) ++*average.counter;
  }
  bool warm_up() const { return warm_up_; }
  bool on_disk() const { return !folder_.empty(); }

  /// Gives the main memory back that averages on disk came to take by being read. An update does it as well.
  void release() const {
    for (Average const& average : averages_)
      if (average.file) average.file->release();
  }

  /// The rates at the update that follows `steps` earlier ones, one for each average.
  void write_rates(std::int64_t steps, std::span<kernels::EmaRate> rates) const {
    for (std::size_t k = 0; k < averages_.size(); ++k) {
      double const rate = averages_[k].width > 0 ? power_rate(averages_[k].exponent, steps)
                                                 : ema_rate(averages_[k].rate, steps, warm_up_);
      rates[k] = {float(rate), float(1.0 - rate)};
    }
  }

  /// The averages from number `first` on that one pass takes.
  kernels::EmaAverages pass(std::size_t first) const {
    kernels::EmaAverages some;
    some.first = int(first);
    for (std::size_t k = first; k < averages_.size() && some.count < some.capacity; ++k)
      some.average[some.count++] = averages_[k].values.data();
    return some;
  }

  /// Advances the averages for parameters that were not updated by AdamW::update.
  template <class On>
  void update(On const& exec, Arena<Exec> const& parameters, std::int64_t steps) const {
    auto&& runner = runner_on(exec);
    auto& uploads = runner.uploads();
    uploads.clear();
    auto const rates = uploads.template add<kernels::EmaRate>(averages_.size());
    auto const outcome = uploads.template add<kernels::UpdateOutcome>(1);
    write_rates(steps, uploads.host(rates));
    uploads.host(outcome)[0] = {0.0, 1.0f, 0};
    uploads.upload(runner);
    fence(runner, "the averages' rates to the space");
    launch(runner, parameters, {nullptr, uploads.device(rates), uploads.device(outcome)}, 0);
  }

  /// Advances the averages from number `first` on, with rates and outcome in the space's memory.
  template <class On>
  void launch(On const& exec, Arena<Exec> const& parameters, kernels::UpdateInput const& in,
              std::size_t first) const {
    changed();
    for (; first < averages_.size(); first += kernels::EmaAverages::capacity)
      for_each_piece(exec, std::int64_t(parameters.extent(0)), [&](std::int64_t begin, std::int64_t count) {
        kernels::EmaAverages some = pass(first);
        for (int k = 0; k < some.count; ++k) some.average[k] += begin;
        run(exec, kernels::EmaStep{count, some}, parameters.data() + begin, in);
      });
  }

 private:
  static constexpr std::int64_t piece_on_disk = 1 << 20;  ///< values: with four averages, 16 MiB at a time

  void add(std::size_t count, double rate, double width = 0, double exponent = 0) {
    if (!on_disk()) {
      Arena<Exec> const values(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::ema::values"),
                               count);
      return averages_.push_back({.rate = rate, .values = values, .width = width, .exponent = exponent});
    }
    auto const file = std::make_shared<MappedFile const>(folder_, std::int64_t(count * sizeof(float)));
    averages_.push_back({.rate = rate,
                         .values = Arena<Exec>(static_cast<float*>(file->data()), count),
                         .width = width,
                         .exponent = exponent,
                         .file = file});
  }

  /// work(first, count) for all values: at once, or on disk piece by piece, each of which leaves main memory
  /// before the next one enters.
  template <class On, class Work>
  void for_each_piece(On const& exec, std::int64_t values, Work const& work) const {
    if (!on_disk()) return work(0, values);
    for (std::int64_t first = 0; first < values; first += piece_on_disk) {
      std::int64_t const count = (std::min)(piece_on_disk, values - first);
      work(first, count);
      fence(exec, "a piece of the averages, before it leaves main memory");
      for (Average const& average : averages_)
        average.file->release(first * std::int64_t(sizeof(float)), count * std::int64_t(sizeof(float)));
    }
  }

  std::vector<Average> averages_;
  bool warm_up_ = true;
  std::string folder_;
};

}  // namespace glyphdiff
