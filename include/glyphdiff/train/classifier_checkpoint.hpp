#pragma once

#include <glyphdiff/train/checkpoint.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>

#include <string>

/// A classifier's checkpoints: its parameters as model.<name>, Adam's moments, and what must be the same for
/// the run to go on.
namespace glyphdiff {

/// All that a checkpoint of the trainer holds.
template <class Net, class D>
TrainingState training_state(ClassifierTrainer<Net, D>& trainer, KeyValues const& run = {}) {
  TrainingState state =
      detail::shared_state(trainer.net().parameter_list(), trainer.net().parameters(), trainer.adamw(),
                           Net::config, trainer.diffusion(), trainer.options(), run);
  state.configuration.emplace_back("classes_out", std::to_string(Net::classes_out));
  state.identity.emplace_back("network.pool", std::to_string(int(Net::pool)));
  state.identity.emplace_back("objective.kind", "cross entropy");
  return state;
}

/// Writes the trainer's whole state to `path`, in place of what was there once all of it is on disk. `run`:
/// whatever else must be the same for the run to go on. Throws Error; the old file survives then.
template <class Net, class D>
void save_checkpoint(std::string const& path, ClassifierTrainer<Net, D>& trainer, KeyValues const& run = {}) {
  save_checkpoint(path, training_state(trainer, run));
}

/// Continues from a checkpoint of the same identity and `run`, as a Trainer does. Throws Error, one sentence;
/// the trainer is untouched then, unless the disk fails after the file was read once.
template <class Net, class D>
void load_checkpoint(std::string const& path, ClassifierTrainer<Net, D>& trainer, KeyValues const& run = {}) {
  CheckpointReader const reader(path, training_state(trainer, run));
  for (auto const& [name, unused] : reader.values())
    throw Error(reader.path(), "a classifier's run", "one with state." + detail::printable(name));
  reader.fill();
  using Optimizer = std::remove_cvref_t<decltype(trainer.adamw())>;
  OptimizerCheckpoint<Optimizer>::restore(trainer.adamw(), reader.step(), reader.scalars());
}

}  // namespace glyphdiff
