#pragma once

#include <glyphdiff/checkpoint/config_description.hpp>
#include <glyphdiff/checkpoint/dtype.hpp>
#include <glyphdiff/checkpoint/load_checkpoint.hpp>
#include <glyphdiff/checkpoint/save_checkpoint.hpp>
#include <glyphdiff/checkpoint/weights.hpp>
#include <glyphdiff/train/checkpoint_identity.hpp>
#include <glyphdiff/train/checkpoint_optimizer.hpp>
#include <glyphdiff/train/trainer.hpp>
#include <glyphdiff/version.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// A trainer's checkpoints: everything from which the run goes on bit for bit.
namespace glyphdiff {

/// A network's parameters as checkpoints name them.
inline std::vector<ParameterBlock> parameter_blocks(ParameterList const& list) {
  std::vector<ParameterBlock> blocks;
  for (ParameterInfo const& info : list) blocks.push_back({info.name, info.shape, info.offset, info.count});
  return blocks;
}

namespace detail {

/// An average's numbers. Where it lies on disk, those that pass don't stay in memory.
template <class Average>
FloatStore average_store(Average const& average) {
  FloatStore store(average.values);
  if (!average.file) return store;
  auto const release = [file = average.file](std::int64_t first, std::int64_t count) {
    file->release(first * std::int64_t(sizeof(float)), count * std::int64_t(sizeof(float)));
  };
  store.read = [read = store.read, release](std::int64_t first, std::int64_t count, float* to) {
    read(first, count, to);
    release(first, count);
  };
  store.write = [write = store.write, release](std::int64_t first, std::int64_t count, float const* from) {
    write(first, count, from);
    release(first, count);
  };
  return store;
}

/// What the checkpoints of any training hold: what is trained, the optimiser's state, and what must be the
/// same for the run to go on.
template <CheckpointedOptimizer Optimizer, class D, class Options>
TrainingState shared_state(ParameterList const& list, FloatStore const& values, Optimizer const& optimizer,
                           UNetConfig const& config, D const& process, Options const& options,
                           KeyValues const& run) {
  using Kept = OptimizerCheckpoint<Optimizer>;
  TrainingState state;
  state.table = parameter_blocks(list);
  state.parameters = values;
  state.optimizer = Kept::state(optimizer, state.table);
  state.configuration = describe(config);
  state.defaults = describe(UNetConfig{});
  state.configuration.emplace_back("batch", std::to_string(options.batch));
  state.configuration.emplace_back("seed", std::to_string(options.seed));
  for (auto const& pair : run) (pair.first == "data" ? state.identity : state.configuration).push_back(pair);
  describe_process(state.identity, process);
  for (auto const& [key, value] : Kept::options(optimizer))
    state.identity.emplace_back("optimizer." + key, value);
  state.identity.emplace_back("precision.parameters", "float32");
  state.identity.emplace_back("precision.compute", "float32");
  state.notes = {{"written_by", "glyphdiff " + std::to_string(version.major) + "." +
                                    std::to_string(version.minor) + "." + std::to_string(version.patch)},
                 {"microbatch", std::to_string(options.microbatch)},
                 {"learning_rate", to_text(options.learning_rate.peak)}};
  if (!state.optimizer.arrays.empty())  // which are converted where they differ
    state.notes.emplace_back("precision.optimizer", state.optimizer.arrays[0].values.dtype);
  state.step = optimizer.steps;
  state.seed = options.seed;
  return state;
}

/// A timestep sampler's memory, if it has one.
template <class Times>
concept RemembersLosses = requires(Times& times) {
  times.restore(times.history(), times.counts());
};

/// The sampler of a run with what a checkpoint has kept of it. Throws Error for a checkpoint of another one.
template <class Times>
Times restored(Times const& sampler, CheckpointReader const& reader) {
  Times result = sampler;
  std::vector<double> history;
  std::vector<int> counts;
  for (auto const& [name, numbers] : reader.values()) {
    bool const known = RemembersLosses<Times> && (name == "loss_history" || name == "loss_history_counts");
    if (!known)
      throw Error(reader.path(), "a run whose timesteps " + part_name<Times>() + " draws",
                  "one with state." + printable(name));
    if (name == "loss_history") history = numbers;
    if (name == "loss_history_counts")
      for (double const count : numbers)
        counts.push_back(count >= 0 && count <= 1000 && count == int(count) ? int(count) : -1);
  }
  if constexpr (RemembersLosses<Times>) {
    try {
      result.restore(std::move(history), std::move(counts));
    } catch (Error const& error) {
      throw Error(reader.path() + " does not go with this run's timestep sampler: " + error.what());
    }
  }
  return result;
}

}  // namespace detail

/// All that a checkpoint of the trainer holds. `run`: see save_checkpoint.
template <class Net, class D, class Objective, class Times>
TrainingState training_state(Trainer<Net, D, Objective, Times>& trainer, KeyValues const& run = {}) {
  auto const& options = trainer.options();
  TrainingState state = detail::shared_state(trainer.trainable().list(), trainer.trainable().values(),
                                             trainer.adamw(), Net::config, trainer.diffusion(), options, run);
  for (auto const& average : trainer.ema().averages())
    state.averages.push_back({average.rate, detail::average_store(average), average.width});
  state.configuration.emplace_back("ema_warm_up", detail::to_text(options.ema_warm_up));
  state.defaults.emplace_back("ema_warm_up", "true");
  state.identity.emplace_back("objective.kind", detail::part_name<Objective>());
  // How microbatches are cut changes a mean by rounding alone.
  state.identity.emplace_back("objective.microbatches", options.sum_microbatches
                                                            ? "sum of " + std::to_string(options.microbatch)
                                                            : "mean");
  state.identity.emplace_back("timesteps.sampler", detail::part_name<Times>());
  detail::add_description(state.identity, "timesteps", trainer.timestep_sampler());
  state.notes.emplace_back("clip_norm", detail::to_text(options.clip_norm));
  if constexpr (detail::RemembersLosses<Times>) {
    state.values.emplace_back("loss_history", trainer.timestep_sampler().history());
    auto const& counts = trainer.timestep_sampler().counts();
    state.values.emplace_back("loss_history_counts", std::vector<double>(counts.begin(), counts.end()));
  }
  return state;
}

/// Writes the trainer's whole state to `path`, in place of what was there once all of it is on disk. The
/// network, the process, the objective, how timesteps are drawn and the optimiser's options are written as
/// the run's identity. `run`: whatever else must be the same for the run to go on; its "data" (see
/// data_identity) is compared only where both sides say it. Throws Error; the old file survives then.
template <class Net, class D, class Objective, class Times>
void save_checkpoint(std::string const& path, Trainer<Net, D, Objective, Times>& trainer,
                     KeyValues const& run = {}) {
  save_checkpoint(path, training_state(trainer, run));
}

/// Continues from a checkpoint, or the index of a set, of the same identity and `run`; those of version 1 say
/// less of it. What may differ: the learning rate and how long it is to go on, clipping, means of other
/// microbatches, where averages lie, levels that are recomputed, and the format of the moments, which are
/// converted, to bfloat16 by rounding to the nearest. Throws Error, one sentence that says what is wrong or
/// lists what differs; the trainer is untouched then, unless the disk fails after the file was read once.
template <class Net, class D, class Objective, class Times>
void load_checkpoint(std::string const& path, Trainer<Net, D, Objective, Times>& trainer,
                     KeyValues const& run = {}) {
  CheckpointReader const reader(path, training_state(trainer, run));
  Times sampler = detail::restored(trainer.timestep_sampler(), reader);
  reader.fill();
  using Optimizer = std::remove_cvref_t<decltype(trainer.adamw())>;
  OptimizerCheckpoint<Optimizer>::restore(trainer.adamw(), reader.step(), reader.scalars());
  trainer.timestep_sampler() = std::move(sampler);
  trainer.ema().changed();
  trainer.trainable().apply(trainer.exec(), trainer.trainable().values());
}

/// Writes a run's averages (its parameters, if it has none) to be sampled from: each as all weights of the
/// network, whatever part of them is trained, under the prefix that a checkpoint gives it. In half precision,
/// a tenth of a checkpoint's size, unless `full`. Throws Error; an old file survives then.
template <class Net, class D, class Objective, class Times>
void save_snapshot(std::string const& path, Trainer<Net, D, Objective, Times>& trainer,
                   KeyValues const& run = {}, bool full = false) {
  using Exec = typename Net::execution_space;
  Exec const exec = trainer.exec();
  auto& trainable = trainer.trainable();
  struct Set {
    std::string prefix;
    Arena<Exec> values;
  };
  std::vector<Set> sets;
  for (auto const& average : trainer.ema().averages())
    sets.push_back({average_prefix(average.rate, average.width), average.values});
  if (sets.empty()) sets.push_back({"model.", trainable.values()});

  KeyValues const metadata = detail::checkpoint_metadata(training_state(trainer, run));

  // One set after the other passes through the network's own arena, where only a part is trained.
  std::size_t shown = sets.size();
  auto const show = [&](std::size_t k) -> Arena<Exec> const& {
    trainer.ema().release();  // what the piece before has read of an average on disk
    if (trainable.all()) return sets[k].values;
    if (shown != k) trainable.apply(exec, sets[k].values);
    shown = k;
    return trainer.net().parameters();
  };
  std::vector<TensorSource> tensors;
  for (std::size_t k = 0; k < sets.size(); ++k)
    for (ParameterInfo const& info : trainer.net().parameter_list()) {
      auto const read = [&show, k, full, start = info.offset](std::uint64_t offset, std::uint64_t bytes,
                                                              void* to) {
        std::int64_t const width = full ? 4 : 2, first = start + std::int64_t(offset) / width,
                           count = std::int64_t(bytes) / width;
        FloatStore const store(show(k));
        if (full) return store.read(first, count, static_cast<float*>(to));
        std::vector<float> values(static_cast<std::size_t>(count));
        store.read(first, count, values.data());
        std::transform(values.begin(), values.end(), static_cast<std::uint16_t*>(to), detail::float_to_half);
      };
      tensors.push_back({sets[k].prefix + info.name, full ? "F32" : "F16", info.shape, read});
    }
  try {
    write_safetensors(path, std::move(tensors), metadata);
  } catch (...) {
    trainable.apply(exec, trainable.values());
    throw;
  }
  trainable.apply(exec, trainable.values());
  trainer.ema().release();
}

}  // namespace glyphdiff
