#pragma once

#include <glyphdiff/nn/attention.hpp>
#include <glyphdiff/nn/res_block.hpp>

#include <array>
#include <type_traits>
#include <utility>

/// The U, as a recursive type: a Level owns everything below it. On the way up each level pops exactly the
/// skips that it pushed on the way down, so skips are its own members and there is no stack of them.
namespace glyphdiff::nn {

/// A ResBlock, and attention behind it where the level has it.
template <class Spec, int level, int A, int B, bool upward>
struct Stage {
  static constexpr UNetConfig config = Spec::config;
  static constexpr int Out = config.width(level);
  static constexpr bool attends = config.attention_at(level);
  static constexpr bool recomputes = config.recomputes_at(level);
  using Block = ResBlock<Spec, A, B, Out, Resampling::none, recomputes>;
  using Attend = Attention<Spec, Out, attends ? config.heads(Out, upward) : 1, recomputes>;
  static constexpr std::int64_t parameter_count =
      Block::parameter_count + (attends ? Attend::parameter_count : 0);

  Block block;
  Attend attention;  // unused unless attends

  struct Tape {
    typename Block::Tape block;
    typename Attend::Tape attention;
    Owned<Tensor<Out>>& output() {
      if constexpr (attends)
        return attention.output;
      else
        return block.output;
    }
  };

  void declare(ParameterList& list, std::string const& name) {
    block.declare(list, name + ".0");
    if constexpr (attends) attention.declare(list, name + ".1");
  }

  template <class Pass>
  void forward(Pass& pass, Source<A, B> x, Embedding e, Tape& tape) const {
    block.forward(pass, x, e, tape.block);
    if constexpr (attends) {
      attention.forward(pass, tape.block.output, tape.attention);
      pass.keep_for_backward(tape.block.output);
    }
  }

  template <class Pass>
  void backward(Pass& pass, Source<A, B> x, Embedding e, Owned<Tensor<Out>> dy, Gradient<A>& da,
                Gradient<B>& db, Tape& tape) const {
    if constexpr (attends) dy = attention.backward(pass, tape.block.output, std::move(dy), tape.attention);
    block.backward(pass, x, e, std::move(dy), da, db, tape.block);
  }
};

/// The bottom of the U.
template <class Spec>
struct Middle {
  static constexpr UNetConfig config = Spec::config;
  static constexpr int C = config.width(config.levels() - 1), Out = C;
  static constexpr bool attends = config.middle_attention, two_blocks = config.middle_res_blocks == 2;
  static constexpr bool recomputes = config.recomputes_at(config.levels() - 1);
  using Block = ResBlock<Spec, C, 0, C, Resampling::none, recomputes>;
  using Attend = Attention<Spec, C, attends ? config.heads(C, false) : 1, recomputes>;
  static constexpr std::int64_t parameter_count =
      (two_blocks ? 2 : 1) * Block::parameter_count + (attends ? Attend::parameter_count : 0);

  Block first;
  Attend attention;
  Block second;

  struct Tape {
    typename Block::Tape first, second;
    typename Attend::Tape attention;
    Owned<Tensor<C>>& attended() {
      if constexpr (attends)
        return attention.output;
      else
        return first.output;
    }
    Owned<Tensor<C>>& output() {
      if constexpr (two_blocks)
        return second.output;
      else
        return attended();
    }
  };

  /// Its names have no numbers, so it needs none of the counters of the blocks elsewhere.
  template <class... Counters>
  void declare(ParameterList& list, Counters&...) {
    first.declare(list, "middle_block.0");
    if constexpr (attends) attention.declare(list, "middle_block.1");
    if constexpr (two_blocks) second.declare(list, attends ? "middle_block.2" : "middle_block.1");
  }

  template <class Pass>
  void forward(Pass& pass, Tensor<C> x, Embedding e, Tape& tape) const {
    first.forward(pass, {x}, e, tape.first);
    if constexpr (attends) {
      attention.forward(pass, tape.first.output, tape.attention);
      pass.keep_for_backward(tape.first.output);
    }
    if constexpr (two_blocks) {
      second.forward(pass, {tape.attended()}, e, tape.second);
      pass.keep_for_backward(tape.attended());
    }
  }

  template <class Pass>
  void backward(Pass& pass, Tensor<C> x, Embedding e, Owned<Tensor<C>> dy, Gradient<C>& dx,
                Tape& tape) const {
    Gradient<0> none;
    if constexpr (two_blocks) {
      Gradient<C> gradient;
      second.backward(pass, {tape.attended()}, e, std::move(dy), gradient, none, tape.second);
      dy = std::move(gradient.tensor);
    }
    if constexpr (attends) dy = attention.backward(pass, tape.first.output, std::move(dy), tape.attention);
    first.backward(pass, {x}, e, std::move(dy), dx, none, tape.first);
  }
};

/// The stages of one resolution on the way down, each behind the one before.
template <class Spec, int level>
struct StagesDown {
  static constexpr UNetConfig config = Spec::config;
  static constexpr int In = config.width(level > 0 ? level - 1 : 0), Out = config.width(level);
  static constexpr int repeats = config.res_blocks - 1;
  using Enter = Stage<Spec, level, In, 0, false>;
  using Descend = Stage<Spec, level, Out, 0, false>;
  static constexpr std::int64_t parameter_count = Enter::parameter_count + repeats * Descend::parameter_count;

