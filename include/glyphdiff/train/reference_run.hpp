#pragma once

#include <glyphdiff/checkpoint/reference_run.hpp>
#include <glyphdiff/train/checkpoint.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <string>

namespace glyphdiff {

/// Goes on from a run of the reference programs, given its "FOLDER/modelNNNNNN.pt"; the moving averages that
/// the trainer keeps and the optimiser's file lie beside it. The trainer keeps its own options, and
/// a loss-aware timestep sampler its history, which those files don't have; the optimiser's options are
/// returned. Throws Error, one sentence that says what is wrong; the trainer is untouched then.
template <class Net, class D, class Objective, class Times>
ReferenceOptimizer load_reference_run(std::string const& model_path,
                                      Trainer<Net, D, Objective, Times>& trainer) {
  TrainingState state = training_state(trainer);
  ReferenceOptimizer const options = load_reference_run(model_path, state);
  trainer.adamw().steps = state.step;
  return options;
}

/// Writes the trainer's state as the files of a reference run, numbered by its step, from which the reference
/// goes on, and returns the path of the model's file. Throws Error.
template <class Net, class D, class Objective, class Times>
std::string save_reference_run(std::string const& folder, Trainer<Net, D, Objective, Times>& trainer,
                               ReferenceMoments moments = ReferenceMoments::per_parameter) {
  AdamWOptions const& adamw = trainer.options().adamw;
  return save_reference_run(folder, training_state(trainer),
                            {trainer.options().learning_rate(trainer.steps()), adamw.beta1, adamw.beta2,
                             adamw.eps, adamw.weight_decay},
                            moments);
}

}  // namespace glyphdiff
