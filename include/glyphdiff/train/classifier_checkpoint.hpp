#pragma once

#include <glyphdiff/checkpoint/config_description.hpp>
#include <glyphdiff/train/checkpoint.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>

#include <string>

/// A classifier's checkpoints: its parameters as model.<name>, Adam's moments, and what must be the same for
/// the run to go on.
namespace glyphdiff {

namespace detail {

template <class Net, class D>
TrainingState training_state(ClassifierTrainer<Net, D>& trainer, KeyValues const& run) {
  TrainingState state;
  state.table = parameter_blocks(trainer.net().parameter_list());
  state.parameters = trainer.net().parameters();
  state.first_moment = trainer.adamw().first_moment;
  state.second_moment = trainer.adamw().second_moment;
  state.configuration = describe(Net::config);
  state.defaults = describe(UNetConfig{});
  state.configuration.emplace_back("classes_out", std::to_string(Net::classes_out));
  state.configuration.emplace_back("batch", std::to_string(trainer.options().batch));
  state.configuration.emplace_back("seed", std::to_string(trainer.options().seed));
  for (auto const& pair : run) state.configuration.push_back(pair);
  state.step = trainer.steps();
  state.seed = trainer.options().seed;
  return state;
}

}  // namespace detail

/// Writes the trainer's whole state to `path`, in place of what was there once all of it is on disk. `run`:
/// whatever else must be the same for the run to go on. Throws Error; the old file survives then.
template <class Net, class D>
void save_checkpoint(std::string const& path, ClassifierTrainer<Net, D>& trainer, KeyValues const& run = {}) {
  save_checkpoint(path, detail::training_state(trainer, run));
}

/// Continues from a checkpoint of the same configuration, batch size, seed and `run`. Throws Error, one
/// sentence; the trainer is untouched then.
template <class Net, class D>
void load_checkpoint(std::string const& path, ClassifierTrainer<Net, D>& trainer, KeyValues const& run = {}) {
  TrainingState state = detail::training_state(trainer, run);
  load_checkpoint(path, state);
  trainer.adamw().steps = state.step;
}

}  // namespace glyphdiff
