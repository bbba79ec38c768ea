#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/checkpoint/config_description.hpp>
#include <glyphdiff/checkpoint/piece_set.hpp>
#include <glyphdiff/checkpoint/save_checkpoint.hpp>
#include <glyphdiff/checkpoint/tensor_match.hpp>
#include <glyphdiff/checkpoint/training_state.hpp>
#include <glyphdiff/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// Training states on their way back from the disk.
namespace glyphdiff {

/// A checkpoint that fits a state: everything about it has been checked, and nothing changed yet. So whoever
/// has more to fill than the state's stores can do all that may fail before fill().
class CheckpointReader {
 public:
  using Values = std::vector<std::pair<std::string, std::vector<double>>>;

  /// Opens a checkpoint, a file or the index of a set, and reads all of it once. Throws Error, one sentence,
  /// for what is cut short or damaged (by the checksums, too), has a newer format, another configuration or
  /// identity (with a list of what differs), other tensors or numbers that are not finite. With `ranges`,
  /// only those values of every arena are looked at; a tensor is compared with its checksum by who has its
  /// first value.
  CheckpointReader(std::string const& path, TrainingState const& state, ArenaRanges const& ranges = {})
      : file_(open_safetensors(path)) {
    detail::require_known_version(*file_);
    version_ = detail::metadata_integer<std::int64_t>(*file_, "glyphdiff.checkpoint");
    require_same_run(state);
    step_ = detail::metadata_integer<std::int64_t>(*file_, "glyphdiff.step");
    if (step_ < 0) throw Error(path, "a step of at least 0", std::to_string(step_));
    seed_ = detail::metadata_integer<std::uint64_t>(*file_, "glyphdiff.seed");
    read_scalars(state);

    table_ = state.table;
    arrays_ = state.optimizer.arrays;
    sets_ = detail::tensor_sets(state, version_);
    point_into_copies();
    if (ranges)
      for (TensorSet& set : sets_) set.range = ranges(set.prefix, detail::arena_size(*set.table));
    placements_ = detail::place(
        *file_, sets_, [](std::string const& name) { return !name.starts_with(detail::state_prefix); });
    read_values();
    detail::check_placed(placements_);
  }
  CheckpointReader(CheckpointReader const&) = delete;
  CheckpointReader& operator=(CheckpointReader const&) = delete;

  std::string const& path() const { return file_->path(); }
  std::int64_t step() const { return step_; }
  std::uint64_t seed() const { return seed_; }
  Values const& values() const { return values_; }
  std::vector<std::pair<std::string, double>> const& scalars() const { return scalars_; }

  /// Fills the state's stores. Nothing but the disk can fail here.
  void fill() const { detail::read_placed(placements_); }

 private:
  void require_same_run(TrainingState const& state) const {
    KeyValues stored = detail::stored_pairs(*file_, detail::config_prefix), ours = state.configuration;
    KeyValues identity = detail::stored_pairs(*file_, detail::identity_prefix);
    std::string const* const optimizer = find_value(file_->metadata(), "optimizer");
    stored.emplace_back("optimizer", optimizer != nullptr ? *optimizer : version_ == 1 ? "AdamW" : "none");
    ours.emplace_back("optimizer", state.optimizer.name);
    if (version_ > 1) {
      bool const data =
          find_value(identity, "data") != nullptr && find_value(state.identity, "data") != nullptr;
      auto const add = [&](KeyValues const& from, KeyValues& to) {
        for (auto const& pair : from)
          if (pair.first != "data" || data) to.push_back(pair);  // who doesn't say, can't differ
      };
      add(identity, stored);
      add(state.identity, ours);
    }
    for (auto const& [key, value] : state.defaults)
      if (find_value(stored, key) == nullptr && find_value(ours, key) != nullptr)
        stored.emplace_back(key, value);
    std::string const* const rates = find_value(file_->metadata(), "glyphdiff.ema_rates");
    stored.emplace_back("ema_rates", rates == nullptr ? "" : *rates);
    ours.emplace_back("ema_rates", detail::rates_text(state));
    detail::require_same_configuration(*file_, stored, ours);
  }

  void read_scalars(TrainingState const& state) {
    KeyValues const stored = detail::stored_pairs(*file_, detail::optimizer_prefix);
    for (auto const& [name, unused] : state.optimizer.scalars) {
      std::string const* const text = find_value(stored, name);
      double value = 0;
      if (text == nullptr || !detail::from_text(*text, value) || !is_finite(value))
        throw Error(path(), "a finite number as optimizer." + name,
                    text == nullptr ? "none" : "\"" + detail::printable(*text) + "\"");
      scalars_.emplace_back(name, value);
    }
  }

  void read_values() {
    for (std::size_t k = 0; k < file_->entries().size(); ++k) {
      std::string const& name = file_->entries()[k].name;
      if (!name.starts_with(detail::state_prefix)) continue;
      auto numbers = file_->read_doubles(k);
      if (!std::all_of(numbers.begin(), numbers.end(), [](double x) { return is_finite(x); }))
        detail::throw_not_finite(path(), name);
      values_.emplace_back(name.substr(detail::state_prefix.size()), std::move(numbers));
    }
  }

  /// The sets point to tables of the state, which need not outlive this.
  void point_into_copies() {
    std::size_t const others = sets_.size() - arrays_.size();
    for (std::size_t k = 0; k < sets_.size(); ++k)
      sets_[k].table = k < others || arrays_[k - others].table.empty() ? &table_ : &arrays_[k - others].table;
  }

  std::unique_ptr<TensorFile> file_;
  std::int64_t version_ = 0, step_ = 0;
  std::uint64_t seed_ = 0;
  Values values_;
  std::vector<std::pair<std::string, double>> scalars_;
  std::vector<ParameterBlock> table_;
  std::vector<OptimizerState::Array> arrays_;
  std::vector<TensorSet> sets_;
  std::vector<detail::TensorPlacement> placements_;
};

/// Reads a checkpoint into the stores of `state`; see CheckpointReader for the checks. The state is untouched
/// if Error is thrown, unless the disk fails after everything has been read once.
inline void load_checkpoint(std::string const& path, TrainingState& state, ArenaRanges const& ranges = {}) {
  CheckpointReader const reader(path, state, ranges);
  reader.fill();
  state.step = reader.step();
  state.seed = reader.seed();
  state.values = reader.values();
  state.optimizer.scalars = reader.scalars();
}

}  // namespace glyphdiff
