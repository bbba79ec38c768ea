#pragma once

#include <glyphdiff/checkpoint/config_description.hpp>
#include <glyphdiff/checkpoint/training_state.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <string>

/// A trainer's checkpoints: everything from which the run goes on bit for bit.
namespace glyphdiff {

/// A network's parameters as checkpoints name them.
inline std::vector<ParameterBlock> parameter_blocks(ParameterList const& list) {
  std::vector<ParameterBlock> blocks;
  for (ParameterInfo const& info : list) blocks.push_back({info.name, info.shape, info.offset, info.count});
  return blocks;
}

namespace detail {

template <class Net, class D, class Objective, class Times>
TrainingState training_state(Trainer<Net, D, Objective, Times>& trainer, KeyValues const& run) {
  TrainingState state;
  state.table = parameter_blocks(trainer.trainable().list());
  state.parameters = trainer.trainable().values();
  for (auto const& average : trainer.ema().averages())
    state.averages.push_back({average.rate, average.values, average.width});
  state.first_moment = trainer.adamw().first_moment;
  state.second_moment = trainer.adamw().second_moment;
  state.configuration = describe(Net::config);
  state.configuration.emplace_back("ema_warm_up", detail::to_text(trainer.options().ema_warm_up));
  state.defaults = describe(UNetConfig{});
  state.defaults.emplace_back("ema_warm_up", "true");
  state.configuration.emplace_back("batch", std::to_string(trainer.options().batch));
  state.configuration.emplace_back("seed", std::to_string(trainer.options().seed));
  for (auto const& pair : run) state.configuration.push_back(pair);
  state.step = trainer.steps();
  state.seed = trainer.options().seed;
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

/// Continues from a checkpoint of the same configuration, batch size, seed and `run`. Throws Error, one
/// sentence that says what is wrong or lists what differs; the trainer is untouched then.
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

}  // namespace glyphdiff
