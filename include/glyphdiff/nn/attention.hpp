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

  /// Kept for backward(), unless it recomputes.
  struct Tape {
    Owned<Buffer<float>> statistics;
    Owned<Tensor<3 * C>> qkv;
    Owned<Tensor<C>> mixed;
    Owned<Tensor<C>> output;  // what comes after it reads it, forward and backward
  };

  void declare(ParameterList& list, std::string const& name) {
    norm.declare(list, name + ".norm");
    qkv.declare(list, name + ".qkv", 1);
    projection.declare(list, name + ".proj_out", 1, true);
  }

  template <class Pass>
  void forward(Pass& pass, Tensor<C> x, Tape& tape) const {
    pass.layer = norm.weight;
    Extent const e = x.extent;
    tape.statistics = pass.floats(Norm::statistics_size(e));
    mix<false>(pass, x, tape);
    pass.keep_for_backward(tape.statistics);
    if (Recompute || !pass.training) tape.qkv.give_back();
    tape.output = pass.template tensor<C>(e);
    projection.forward(pass, e.pixels(), columns(tape.mixed), tape.output->data, x.data);
    if (Recompute || !pass.training) tape.mixed.give_back();
  }

  /// Returns dx, which takes the place of dy; uses up the tape.
  template <class Pass>
  Owned<Tensor<C>> backward(Pass& pass, Tensor<C> x, Owned<Tensor<C>> dy, Tape& tape) const {
    pass.layer = norm.weight;
    Extent const e = x.extent;
    tape.output.give_back();
    if constexpr (Recompute) mix<true>(pass, x, tape);
    projection.backward_parameters(pass, e.pixels(), columns(tape.mixed), dy->data);
    auto const gradient = pass.template tensor<C>(e);
    projection.backward_data(pass, e.pixels(), dy->data, assigned(gradient));
    auto d_qkv = pass.template tensor<3 * C>(e);
    pass.run(kernels::AttentionBackward{shape(e)}, tape.qkv, tape.mixed, gradient, d_qkv);
    tape.qkv.give_back();
    tape.mixed.give_back();
    norm.template reapply<false>(pass, e, columns(x), tape.statistics, {}, gradient->data);
    qkv.backward_parameters(pass, e.pixels(), columns(gradient), d_qkv->data);
    qkv.backward_data(pass, e.pixels(), d_qkv->data, assigned(gradient));
    d_qkv.give_back();
    norm.template backward<false>(pass, e, columns(x), tape.statistics, {}, gradient->data,
                                  ColumnsSink<Activation>{{dy->data, true}, C});
    tape.statistics.give_back();
    return dy;  // the residual's gradient, with the branch's added
  }

 private:
  /// tape.qkv and tape.mixed = attention(qkv(norm(x))). `Again`: the norm's statistics are known.
  template <bool Again, class Pass>
  void mix(Pass& pass, Tensor<C> x, Tape& tape) const {
    Extent const e = x.extent;
    auto normed = pass.template tensor<C>(e);
    if constexpr (Again)
      norm.template reapply<false>(pass, e, columns(x), tape.statistics, {}, normed->data);
    else
      norm.template forward<false>(pass, e, columns(x), tape.statistics, {}, normed->data);
    tape.qkv = pass.template tensor<3 * C>(e);
    qkv.forward(pass, e.pixels(), columns(normed), tape.qkv->data);
    normed.give_back();
    tape.mixed = pass.template tensor<C>(e);
    pass.run(kernels::AttentionForward{shape(e)}, tape.qkv, tape.mixed);
  }

  static kernels::AttentionShape shape(Extent e) {
    return {e.n, e.h * e.w, Heads, C / Heads, Spec::config.qkv_order};
  }
};

}  // namespace glyphdiff::nn
