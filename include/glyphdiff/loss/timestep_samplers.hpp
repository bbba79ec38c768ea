#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/random.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Which timestep each training sample gets: a function of the seed, the training step and the sample's slot
/// in the step's whole batch, whatever the microbatches.
namespace glyphdiff {

/// Timesteps with the importance weights that keep the loss unbiased.
template <class Time>
struct TimestepBatch {
  std::vector<Time> times;
  std::vector<double> weights;
};

/// A contiguous part of a training step's batch: slots first .. first + count - 1 of total.
struct BatchSlice {
  std::int64_t first, count, total;
};

/// Every timestep equally likely.
class UniformTimesteps {
 public:
  explicit UniformTimesteps(int steps) : steps_(steps) {}

  TimestepBatch<int> draw(std::uint64_t seed, std::uint64_t step, BatchSlice slice) const {
    TimestepBatch<int> batch;
    for (std::int64_t slot = slice.first; slot < slice.first + slice.count; ++slot)
      batch.times.push_back(
          static_cast<int>(uniform_below(steps_, {seed, Stream::timesteps, step}, random_index(slot, 0))));
    batch.weights.assign(batch.times.size(), 1.0);
    return batch;
  }

 private:
  int steps_;
};

/// Importance sampling by the root mean square of each timestep's last ten losses (Nichol & Dhariwal 2021,
/// section 3.3): p_t ~ sqrt(E[L_t^2]), mixed with 0.001 uniform; uniform until every timestep has ten. Meant
/// for the KL objectives.
class LossSecondMoment {
 public:
  static constexpr int history_length = 10;
  static constexpr double uniform_share = 0.001;

  explicit LossSecondMoment(int steps)
      : steps_(steps), history_(std::size_t(steps) * history_length), counts_(steps) {
    find_probabilities();
  }

  /// Draws for a batch. Call update() only after the whole step, so that microbatches don't change what is
  /// drawn.
  TimestepBatch<int> draw(std::uint64_t seed, std::uint64_t step, BatchSlice slice) const {
    TimestepBatch<int> batch;
    for (std::int64_t slot = slice.first; slot < slice.first + slice.count; ++slot) {
      double const u =
          uniform_double({seed, Stream::timesteps, step}, random_index(slot, 0)) * cumulative_.back();
      auto const found = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, u);
      batch.times.push_back(static_cast<int>(found - cumulative_.begin()));
      batch.weights.push_back(1 / (steps_ * probabilities_[batch.times.back()]));
    }
    return batch;
  }

  /// Takes the unweighted losses of a step's samples, in slot order.
  void update(std::span<int const> times, std::span<double const> losses) {
    for (std::size_t i = 0; i < times.size(); ++i) {
      auto const entries = history_.begin() + std::ptrdiff_t(times[i]) * history_length;
      int& count = counts_[times[i]];
      if (count == history_length) std::rotate(entries, entries + 1, entries + count--);
      entries[count++] = losses[i];
    }
    find_probabilities();
  }

  /// Sums to 1.
  std::vector<double> const& probabilities() const { return probabilities_; }

  // State for checkpoints.

  std::vector<double> const& history() const { return history_; }  ///< (T, 10), oldest first
  std::vector<int> const& counts() const { return counts_; }       ///< (T), how many of the ten are there

  /// Continues from what history() and counts() returned; throws Error if they don't fit.
  void restore(std::vector<double> history, std::vector<int> counts) {
    if (history.size() != history_.size() || counts.size() != counts_.size() ||
        std::ranges::any_of(counts, [](int count) { return count < 0 || count > history_length; }))
      throw Error(
          "loss history", std::to_string(steps_) + " timesteps with up to 10 losses each",
          std::to_string(counts.size()) + " timesteps and " + std::to_string(history.size()) + " losses");
    history_ = std::move(history);
    counts_ = std::move(counts);
    find_probabilities();
  }

 private:
  void find_probabilities() {
    auto& p = probabilities_;
    p.assign(std::size_t(steps_), 1.0 / steps_);
    if (std::ranges::all_of(counts_, [](int count) { return count == history_length; })) {
      double sum = 0;
      for (int t = 0; t < steps_; ++t) {
        double squares = 0;
        for (int i = 0; i < history_length; ++i)
          squares +=
              history_[std::size_t(t) * history_length + i] * history_[std::size_t(t) * history_length + i];
        sum += p[t] = std::sqrt(squares / history_length);
      }
      for (double& value : p)
        value = (sum > 0 ? value / sum : 1.0 / steps_) * (1 - uniform_share) + uniform_share / steps_;
    }
    cumulative_.resize(p.size());
    std::partial_sum(p.begin(), p.end(), cumulative_.begin());
  }

  int steps_;
  std::vector<double> history_;
  std::vector<int> counts_;
  std::vector<double> probabilities_, cumulative_;  // of the history
};

/// For continuous time: slot i of a batch of B gets (i + u_i) / B, which spreads each batch over all noise
/// levels, with less variance than independent draws. Shuffled, so that microbatches and data order don't
/// correlate with time.
class StratifiedTimesteps {
 public:
  explicit StratifiedTimesteps(bool shuffle = true) : shuffle_(shuffle) {}

  TimestepBatch<double> draw(std::uint64_t seed, std::uint64_t step, BatchSlice slice) const {
    RandomKey const key{seed, Stream::timesteps, step};
    std::vector<std::int64_t> stratum(slice.total);
    std::iota(stratum.begin(), stratum.end(), std::int64_t{0});
    if (shuffle_)
      for (std::int64_t i = slice.total - 1; i > 0; --i)  // Fisher and Yates
        std::swap(stratum[i], stratum[uniform_below(i + 1, key, random_index(i, 1))]);
    TimestepBatch<double> batch;
    for (std::int64_t slot = slice.first; slot < slice.first + slice.count; ++slot)
      batch.times.push_back((stratum[slot] + uniform_double(key, random_index(slot, 0))) / slice.total);
    batch.weights.assign(batch.times.size(), 1.0);
    return batch;
  }

 private:
  bool shuffle_;
};

}  // namespace glyphdiff
