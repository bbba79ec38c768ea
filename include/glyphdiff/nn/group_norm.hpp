#pragma once

#include <glyphdiff/kernels/group_norm.hpp>
#include <glyphdiff/nn/parameter.hpp>
#include <glyphdiff/nn/pass.hpp>

namespace glyphdiff::nn {

/// The embedding that modulates a norm: scale, then shift, (N, 2C), and its gradient, which backward()
/// assigns; none if default.
struct Modulation {
  Buffer<float const> values{};
  Buffer<float> gradient{};
};

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
  template <bool Silu, class Pass, class T>
  void forward(Pass& pass, Extent e, Columns<T> x, Buffer<float> statistics, Modulation embedding,
               Same<Buffer<T>> y) const {
    pass.run(kernels::GroupNormStatistics{e, C, Groups, epsilon}, x, statistics);
    reapply<Silu>(pass, e, x, statistics, embedding, y);
  }

  /// y again, from the statistics that forward() found.
  template <bool Silu, class Pass, class T>
  void reapply(Pass& pass, Extent e, Columns<T> x, Buffer<float const> statistics, Modulation embedding,
               Same<Buffer<T>> y) const {
    pass.run(kernels::GroupNormForward<Silu>{e, C, Groups}, x, statistics, pass.parameter(weight),
             pass.parameter(bias), embedding.values, y);
  }

  /// dx from dy (dx may be dy), the embedding's gradient, and those of the parameters that are trained
  /// (added).
  template <bool Silu, class Pass, class T>
  void backward(Pass& pass, Extent e, Columns<T> x, Buffer<float const> statistics, Modulation embedding,
                Same<Buffer<T const>> dy, ColumnsSink<T> dx) const {
    pass.run(kernels::GroupNormBackward<Silu>{e, C, Groups}, x, statistics, pass.parameter(weight),
             pass.parameter(bias), embedding.values, dy, dx, pass.gradient(weight), pass.gradient(bias),
             embedding.gradient);
  }
};

}  // namespace glyphdiff::nn
