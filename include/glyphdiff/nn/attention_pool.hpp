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

  struct Tape {
    float* statistics;
    float *tokens, *qkv, *mixed;  // (N, tokens, C), three times as wide, as wide
    float* answer;                // (N, C)
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
  void forward(Pass& pass, Tensor<C> x, float* logits, Tape& tape) const {
    Extent const e = x.extent;
    std::int64_t const rows = std::int64_t(e.n) * tokens;
    tape.statistics = pass.acquire(Norm::statistics_size(e));
    auto normed = pass.template tensor<C>(e);
    norm.template forward<true>(pass, e, {x.data, C}, tape.statistics, {}, normed.data);
    tape.answer = pass.acquire(std::int64_t(e.n) * C);  // the pixels' mean at first
    tape.tokens = pass.acquire(rows * C);
    if (!pass.planning()) {
      kernels::mean_per_image<Path<Pass>>(pass.exec, e, C, normed.data, tape.answer, C);
      kernels::tokens_forward(pass.exec, e.n, tokens, C, tape.answer, normed.data,
                              pass.parameters + positions, tape.tokens);
    }
    pass.release(normed);
    tape.qkv = pass.acquire(rows * 3 * C);
    qkv.forward(pass, rows, {tape.tokens, C}, tape.qkv);
    pass.release_unless_training(tape.tokens);
    tape.mixed = pass.acquire(rows * C);
    float* scratch = pass.acquire(kernels::attention_workspace(Path<Pass>{}, pass.exec, shape(e)));
    if (!pass.planning()) {
      kernels::attention_forward(Path<Pass>{}, pass.exec, shape(e), tape.qkv, tape.mixed, scratch);
      kernels::copy_rows(pass.exec, e.n, C, tape.mixed, tokens * C, tape.answer, C);
    }
    pass.release(scratch);
    pass.release_unless_training(tape.qkv);
    pass.release_unless_training(tape.mixed);
    projection.forward(pass, e.n, {tape.answer, C}, logits);
    pass.release_unless_training(tape.answer);
    pass.release_unless_training(tape.statistics);
  }

  /// Returns dx; consumes the tape.
  template <class Pass>
  Tensor<C> backward(Pass& pass, Tensor<C> x, float const* d_logits, Tape& tape) const {
    Extent const e = x.extent;
    std::int64_t const rows = std::int64_t(e.n) * tokens;
    projection.backward_parameters(pass, e.n, {tape.answer, C}, d_logits);
    projection.backward_data(pass, e.n, d_logits, {{tape.answer, false}, C});
    float* d_tokens = pass.acquire(rows * C);  // of what they find, then of what they are
    float* d_qkv = pass.acquire(rows * 3 * C);
    float* scratch = pass.acquire(kernels::attention_workspace(Path<Pass>{}, pass.exec, shape(e)));
    if (!pass.planning()) {
      kernels::fill_zero(pass.exec, d_tokens, rows * C);
      kernels::copy_rows(pass.exec, e.n, C, tape.answer, C, d_tokens, tokens * C);
      kernels::attention_backward(Path<Pass>{}, pass.exec, shape(e), tape.qkv, tape.mixed, d_tokens, d_qkv,
                                  scratch);
    }
    pass.release(scratch);
    pass.release(tape.answer);
    pass.release(tape.qkv);
    pass.release(tape.mixed);
    qkv.backward_parameters(pass, rows, {tape.tokens, C}, d_qkv);
    qkv.backward_data(pass, rows, d_qkv, {{d_tokens, false}, C});
    pass.release(d_qkv);
    pass.release(tape.tokens);
    auto gradient = pass.template tensor<C>(e);
    if (!pass.planning()) {
      if (pass.trains(positions))
        kernels::positions_backward(pass.exec, e.n, tokens, C, d_tokens, pass.gradient(positions));
      kernels::tokens_backward(pass.exec, e.n, tokens, C, d_tokens, gradient.data);
    }
    pass.release(d_tokens);
    norm.template backward<true>(pass, e, {x.data, C}, tape.statistics, {}, gradient.data,
                                 {{gradient.data, false}, C});
    pass.release(tape.statistics);
    return gradient;
  }

  NoBlockMeans gradients(Tape const&) const { return {}; }
  template <class Pass>
  void release(Pass&, Tape&) const {}

 private:
  template <class Pass>
  using Path = typename Pass::Path;

  static kernels::AttentionShape shape(Extent e) {
    return {e.n, tokens, heads, C / heads, QkvOrder::grouped};
  }
};

}  // namespace glyphdiff::nn
