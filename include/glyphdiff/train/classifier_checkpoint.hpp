#pragma once

#include <glyphdiff/train/checkpoint.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>

#include <string>

/// A classifier's checkpoints: its parameters as model.<name>, Adam's moments, and what must be the same for
/// the run to go on.
namespace glyphdiff {

namespace detail {

template <class Net, class D>
TrainingState training_state(ClassifierTrainer<Net, D>& trainer, KeyValues const& run) {
  TrainingState state = optimiser_state(trainer.net().parameter_list(), trainer.net().parameters(),
                                        trainer.adamw(), Net::config, trainer.options());
  state.configuration.emplace_back("classes_out", std::to_string(Net::classes_out));
  for (auto const& pair : run) state.configuration.push_back(pair);
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
