#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/checkpoint/pickle_writer.hpp>
#include <glyphdiff/checkpoint/torch_file.hpp>
#include <glyphdiff/checkpoint/torch_writer.hpp>
#include <glyphdiff/checkpoint/training_state.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// The files of a training run of the reference programs, from which a run goes on here, and the other way
/// round:
///
///     modelNNNNNN.pt       parameters, by name
///     ema_RATE_NNNNNN.pt   one per moving average
///     optNNNNNN.pt         AdamW's moments, steps and options
///
/// The reference saves before it counts: its model000010.pt holds eleven updates, unless it is the last file
/// of its run. How many there were stands in the optimiser's file.
namespace glyphdiff {

/// AdamW's options as the optimiser's file states them. A run of the reference takes its learning rate from
/// there.
struct ReferenceOptimizer {
  double learning_rate = 1e-4;
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
};

/// How a run of the reference keeps its moments.
enum class ReferenceMoments {
  per_parameter,  ///< single precision
  two_flat,       ///< ADM's half precision: vectors behind each other, then all that has more axes
  one_flat,       ///< IDDPM's half precision: everything behind each other
};

namespace detail {

/// "0.9999", as in file names.
inline std::string rate_text(double rate) {
  std::string const prefix = average_prefix(rate);
  return prefix.substr(4, prefix.size() - 5);
}

/// The files of a run that lie beside "FOLDER/modelNNNNNN.pt".
class ReferencePaths {
 public:
  explicit ReferencePaths(std::string const& model) : model_(model) {
    std::string const name = std::filesystem::path(model).filename().string(), start = "model", end = ".pt";
    folder_ = model.substr(0, model.size() - name.size());
    if (name.starts_with(start) && name.ends_with(end) && name.size() > start.size() + end.size())
      number_ = name.substr(start.size(), name.size() - start.size() - end.size());
    if (number_.empty() || number_.find_first_not_of("0123456789") != number_.npos)
      throw Error(model, "a name like model000010.pt, so that the run's other files can be found", name);
  }

  ReferencePaths(std::filesystem::path const& folder, std::int64_t step)
      : ReferencePaths((folder / ("model" + padded(step) + ".pt")).string()) {}

  std::string const& model() const { return model_; }
  std::string average(double rate) const {
    return folder_ + "ema_" + rate_text(rate) + "_" + number_ + ".pt";
  }
  std::string optimizer() const { return folder_ + "opt" + number_ + ".pt"; }

 private:
  static std::string padded(std::int64_t step) {
    std::string const digits = std::to_string(step);
    return std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
  }