  Enter enter;
  std::array<Descend, repeats> descend;

  struct Tape {
    typename Enter::Tape enter;
    std::array<typename Descend::Tape, repeats> descend;

    /// Output of the i-th stage.
    Owned<Tensor<Out>>& output(int i) { return i == 0 ? enter.output() : descend[i - 1].output(); }
  };

  /// `input` counts the reference's input_blocks.
  void declare(ParameterList& list, int& input) {
    auto const next = [&] { return "input_blocks." + std::to_string(input++); };
    enter.declare(list, next());
    for (auto& stage : descend) stage.declare(list, next());
  }

  /// Calls after(i) once the i-th output is there, and the one before it is no longer read from here.
  template <class Pass, class After>
  void forward(Pass& pass, Tensor<In> x, Embedding e, Tape& tape, After const& after) const {
    enter.forward(pass, {x}, e, tape.enter);
    after(0);
    for (int i = 0; i < repeats; ++i) {
      descend[i].forward(pass, {tape.output(i)}, e, tape.descend[i]);
      after(i + 1);
    }
  }

  /// Uses up dy: what others contribute to the gradients of the outputs; the last one's must be there. Calls
  /// before(i) when dy[i] has what the stage behind contributes, before it is read.
  template <class Pass, class Before>
  void backward(Pass& pass, Tensor<In> x, Embedding e, std::array<Gradient<Out>, repeats + 1>& dy,
                Gradient<In>& dx, Tape& tape, Before const& before) const {
    Gradient<0> none;
    for (int i = repeats - 1; i >= 0; --i) {
      before(i + 1);
      descend[i].backward(pass, {tape.output(i)}, e, std::move(dy[i + 1].tensor), dy[i], none,
                          tape.descend[i]);
    }
    before(0);
    enter.backward(pass, {x}, e, std::move(dy[0].tensor), dx, none, tape.enter);
  }
};

template <class Spec, int level>
struct Descent;

/// One resolution: R = res_blocks stages down, what lies below, and the stages up that read its skips, newest
/// first. The last one up reads the level's own input, unless level_input_skips is off.
template <class Spec, int level>
struct Level {
  static constexpr UNetConfig config = Spec::config;
  static constexpr int In = config.width(level > 0 ? level - 1 : 0), Out = config.width(level);
  static constexpr int repeats = config.res_blocks - 1;
  static constexpr bool joins_input = config.level_input_skips;
  using Lower = std::conditional_t<level + 1 == config.levels(), Middle<Spec>, Descent<Spec, level>>;
  using Down = StagesDown<Spec, level>;
  using Meet = Stage<Spec, level, Lower::Out, Out, true>;
  using Ascend = Stage<Spec, level, Out, Out, true>;
  using Leave = Stage<Spec, level, Out, In, true>;
  static constexpr std::int64_t parameter_count = Down::parameter_count + Lower::parameter_count +
                                                  Meet::parameter_count + repeats * Ascend::parameter_count +
                                                  (joins_input ? Leave::parameter_count : 0);

  Down down;
  Lower below;
  Meet meet;
  std::array<Ascend, repeats> ascend;
  Leave leave;

  struct Tape {
    typename Down::Tape stages_down;
    typename Lower::Tape below;
    typename Meet::Tape meet;
    std::array<typename Ascend::Tape, repeats> ascend;
    typename Leave::Tape leave;

    /// Output of the i-th stage down.
    Owned<Tensor<Out>>& down(int i) { return stages_down.output(i); }
    /// Output of the i-th stage up, not counting `leave`.
    Owned<Tensor<Out>>& up(int i) { return i == 0 ? meet.output() : ascend[i - 1].output(); }
    Owned<Tensor<Out>>& output() {
      if constexpr (joins_input)
        return leave.output();
      else
        return up(repeats);
    }
  };

  /// `input` and `output` count the reference's input_blocks and output_blocks.
  void declare(ParameterList& list, int& input, int& output) {
    auto const next_output = [&] { return "output_blocks." + std::to_string(output++); };
    down.declare(list, input);
    below.declare(list, input, output);
    meet.declare(list, next_output());
    for (auto& stage : ascend) stage.declare(list, next_output());
    if constexpr (joins_input) leave.declare(list, next_output());
  }

  template <class Pass>
  void forward(Pass& pass, Tensor<In> x, Embedding e, Tape& tape) const {
    down.forward(pass, x, e, tape.stages_down, [](int) {});
    below.forward(pass, tape.down(repeats), e, tape.below);
    meet.forward(pass, {tape.below.output(), tape.down(repeats)}, e, tape.meet);
    pass.keep_for_backward(tape.below.output());
    pass.keep_for_backward(tape.down(repeats));
    for (int i = 0; i < repeats; ++i) {
      int const skip = repeats - 1 - i;
      ascend[i].forward(pass, {tape.up(i), tape.down(skip)}, e, tape.ascend[i]);
      pass.keep_for_backward(tape.up(i));
      pass.keep_for_backward(tape.down(skip));
    }
    if constexpr (joins_input) {
      leave.forward(pass, {tape.up(repeats), x}, e, tape.leave);
      pass.keep_for_backward(tape.up(repeats));
    }
  }

