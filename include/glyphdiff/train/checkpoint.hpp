#pragma once

#include <glyphdiff/checkpoint/config_description.hpp>
#include <glyphdiff/checkpoint/dtype.hpp>
#include <glyphdiff/checkpoint/training_state.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
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

/// What the checkpoints of any training hold: what is trained, AdamW's moments in either format, the
/// configuration, the batch and the seed.
template <class Exec, class Options>
TrainingState optimiser_state(ParameterList const& list, Arena<Exec> const& values, AdamW<Exec> const& adamw,
                              UNetConfig const& config, Options const& options) {
  TrainingState state;
  state.table = parameter_blocks(list);
  state.parameters = values;
  state.first_moment =
      adamw.bfloat16() ? FloatStore(adamw.first_moment_bfloat16) : FloatStore(adamw.first_moment);
  state.second_moment =
      adamw.bfloat16() ? FloatStore(adamw.second_moment_bfloat16) : FloatStore(adamw.second_moment);
  state.configuration = describe(config);
  state.defaults = describe(UNetConfig{});
  state.configuration.emplace_back("batch", std::to_string(options.batch));
  state.configuration.emplace_back("seed", std::to_string(options.seed));
  state.step = adamw.steps;
  state.seed = options.seed;
  return state;
}

template <class Net, class D, class Objective, class Times>
TrainingState training_state(Trainer<Net, D, Objective, Times>& trainer, KeyValues const& run) {
  TrainingState state = optimiser_state(trainer.trainable().list(), trainer.trainable().values(),
                                        trainer.adamw(), Net::config, trainer.options());
  for (auto const& average : trainer.ema().averages())
    state.averages.push_back({average.rate, average_store(average), average.width});
  state.configuration.emplace_back("ema_warm_up", detail::to_text(trainer.options().ema_warm_up));
  state.defaults.emplace_back("ema_warm_up", "true");
  for (auto const& pair : run) state.configuration.push_back(pair);
  if constexpr (std::is_same_v<Times, LossSecondMoment>) {
    state.values.emplace_back("loss_history", trainer.timestep_sampler().history());
    auto const& counts = trainer.timestep_sampler().counts();
    state.values.emplace_back("loss_history_counts", std::vector<double>(counts.begin(), counts.end()));
  }
  return state;
}

}  // namespace detail

/// Writes the trainer's whole state to `path`, in place of what was there once all of it is on disk. `run`:
/// whatever else must be the same for the run to go on (the data set, the diffusion process). Throws Error;
/// the old file survives then.
template <class Net, class D, class Objective, class Times>
void save_checkpoint(std::string const& path, Trainer<Net, D, Objective, Times>& trainer,
                     KeyValues const& run = {}) {
  save_checkpoint(path, detail::training_state(trainer, run));
}

/// Continues from a checkpoint of the same configuration, batch size, seed and `run`. Moments that the file
/// has in the other format are converted, to bfloat16 by rounding to the nearest; where the averages lie
/// makes no difference. Throws Error, one sentence that says what is wrong or lists what differs; the trainer
/// is untouched then.
template <class Net, class D, class Objective, class Times>
void load_checkpoint(std::string const& path, Trainer<Net, D, Objective, Times>& trainer,
                     KeyValues const& run = {}) {
  TrainingState state = detail::training_state(trainer, run);
  load_checkpoint(path, state);
  trainer.adamw().steps = state.step;
  trainer.trainable().apply(trainer.exec(), trainer.trainable().values());
  if constexpr (std::is_same_v<Times, LossSecondMoment>) {
    std::vector<double> history;
    std::vector<int> counts;
    for (auto& [name, values] : state.values) {
      if (name == "loss_history") history = values;
      if (name == "loss_history_counts") counts.assign(values.begin(), values.end());
    }
    trainer.timestep_sampler().restore(std::move(history), std::move(counts));
  }
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

  TrainingState const state = detail::training_state(trainer, run);
  KeyValues metadata{{"glyphdiff.checkpoint", std::to_string(checkpoint_version)},
                     {"glyphdiff.step", std::to_string(state.step)},
                     {"glyphdiff.ema_rates", detail::rates_text(state)}};
  for (auto const& [key, value] : state.configuration)
    metadata.emplace_back(std::string(detail::config_prefix) + key, value);

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