  std::string model_, folder_, number_;
};

inline void require_sibling(std::string const& path, std::string const& what, std::string const& model) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw Error(path, what + " beside " + model, "no such file");
}

/// The parameters that share a state of the optimiser, state by state.
inline std::vector<std::vector<ParameterBlock>> moment_groups(std::vector<ParameterBlock> const& table,
                                                              ReferenceMoments moments) {
  std::vector<std::vector<ParameterBlock>> groups;
  if (moments == ReferenceMoments::per_parameter)
    for (ParameterBlock const& block : table) groups.push_back({block});
  if (moments == ReferenceMoments::one_flat) groups = {table};
  if (moments == ReferenceMoments::two_flat) {
    groups.resize(2);
    for (ParameterBlock const& block : table) groups[block.shape.size() > 1].push_back(block);
  }
  return groups;
}

inline std::int64_t value_count(std::vector<ParameterBlock> const& blocks) {
  std::int64_t count = 0;
  for (ParameterBlock const& block : blocks) count += block.count;
  return count;
}

/// The shape of a state's moments.
inline std::vector<std::int64_t> moment_shape(std::vector<ParameterBlock> const& blocks,
                                              ReferenceMoments moments, std::size_t state) {
  if (moments == ReferenceMoments::per_parameter) return blocks[0].shape;
  std::int64_t const count = value_count(blocks);
  if (moments == ReferenceMoments::two_flat && state == 1) return {1, count};
  return {count};
}

/// An optimiser's file.
class ReferenceOptimizerFile {
 public:
  ReferenceOptimizerFile(std::string const& path, std::vector<ParameterBlock> const& table) : file_(path) {
    PickleValue const* const groups = file_.value().find("param_groups");
    PickleValue const* const states = file_.value().find("state");
    PickleItems const* const items = groups == nullptr ? nullptr : groups->items();
    if (states == nullptr || states->as<PickleDict>() == nullptr || items == nullptr || items->empty())
      throw Error(path, "the state of an optimiser", file_.value().kind());
    read_options(*items->front());
    for (PickleValue const* const group : *items) {
      PickleValue const* const ids = group->find("params");
      if (ids == nullptr || ids->items() == nullptr) throw Error(path, "params in every group", "none");
      for (PickleValue const* const id : *ids->items()) {
        auto const* const number = id->as<std::int64_t>();
        if (number == nullptr) throw Error(path, "numbers of parameters", id->kind());
        names_.push_back("state." + std::to_string(*number) + ".");
      }
    }
    moments_ = names_.size() == table.size() ? ReferenceMoments::per_parameter
               : names_.size() == 2          ? ReferenceMoments::two_flat
                                             : ReferenceMoments::one_flat;
    groups_ = moment_groups(table, moments_);
    if (names_.size() != groups_.size())
      throw Error(
          path, "a state for each of " + std::to_string(table.size()) + " parameters, or one or two for all",
          std::to_string(names_.size()));
    fresh_ = states->as<PickleDict>()->pairs.empty();
    for (std::size_t i = 0; i < file_.entries().size(); ++i) numbers_.emplace(file_.entries()[i].name, i);
    if (!fresh_) read_steps(*states->as<PickleDict>());
  }

  ReferenceOptimizer const& options() const { return options_; }
  std::int64_t steps() const { return steps_; }
  bool fresh() const { return fresh_; }  ///< no update was made, and there are no moments

  /// Where the moments of that name, "exp_avg" or "exp_avg_sq", belong in `store`.
  void place(std::string const& name, FloatStore const& store,
             std::vector<TensorPlacement>& placements) const {
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      std::size_t const tensor = number_of(names_[i] + name);
      TensorEntry const& entry = file_.entries()[tensor];
      auto const expected = moment_shape(groups_[i], moments_, i);
      bool const fits = moments_ == ReferenceMoments::per_parameter
                            ? entry.shape == expected
                            : entry.count() == value_count(groups_[i]);
      if (!fits || !is_floating(entry.dtype))
        throw Error(file_.path(), "F32 " + shape_text(expected) + " as " + entry.name,
                    entry.dtype + " " + shape_text(entry.shape));
      std::int64_t first = 0;
      for (ParameterBlock const& block : groups_[i]) {
        placements.push_back({&file_, tensor, first, &store, block.offset, block.count});
        first += block.count;
      }
    }
  }

 private:
  std::size_t number_of(std::string const& name) const {
    auto const found = numbers_.find(name);
    if (found == numbers_.end()) throw Error(file_.path(), name, "none");
    return found->second;
  }

  double number(PickleValue const* value, std::string const& name) const {
    if (value != nullptr) {
      if (auto const* const real = value->as<double>()) return *real;
      if (auto const* const integer = value->as<std::int64_t>()) return double(*integer);
    }
    throw Error(file_.path(), "a number as " + name, value == nullptr ? "none" : value->kind());
  }

  void read_options(PickleValue const& group) {
    options_.learning_rate = number(group.find("lr"), "lr");
    options_.eps = number(group.find("eps"), "eps");
    options_.weight_decay = number(group.find("weight_decay"), "weight_decay");
    PickleValue const* const betas = group.find("betas");
    if (betas == nullptr || betas->items() == nullptr || betas->items()->size() != 2)
      throw Error(file_.path(), "two betas", "something else");
    options_.beta1 = number((*betas->items())[0], "betas");
    options_.beta2 = number((*betas->items())[1], "betas");
    PickleValue const* const amsgrad = group.find("amsgrad");
    if (amsgrad != nullptr && amsgrad->as<bool>() != nullptr && *amsgrad->as<bool>())
      throw Error(file_.path(), "AdamW as it was published", "its variant amsgrad");
  }

