#pragma once

#include <glyphdiff/nn/block_means.hpp>
#include <glyphdiff/nn/group_norm.hpp>
#include <glyphdiff/nn/linear.hpp>

namespace glyphdiff::nn {

/// norm, SiLU, mean over the pixels, linear: (N,H,W,C) to (N, classes_out).
template <class Spec>
struct MeanPool {
  static constexpr UNetConfig config = Spec::config;
  static constexpr int C = config.width(config.levels() - 1), Out = Spec::classes_out;
  using Norm = GroupNorm<C, config.norm_groups>;
  static constexpr std::int64_t parameter_count = Norm::parameter_count + Linear<C, Out>::parameter_count;

  Norm norm;
  Linear<C, Out> projection;

  /// Kept for backward().
  struct Tape {
    Owned<Buffer<float>> statistics;
    Owned<Buffer<float>> means;  // (N, C)
  };

  void declare(ParameterList& list) {
    norm.declare(list, "out.0");
    projection.declare(list, "out.3", 2, true);
  }

  template <class Pass>
  NoBlockMeans collect(Pass&, int, Tape&) const {
    return {};
  }

  template <class Pass>
  void forward(Pass& pass, Tensor<C> x, Buffer<float> logits, Tape& tape) const {
    pass.layer = norm.weight;
    Extent const e = x.extent;
    tape.statistics = pass.floats(Norm::statistics_size(e));
    auto normed = pass.template tensor<C>(e);
    norm.template forward<true>(pass, e, columns(x), tape.statistics, {}, normed->data);
    tape.means = pass.floats(std::int64_t(e.n) * C);
    pass.run(kernels::MeanPerImage{e, C, C}, normed, tape.means);
    normed.give_back();
    projection.forward(pass, e.n, Columns<float>{tape.means, C}, logits);
    pass.keep_for_backward(tape.statistics);
    pass.keep_for_backward(tape.means);
  }

  /// Returns dx; uses up the tape.
  template <class Pass>
  Owned<Tensor<C>> backward(Pass& pass, Tensor<C> x, Buffer<float const> d_logits, Tape& tape) const {
    pass.layer = norm.weight;
    Extent const e = x.extent;
    projection.backward_parameters(pass, e.n, Columns<float>{tape.means, C}, d_logits);
    projection.backward_data(pass, e.n, d_logits, ColumnsSink<float>{{tape.means, false}, C});
    auto gradient = pass.template tensor<C>(e);
    pass.run(kernels::MeanPerImageBackward{e, C, C}, tape.means, Sink<Activation>{gradient->data, false});
    tape.means.give_back();
    norm.template backward<true>(pass, e, columns(x), tape.statistics, {}, gradient->data,
                                 assigned(gradient));
    tape.statistics.give_back();
    return gradient;
  }

  NoBlockMeans gradients(Tape const&) const { return {}; }
  void release(Tape&) const {}
};

}  // namespace glyphdiff::nn
