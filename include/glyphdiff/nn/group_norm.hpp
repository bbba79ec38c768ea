#pragma once

#include <glyphdiff/kernels/group_norm.hpp>
#include <glyphdiff/nn/parameter.hpp>
#include <glyphdiff/nn/pass.hpp>

namespace glyphdiff::nn {

/// Group normalisation over C channels in `Groups` groups, optionally modulated by an embedding and followed
/// by SiLU; one or two sources, whose boundary may lie inside a group.
template <int C, int Groups>
struct GroupNorm {
  static_assert(C % Groups == 0, "GroupNorm: the number of groups must divide the number of channels");
  static constexpr std::int64_t parameter_count = 2 * C;
  static constexpr float epsilon = 1e-5f;

  std::int64_t weight = 0, bias = 0;  // offsets of gamma (C) and beta (C)

  void declare(ParameterList& list, std::string const& name) {
    weight = list.add(name + ".weight", {C}, Initialisation::one, C);
    bias = list.add(name + ".bias", {C}, Initialisation::zero, C);
  }

  static std::int64_t statistics_size(Extent e) { return std::int64_t(e.n) * Groups * 2; }

  /// statistics: statistics_size() floats, kept for the backward pass. y: (N,H,W,C).
  template <bool Silu, class Pass>
  void forward(Pass& pass, Extent e, kernels::Channels x, float* statistics, kernels::ScaleShift embedding,
               float* y) const {
    float* scratch = pass.acquire(kernels::group_norm_workspace(e, C));
    if (!pass.planning())
      kernels::group_norm_statistics<typename Pass::Path>(pass.exec, e, x, Groups, epsilon, statistics,
                                                          scratch);
    pass.release(scratch);
    reapply<Silu>(pass, e, x, statistics, embedding, y);
  }

  /// y again, from the statistics that forward() found.
  template <bool Silu, class Pass>
  void reapply(Pass& pass, Extent e, kernels::Channels x, float const* statistics,
               kernels::ScaleShift embedding, float* y) const {
    float* scratch = pass.acquire(kernels::group_norm_workspace(e, C));
    if (!pass.planning())
      kernels::group_norm_forward<Silu, typename Pass::Path>(pass.exec, e, x, Groups, statistics,
                                                             pass.parameters + weight, pass.parameters + bias,
                                                             embedding, y, scratch);
    pass.release(scratch);
  }

  /// dx from dy (dx may be dy), the embedding's gradient, and those of the parameters that are trained
  /// (added).
  template <bool Silu, class Pass>
  void backward(Pass& pass, Extent e, kernels::Channels x, float const* statistics,
                kernels::ScaleShift embedding, float const* dy, kernels::ChannelsGradient dx) const {
    float* scratch = pass.acquire(kernels::group_norm_workspace(e, C));
    float* unused = pass.trains(weight) && pass.trains(bias) ? nullptr : pass.acquire(C);
    auto const sink = [&](std::int64_t parameter) {
      return pass.trains(parameter) ? pass.gradient(parameter) : unused;
    };
    if (!pass.planning())
      kernels::group_norm_backward<Silu, typename Pass::Path>(
          pass.exec, e, x, Groups, statistics, pass.parameters + weight, pass.parameters + bias, embedding,
          dy, dx, sink(weight), sink(bias), scratch);
    pass.release(unused);
    pass.release(scratch);
  }
};

}  // namespace glyphdiff::nn