  /// Every state has its own count of updates: an integer, or in newer versions a tensor.
  void read_steps(PickleDict const& states) {
    for (auto const& [key, state] : states.pairs) {
      PickleValue const* const step = state->find("step");
      double value = 0;
      if (step != nullptr && step->as<PickleTensor>() != nullptr && key->as<std::int64_t>() != nullptr) {
        float single = 0;
        file_.read(number_of("state." + std::to_string(*key->as<std::int64_t>()) + ".step"), 0, 1, &single);
        value = double(single);
      } else {
        value = number(step, "step");
      }
      if (!is_finite(value) || value < 0 || value >= 9e15 || value != std::floor(value))
        throw Error(file_.path(), "a whole number of updates", number_text(value));
      if (&key != &states.pairs.front().first && std::int64_t(value) != steps_)
        throw Error(file_.path(), "as many updates of every parameter, " + std::to_string(steps_),
                    std::to_string(std::int64_t(value)));
      steps_ = std::int64_t(value);
    }
  }

  TorchFile file_;
  ReferenceOptimizer options_;
  ReferenceMoments moments_ = ReferenceMoments::per_parameter;
  std::vector<std::vector<ParameterBlock>> groups_;
  std::vector<std::string> names_;  // "state.0.", in the order of the parameters
  std::map<std::string, std::size_t> numbers_;
  std::int64_t steps_ = 0;
  bool fresh_ = false;
};

/// Parameters that lie behind each other in a file, as a tensor to be written.
inline TensorSource block_source(std::string name, std::vector<std::int64_t> shape,
                                 std::vector<ParameterBlock> blocks, FloatStore const& store) {
  auto const read = [blocks = std::move(blocks), store](std::uint64_t offset, std::uint64_t bytes, void* to) {
    auto target = static_cast<float*>(to);
    std::int64_t first = std::int64_t(offset / sizeof(float)), count = std::int64_t(bytes / sizeof(float));
    for (ParameterBlock const& block : blocks) {
      std::int64_t const now = (std::min)(count, block.count - first);
      if (now > 0) {
        store.read(block.offset + first, now, target);
        target += now;
        count -= now;
      }
      first = std::max<std::int64_t>(first - block.count, 0);
    }
  };
  return {std::move(name), "F32", std::move(shape), read};
}

inline void write_reference_weights(std::string const& path, std::vector<ParameterBlock> const& table,
                                    FloatStore const& store) {
  std::vector<TensorSource> tensors;
  for (ParameterBlock const& block : table)
    tensors.push_back(block_source(block.name, block.shape, {block}, store));
  write_torch_file(path, tensors);
}

inline void write_reference_optimizer(std::string const& path, TrainingState const& state,
                                      ReferenceOptimizer const& options, ReferenceMoments moments) {
  auto const groups = moment_groups(state.table, moments);
  std::vector<TensorSource> storages;
  PickleWriter writer;
  writer.begin_dict().text("state").begin_dict();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    auto const shape = moment_shape(groups[i], moments, i);
    // An integer, which every version of PyTorch understands; newer ones write a tensor.
    writer.integer(std::int64_t(i)).begin_dict().text("step").integer(state.step);
    for (auto const& [name, store] : {std::pair("exp_avg", &state.optimizer.array("first_moment")),
                                      {"exp_avg_sq", &state.optimizer.array("second_moment")}}) {
      writer.text(name).tensor(std::to_string(storages.size()), shape);
      storages.push_back(block_source(name, shape, groups[i], *store));
    }
    writer.end_dict();
  }
  writer.end_dict().text("param_groups").begin_list().begin_dict();
  writer.text("lr").real(options.learning_rate);
  writer.text("betas").begin_tuple().real(options.beta1).real(options.beta2).end_tuple();
  writer.text("eps").real(options.eps).text("weight_decay").real(options.weight_decay);
  writer.text("amsgrad").boolean(false).text("params").begin_list();
  for (std::size_t i = 0; i < groups.size(); ++i) writer.integer(std::int64_t(i));
  writer.end_list().end_dict().end_list().end_dict();
  write_torch_archive(path, writer.finish(), storages);
}

}  // namespace detail

