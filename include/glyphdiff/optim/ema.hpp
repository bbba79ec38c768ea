#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/kernels/optimizer.hpp>
#include <glyphdiff/optim/power_profile.hpp>
#include <glyphdiff/tensor.hpp>

#include <cstddef>
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
    Arena<Exec> values;   ///< same offsets as the parameters
    double width = 0;     ///< of a power function (see power_exponent); 0 if it is exponential
    double exponent = 0;  ///< its exponent
  };

  Ema() = default;

  /// Begins every average at the given parameters. Throws Error unless the rates lie in [0, 1), the widths in
  /// (0, 0.28], and all differ.
  Ema(Exec const& exec, Arena<Exec> const& parameters, std::vector<double> const& rates, bool warm_up = true,
      std::vector<double> const& widths = {})
      : warm_up_(warm_up) {
    for (double const rate : rates) {
      if (!(rate >= 0.0 && rate < 1.0))
        throw Error("The rate of a moving average must be at least 0 and below 1, not " +
                    std::to_string(rate) + ".");
      for (Average const& other : averages_)
        if (other.rate == rate)
          throw Error("The moving averages must differ in rate, but " + std::to_string(rate) +
                      " is given twice.");
      averages_.push_back(
          {rate, Arena<Exec>(Kokkos::ViewAllocateWithoutInitializing("glyphdiff::ema::values"),
                             parameters.extent(0))});
    }
    for (double const width : widths) {
      for (Average const& other : averages_)
        if (other.width == width)
          throw Error("The moving averages must differ in width, but " + std::to_string(width) +
                      " is given twice.");
      averages_.push_back({0,
                           Arena<Exec>(Kokkos::ViewAllocateWithoutInitializing("glyphdiff::ema::values"),
                                       parameters.extent(0)),
                           width, power_exponent(width)});
    }
    reset(exec, parameters);
  }

  /// Begins every average anew at these parameters.
  void reset(Exec const& exec, Arena<Exec> const& parameters) {
    for (Average const& average : averages_) Kokkos::deep_copy(exec, average.values, parameters);
  }

  std::vector<Average> const& averages() const { return averages_; }
  bool warm_up() const { return warm_up_; }

  /// The averages from number `first` on that one pass takes, at the update that follows `steps` earlier
  /// ones.
  kernels::EmaUpdate pass(std::size_t first, std::int64_t steps) const {
    kernels::EmaUpdate u;
    for (std::size_t k = first; k < averages_.size() && u.count < u.capacity; ++k, ++u.count) {
      double const rate = averages_[k].width > 0 ? power_rate(averages_[k].exponent, steps)
                                                 : ema_rate(averages_[k].rate, steps, warm_up_);
      u.average[u.count] = averages_[k].values.data();
      u.rate[u.count] = float(rate);
      u.one_minus_rate[u.count] = float(1.0 - rate);
    }
    return u;
  }

  /// Advances the averages from number `first` on, for parameters that were not updated by AdamW::update.
  void update(Exec const& exec, Arena<Exec> const& parameters, std::int64_t steps,
              std::size_t first = 0) const {
    for (; first < averages_.size(); first += kernels::EmaUpdate::capacity)
      kernels::ema_update<kernels::DefaultPath<Exec>>(exec, std::int64_t(parameters.extent(0)),
                                                      parameters.data(), pass(first, steps));
  }

 private:
  std::vector<Average> averages_;
  bool warm_up_ = true;
};

}  // namespace glyphdiff
