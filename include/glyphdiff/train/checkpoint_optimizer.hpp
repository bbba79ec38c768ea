#pragma once

#include <glyphdiff/checkpoint/config_description.hpp>
#include <glyphdiff/checkpoint/training_state.hpp>
#include <glyphdiff/optim/adamw.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// What checkpoints keep of an optimiser.
namespace glyphdiff {

/// To be specialised for every optimiser, as below for AdamW:
///
/// `state(optimizer, table)`: its name, its arrays (of the parameters' table or smaller) and its scalars.
///
/// `options(optimizer)`: what must be the same for a run to go on.
///
/// `restore(optimizer, steps, scalars)`: called after the arrays have been filled; must not throw.
///
/// The learning rate and whatever else may change between updates is no part of it.
template <class Optimizer>
struct OptimizerCheckpoint;

template <class Optimizer>
concept CheckpointedOptimizer = requires(Optimizer& optimizer, std::vector<ParameterBlock> const& table,
                                         std::vector<std::pair<std::string, double>> const& scalars) {
  { OptimizerCheckpoint<Optimizer>::state(optimizer, table) } -> std::same_as<OptimizerState>;
  { OptimizerCheckpoint<Optimizer>::options(optimizer) } -> std::same_as<KeyValues>;
  OptimizerCheckpoint<Optimizer>::restore(optimizer, std::int64_t(), scalars);
};

/// Moments may be kept in either format; a file of the other one is converted.
template <class Exec>
struct OptimizerCheckpoint<AdamW<Exec>> {
  static OptimizerState state(AdamW<Exec> const& adamw, std::vector<ParameterBlock> const&) {
    if (adamw.bfloat16()) return adamw_state(adamw.first_moment_bfloat16, adamw.second_moment_bfloat16);
    return adamw_state(adamw.first_moment, adamw.second_moment);
  }
  static KeyValues options(AdamW<Exec> const& adamw) {
    return {{"beta1", detail::to_text(adamw.options.beta1)},
            {"beta2", detail::to_text(adamw.options.beta2)},
            {"eps", detail::to_text(adamw.options.eps)},
            {"weight_decay", detail::to_text(adamw.options.weight_decay)}};
  }
  static void restore(AdamW<Exec>& adamw, std::int64_t steps,
                      std::vector<std::pair<std::string, double>> const&) noexcept {
    adamw.steps = steps;
  }
};

}  // namespace glyphdiff
