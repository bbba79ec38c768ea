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

  struct Tape {
    float* statistics;
    float* means;  // (N, C)
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
  void forward(Pass& pass, Tensor<C> x, float* logits, Tape& tape) const {
    Extent const e = x.extent;
    tape.statistics = pass.acquire(Norm::statistics_size(e));
    auto normed = pass.template tensor<C>(e);
    norm.template forward<true>(pass, e, {x.data, C}, tape.statistics, {}, normed.data);
    tape.means = pass.acquire(std::int64_t(e.n) * C);
    if (!pass.planning())
      kernels::mean_per_image<typename Pass::Path>(pass.exec, e, C, normed.data, tape.means, C);
    pass.release(normed);
    projection.forward(pass, e.n, {tape.means, C}, logits);
    pass.release_unless_training(tape.statistics);
    pass.release_unless_training(tape.means);
  }

  /// Returns dx; consumes the tape.
  template <class Pass>
  Tensor<C> backward(Pass& pass, Tensor<C> x, float const* d_logits, Tape& tape) const {
    Extent const e = x.extent;
    projection.backward_parameters(pass, e.n, {tape.means, C}, d_logits);
    projection.backward_data(pass, e.n, d_logits, {{tape.means, false}, C});
    auto gradient = pass.template tensor<C>(e);
    if (!pass.planning())
      kernels::mean_per_image_backward<typename Pass::Path>(pass.exec, e, C, tape.means, C,
                                                            {gradient.data, false});
    pass.release(tape.means);
    norm.template backward<true>(pass, e, {x.data, C}, tape.statistics, {}, gradient.data,
                                 {{gradient.data, false}, C});
    pass.release(tape.statistics);
    return gradient;
  }

  NoBlockMeans gradients(Tape const&) const { return {}; }
  template <class Pass>
  void release(Pass&, Tape&) const {}
};

}  // namespace glyphdiff::nn
