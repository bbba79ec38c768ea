#pragma once

#include <glyphdiff/nn/block_means.hpp>
#include <glyphdiff/nn/level.hpp>

/// The descending half of the U and its bottom, made of the same parts. Without skips nothing waits for a way
/// up; but each output may be pooled.
namespace glyphdiff::nn {

template <class Spec, int upper>
struct StepDown;

/// The stages of one resolution and all that lies below it.
template <class Spec, int level>
struct DescendingLevel {
  static constexpr UNetConfig config = Spec::config;
  static constexpr bool lowest = level + 1 == config.levels();
  using Stages = StagesDown<Spec, level>;
  using Lower = std::conditional_t<lowest, Middle<Spec>, StepDown<Spec, level>>;
  static constexpr int In = Stages::In, C = Stages::Out, Out = Lower::Out, last = config.res_blocks - 1;
  static constexpr std::int64_t parameter_count = Stages::parameter_count + Lower::parameter_count;

  Stages stages;
  Lower below;

  struct Tape {
    typename Stages::Tape stages;
    typename Lower::Tape below;
    /// Of the bottom.
    Owned<Tensor<Out>>& output() { return below.output(); }
  };

  /// `input` counts the reference's input_blocks.
  void declare(ParameterList& list, int& input) {
    stages.declare(list, input);
    below.declare(list, input);
  }

  template <class Pass, class Means>
  void forward(Pass& pass, Tensor<In> x, Embedding e, Means const& means, Tape& tape) const {
    stages.forward(pass, x, e, tape.stages, [&](int i) {
      means.take(pass, tape.stages.output(i).get(), column(i));
      if (i > 0) pass.keep_for_backward(tape.stages.output(i - 1));
    });
    if constexpr (lowest)
      below.forward(pass, tape.stages.output(last), e, tape.below);
    else
      below.forward(pass, tape.stages.output(last), e, means, tape.below);
    pass.keep_for_backward(tape.stages.output(last));
  }

  template <class Pass, class Means>
  void backward(Pass& pass, Tensor<In> x, Embedding e, Means const& means, Owned<Tensor<Out>> dy,
                Gradient<In>& dx, Tape& tape) const {
    std::array<Gradient<C>, last + 1> d_stages;
    if constexpr (lowest)
      below.backward(pass, tape.stages.output(last), e, std::move(dy), d_stages[last], tape.below);
    else
      below.backward(pass, tape.stages.output(last), e, means, std::move(dy), d_stages[last], tape.below);
    stages.backward(pass, x, e, d_stages, dx, tape.stages, [&](int i) {
      means.give_back(pass, tape.stages.output(i)->extent, column(i), d_stages[i]);
    });
  }

 private:
  /// Where the means of the i-th stage's output begin.
  static constexpr int column(int i) { return first_mean_of_level(config, level) + i * C; }
};

/// From level `upper` to the one below.
template <class Spec, int upper>
struct StepDown {
  static constexpr UNetConfig config = Spec::config;
  static constexpr int C = config.width(upper);
  using Down = Transition<Spec, upper, C, Resampling::down>;
  using Lower = DescendingLevel<Spec, upper + 1>;
  static constexpr int Out = Lower::Out, column = first_mean_of_level(config, upper + 1) - C;
  static constexpr std::int64_t parameter_count = Down::parameter_count + Lower::parameter_count;

  Down down;
  Lower lower;

  struct Tape {
    typename Down::Tape down;
    typename Lower::Tape lower;
    Owned<Tensor<Out>>& output() { return lower.output(); }
  };

  void declare(ParameterList& list, int& input) {
    down.declare(list, "input_blocks." + std::to_string(input++) + ".0");
    lower.declare(list, input);
  }

  template <class Pass, class Means>
  void forward(Pass& pass, Tensor<C> x, Embedding e, Means const& means, Tape& tape) const {
    down.forward(pass, x, e, tape.down);
    means.take(pass, tape.down.output.get(), column);
    lower.forward(pass, tape.down.output, e, means, tape.lower);
    pass.keep_for_backward(tape.down.output);
  }

  template <class Pass, class Means>
  void backward(Pass& pass, Tensor<C> x, Embedding e, Means const& means, Owned<Tensor<Out>> dy,
                Gradient<C>& dx, Tape& tape) const {
    Gradient<C> d_down;
    lower.backward(pass, tape.down.output, e, means, std::move(dy), d_down, tape.lower);
    means.give_back(pass, tape.down.output->extent, column, d_down);
    down.backward(pass, x, e, std::move(d_down.tensor), dx, tape.down);
  }
};

}  // namespace glyphdiff::nn
