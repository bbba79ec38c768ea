#pragma once

#include <glyphdiff/kernels/attention.hpp>
#include <glyphdiff/nn/group_norm.hpp>
#include <glyphdiff/nn/linear.hpp>

namespace glyphdiff::nn {

/// Self-attention over the pixels of each image, residual: x + proj(attention(qkv(norm(x)))). Recompute: the
/// backward pass computes qkv and the mixed values again instead of keeping them.
template <class Spec, int C, int Heads, bool Recompute = false>
struct Attention {
  static_assert(C % Heads == 0, "Attention: the number of heads must divide the number of channels");
  using Norm = GroupNorm<C, Spec::config.norm_groups>;
  static constexpr std::int64_t parameter_count =
      Norm::parameter_count + Linear<C, 3 * C>::parameter_count + Linear<C, C>::parameter_count;

  Norm norm;
  Linear<C, 3 * C> qkv;
  Linear<C, C> projection;

  struct Tape {
    float* statistics;
    Tensor<3 * C> qkv;
    Tensor<C> mixed, output;
  };

  void declare(ParameterList& list, std::string const& name) {
    norm.declare(list, name + ".norm");
    qkv.declare(list, name + ".qkv", 1);
    projection.declare(list, name + ".proj_out", 1, true);
  }

  template <class Pass>
  void forward(Pass& pass, Tensor<C> x, Tape& tape) const {
    Extent const e = x.extent;
    tape.statistics = pass.acquire(Norm::statistics_size(e));
    mix<false>(pass, x, tape);
    pass.release_unless_training(tape.statistics);
    if (Recompute || !pass.training) pass.release(tape.qkv);
    tape.output = pass.template tensor<C>(e);
    projection.forward(pass, e.pixels(), {tape.mixed.data, C}, tape.output.data, x.data);
    if (Recompute || !pass.training) pass.release(tape.mixed);
  }

  /// Returns dx, which takes the place of dy; consumes the tape.
  template <class Pass>
  Tensor<C> backward(Pass& pass, Tensor<C> x, Tensor<C> dy, Tape& tape) const {
    Extent const e = x.extent;
    pass.release(tape.output);
    if constexpr (Recompute) mix<true>(pass, x, tape);
    projection.backward_parameters(pass, e.pixels(), {tape.mixed.data, C}, dy.data);
    auto gradient = pass.template tensor<C>(e);
    projection.backward_data(pass, e.pixels(), dy.data, {{gradient.data, false}, C});
    auto d_qkv = pass.template tensor<3 * C>(e);
    float* scratch = pass.acquire(kernels::attention_workspace(path<Pass>, pass.exec, shape(e)));
    if (!pass.planning())
      kernels::attention_backward(path<Pass>, pass.exec, shape(e), tape.qkv.data, tape.mixed.data,
                                  gradient.data, d_qkv.data, scratch);
    pass.release(scratch);
    pass.release(tape.qkv);
    pass.release(tape.mixed);
    norm.template reapply<false>(pass, e, {x.data, C}, tape.statistics, {}, gradient.data);
    qkv.backward_parameters(pass, e.pixels(), {gradient.data, C}, d_qkv.data);
    qkv.backward_data(pass, e.pixels(), d_qkv.data, {{gradient.data, false}, C});
    pass.release(d_qkv);
    norm.template backward<false>(pass, e, {x.data, C}, tape.statistics, {}, gradient.data,
                                  {{dy.data, true}, C});
    pass.release(gradient);
    pass.release(tape.statistics);
    return dy;  // the residual's gradient, with the branch's added
  }

 private:
  template <class Pass>
  static constexpr typename Pass::Path path{};

  /// tape.qkv and tape.mixed = attention(qkv(norm(x))). `Again`: the norm's statistics are known.
  template <bool Again, class Pass>
  void mix(Pass& pass, Tensor<C> x, Tape& tape) const {
    Extent const e = x.extent;
    auto normed = pass.template tensor<C>(e);
    if constexpr (Again)
      norm.template reapply<false>(pass, e, {x.data, C}, tape.statistics, {}, normed.data);
    else
      norm.template forward<false>(pass, e, {x.data, C}, tape.statistics, {}, normed.data);
    tape.qkv = pass.template tensor<3 * C>(e);
    qkv.forward(pass, e.pixels(), {normed.data, C}, tape.qkv.data);
    pass.release(normed);
    tape.mixed = pass.template tensor<C>(e);
    float* scratch = pass.acquire(kernels::attention_workspace(path<Pass>, pass.exec, shape(e)));
    if (!pass.planning())
      kernels::attention_forward(path<Pass>, pass.exec, shape(e), tape.qkv.data, tape.mixed.data, scratch);
    pass.release(scratch);
  }

  static kernels::AttentionShape shape(Extent e) {
    return {e.n, e.h * e.w, Heads, C / Heads, Spec::config.qkv_order};
  }
};

}  // namespace glyphdiff::nn
