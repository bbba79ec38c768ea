#pragma once

#include <glyphdiff/kernels/attention.hpp>
#include <glyphdiff/kernels/tokens.hpp>
#include <glyphdiff/nn/block_means.hpp>
#include <glyphdiff/nn/group_norm.hpp>
#include <glyphdiff/nn/linear.hpp>

namespace glyphdiff::nn {

/// norm, SiLU, and attention over tokens: the mean of the pixels, then the pixels, each plus an embedding of
/// its position. The answer, (N, classes_out), is a linear function of what the first token finds (the pool
/// of CLIP, Radford et al. 2021, section 2.4). The number of pixels is that of the training size.
template <class Spec>
struct AttentionPool {
  static constexpr UNetConfig config = Spec::config;
  static constexpr int lowest = config.levels() - 1, C = config.width(lowest), Out = Spec::classes_out;
  static constexpr int heads = C / config.num_head_channels;
  static constexpr int tokens = config.resolution(lowest) * config.resolution(lowest) + 1;
  using Norm = GroupNorm<C, config.norm_groups>;
  static constexpr std::int64_t parameter_count = Norm::parameter_count + std::int64_t(C) * tokens +
                                                  Linear<C, 3 * C>::parameter_count +
                                                  Linear<C, Out>::parameter_count;

  Norm norm;
  std::int64_t positions = 0;  // offset of (C, tokens)
  Linear<C, 3 * C> qkv;
  Linear<C, Out> projection;

  /// Kept for backward().
  struct Tape {
    Owned<Buffer<float>> statistics;
    Owned<Buffer<float>> tokens, qkv, mixed;  // (N, tokens, C), three times as wide, as wide
    Owned<Buffer<float>> answer;              // (N, C)
  };

  void declare(ParameterList& list) {
    norm.declare(list, "out.0");
    positions = list.add("out.2.positional_embedding", {C, tokens}, Initialisation::normal_fan_in, C);
    qkv.declare(list, "out.2.qkv_proj", 1);
    projection.declare(list, "out.2.c_proj", 1);
  }

  template <class Pass>
  NoBlockMeans collect(Pass&, int, Tape&) const {
    return {};
  }

  template <class Pass>
  void forward(Pass& pass, Tensor<C> x, Buffer<float> logits, Tape& tape) const {
    pass.layer = norm.weight;
    Extent const e = x.extent;
    std::int64_t const rows = std::int64_t(e.n) * tokens;
    tape.statistics = pass.floats(Norm::statistics_size(e));
    auto normed = pass.template tensor<C>(e);
    norm.template forward<true>(pass, e, columns(x), tape.statistics, {}, normed->data);
    tape.answer = pass.floats(std::int64_t(e.n) * C);  // the pixels' mean at first
    tape.tokens = pass.floats(rows * C);
    pass.run(kernels::MeanPerImage{e, C, C}, normed, tape.answer);
    pass.run(kernels::TokensForward{e.n, tokens, C}, tape.answer, normed, pass.parameter(positions),
             tape.tokens);
    normed.give_back();
    tape.qkv = pass.floats(rows * 3 * C);
    qkv.forward(pass, rows, Columns<float>{tape.tokens, C}, tape.qkv);
    pass.keep_for_backward(tape.tokens);
    tape.mixed = pass.floats(rows * C);
    pass.run(kernels::AttentionForward{shape(e)}, tape.qkv, tape.mixed);
    pass.run(kernels::CopyRows{e.n, C, tokens * C, C}, tape.mixed, tape.answer);
    pass.keep_for_backward(tape.qkv);
    pass.keep_for_backward(tape.mixed);
    projection.forward(pass, e.n, Columns<float>{tape.answer, C}, logits);
    pass.keep_for_backward(tape.answer);
    pass.keep_for_backward(tape.statistics);
  }

  /// Returns dx; uses up the tape.
  template <class Pass>
  Owned<Tensor<C>> backward(Pass& pass, Tensor<C> x, Buffer<float const> d_logits, Tape& tape) const {
    pass.layer = norm.weight;
    Extent const e = x.extent;
    std::int64_t const rows = std::int64_t(e.n) * tokens;
    projection.backward_parameters(pass, e.n, Columns<float>{tape.answer, C}, d_logits);
    projection.backward_data(pass, e.n, d_logits, ColumnsSink<float>{{tape.answer, false}, C});
    auto d_tokens = pass.floats(rows * C);  // of what they find, then of what they are
    auto d_qkv = pass.floats(rows * 3 * C);
    pass.run(kernels::FillZero{rows * C}, d_tokens);
    pass.run(kernels::CopyRows{e.n, C, C, tokens * C}, tape.answer, d_tokens);
    pass.run(kernels::AttentionBackward{shape(e)}, tape.qkv, tape.mixed, d_tokens, d_qkv);
    tape.answer.give_back();
    tape.qkv.give_back();
    tape.mixed.give_back();
    qkv.backward_parameters(pass, rows, Columns<float>{tape.tokens, C}, d_qkv);
    qkv.backward_data(pass, rows, d_qkv, ColumnsSink<float>{{d_tokens, false}, C});
    d_qkv.give_back();
    tape.tokens.give_back();
    auto gradient = pass.template tensor<C>(e);
    if (pass.trains(positions))
      pass.run(kernels::PositionsBackward{e.n, tokens, C}, d_tokens, pass.gradient(positions));
    pass.run(kernels::TokensBackward{e.n, tokens, C}, d_tokens, gradient);
    d_tokens.give_back();
    norm.template backward<true>(pass, e, columns(x), tape.statistics, {}, gradient->data,
                                 assigned(gradient));
    tape.statistics.give_back();
    return gradient;
  }

  NoBlockMeans gradients(Tape const&) const { return {}; }
  void release(Tape&) const {}

 private:
  static kernels::AttentionShape shape(Extent e) {
    return {e.n, tokens, heads, C / heads, QkvOrder::grouped};
  }
};

}  // namespace glyphdiff::nn