  template <class Pass>
  void backward(Pass& pass, Tensor<In> x, Embedding e, Owned<Tensor<Out>> dy, Gradient<In>& dx,
                Tape& tape) const {
    if constexpr (joins_input) {
      Gradient<Out> d_up;
      leave.backward(pass, {tape.up(repeats), x}, e, std::move(dy), d_up, dx, tape.leave);
      dy = std::move(d_up.tensor);
    }
    std::array<Gradient<Out>, repeats + 1> d_down;
    for (int i = repeats - 1; i >= 0; --i) {
      int const skip = repeats - 1 - i;
      Gradient<Out> d_up;
      ascend[i].backward(pass, {tape.up(i), tape.down(skip)}, e, std::move(dy), d_up, d_down[skip],
                         tape.ascend[i]);
      dy = std::move(d_up.tensor);
    }
    Gradient<Lower::Out> d_below;
    meet.backward(pass, {tape.below.output(), tape.down(repeats)}, e, std::move(dy), d_below, d_down[repeats],
                  tape.meet);
    below.backward(pass, tape.down(repeats), e, std::move(d_below.tensor), d_down[repeats], tape.below);
    down.backward(pass, x, e, d_down, dx, tape.stages_down, [](int) {});
  }
};

/// A change of resolution between level `upper` and the one below: a ResBlock that resamples, or a
/// convolution, or neither.
template <class Spec, int upper, int C, Resampling R>
struct Transition {
  static constexpr UNetConfig config = Spec::config;
  static constexpr bool resblock = config.resblock_updown;
  using Layer = std::conditional_t<resblock, ResBlock<Spec, C, 0, C, R, config.recomputes_at(upper)>,
                                   Resample<C, R, config.conv_resample>>;
  using Tape = typename Layer::Tape;
  static constexpr std::int64_t parameter_count = Layer::parameter_count;

  Layer layer;

  void declare(ParameterList& list, std::string const& name) { layer.declare(list, name); }

  template <class Pass>
  void forward(Pass& pass, Tensor<C> x, Embedding e, Tape& tape) const {
    if constexpr (resblock)
      layer.forward(pass, {x}, e, tape);
    else
      layer.forward(pass, x, tape);
  }

  template <class Pass>
  void backward(Pass& pass, Tensor<C> x, Embedding e, Owned<Tensor<C>> dy, Gradient<C>& dx,
                Tape& tape) const {
    Gradient<0> none;
    if constexpr (resblock)
      layer.backward(pass, {x}, e, std::move(dy), dx, none, tape);
    else
      layer.backward(pass, x, std::move(dy), dx, tape);
  }
};

/// From a level to the one below and back.
template <class Spec, int upper>
struct Descent {
  static constexpr UNetConfig config = Spec::config;
  static constexpr int C = config.width(upper), Out = config.width(upper + 1);
  using Down = Transition<Spec, upper, C, Resampling::down>;
  using Lower = Level<Spec, upper + 1>;
  using Up = Transition<Spec, upper, Out, Resampling::up>;
  static constexpr std::int64_t parameter_count =
      Down::parameter_count + Lower::parameter_count + Up::parameter_count;

  Down down;
  Lower lower;
  Up up;

  struct Tape {
    typename Down::Tape down;
    typename Lower::Tape lower;
    typename Up::Tape up;
    Owned<Tensor<Out>>& output() { return up.output; }
  };

  void declare(ParameterList& list, int& input, int& output) {
    down.declare(list, "input_blocks." + std::to_string(input++) + ".0");
    lower.declare(list, input, output);
    // The up layer shares the number of the lower level's last stage, behind its block and attention.
    up.declare(
        list, "output_blocks." + std::to_string(output - 1) + (config.attention_at(upper + 1) ? ".2" : ".1"));
  }

  template <class Pass>
  void forward(Pass& pass, Tensor<C> x, Embedding e, Tape& tape) const {
    down.forward(pass, x, e, tape.down);
    lower.forward(pass, tape.down.output, e, tape.lower);
    pass.keep_for_backward(tape.down.output);
    up.forward(pass, tape.lower.output(), e, tape.up);
    pass.keep_for_backward(tape.lower.output());
  }

  template <class Pass>
  void backward(Pass& pass, Tensor<C> x, Embedding e, Owned<Tensor<Out>> dy, Gradient<C>& dx,
                Tape& tape) const {
    Gradient<Out> d_lower;
    up.backward(pass, tape.lower.output(), e, std::move(dy), d_lower, tape.up);
    Gradient<C> d_down;
    lower.backward(pass, tape.down.output, e, std::move(d_lower.tensor), d_down, tape.lower);
    down.backward(pass, x, e, std::move(d_down.tensor), dx, tape.down);
  }
};

}  // namespace glyphdiff::nn