namespace detail {

/// The reference knows exponential averages alone.
inline void require_exponential(TrainingState const& state) {
  for (auto const& average : state.averages)
    if (average.width > 0)
      throw Error("averages of a reference run", "exponential ones",
                  "a power function of width " + number_text(average.width));
}

}  // namespace detail

/// Fills a state's parameters, averages, moments and step from the files of a reference run, given its
/// "FOLDER/modelNNNNNN.pt": the averages that the state names, and the optimiser's file, lie beside it.
/// Returns the optimiser's options. Throws Error, one sentence, for a file that is missing, damaged, or of
/// another model, for numbers that are not finite, and for power-function averages; the state is untouched
/// then, unless the disk fails after everything has been read once.
inline ReferenceOptimizer load_reference_run(std::string const& model_path, TrainingState& state) {
  detail::require_exponential(state);
  FloatStore const &first = state.optimizer.array("first_moment"),
                   &second = state.optimizer.array("second_moment");
  detail::ReferencePaths const paths(model_path);
  auto const all = [](std::string const&) { return true; };
  std::vector<std::unique_ptr<TorchFile>> files;
  std::vector<std::vector<TensorSet>> parts;
  std::vector<detail::TensorPlacement> placements;
  parts.reserve(1 + state.averages.size());  // placements point into it
  auto const place = [&](std::string const& path, FloatStore const& store) {
    parts.push_back({{"", store, &state.table}});
    files.push_back(std::make_unique<TorchFile>(path));
    auto const placed = detail::place(*files.back(), parts.back(), all);
    placements.insert(placements.end(), placed.begin(), placed.end());
  };

  for (auto const& average : state.averages)
    detail::require_sibling(paths.average(average.rate),
                            "the moving average of rate " + detail::rate_text(average.rate), model_path);
  detail::require_sibling(paths.optimizer(), "the optimiser's file", model_path);
  place(model_path, state.parameters);
  for (auto const& average : state.averages) place(paths.average(average.rate), average.values);
  detail::ReferenceOptimizerFile const optimizer(paths.optimizer(), state.table);
  if (!optimizer.fresh()) {
    optimizer.place("exp_avg", first, placements);
    optimizer.place("exp_avg_sq", second, placements);
  }

  detail::check_placed(placements);
  detail::read_placed(placements);
  if (optimizer.fresh())
    for (ParameterBlock const& block : state.table) {
      std::vector<float> const zeros(std::size_t(block.count));
      first.write(block.offset, block.count, zeros.data());
      second.write(block.offset, block.count, zeros.data());
    }
  state.step = optimizer.steps();
  state.values.clear();
  return optimizer.options();
}

/// Writes a state as the files of a reference run, numbered by its step, from which the reference goes on,
/// and returns the path of the model's file. That file is written last: where it is, the others are too.
/// Throws Error, for power-function averages too.
inline std::string save_reference_run(std::string const& folder, TrainingState const& state,
                                      ReferenceOptimizer const& options,
                                      ReferenceMoments moments = ReferenceMoments::per_parameter) {
  detail::require_exponential(state);
  detail::ReferencePaths const paths(std::filesystem::path(folder), state.step);
  detail::write_reference_optimizer(paths.optimizer(), state, options, moments);
  for (auto const& average : state.averages)
    detail::write_reference_weights(paths.average(average.rate), state.table, average.values);
  detail::write_reference_weights(paths.model(), state.table, state.parameters);
  return paths.model();
}

}  // namespace glyphdiff
