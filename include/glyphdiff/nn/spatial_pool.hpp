#pragma once

#include <glyphdiff/nn/block_means.hpp>
#include <glyphdiff/nn/group_norm.hpp>
#include <glyphdiff/nn/linear.hpp>

namespace glyphdiff::nn {

/// From the means of every block's output over its pixels to (N, classes_out): linear to 2048, ReLU, or norm
/// and SiLU if Normed, linear.
template <class Spec, bool Normed>
struct SpatialPool {
  static constexpr UNetConfig config = Spec::config;
  static constexpr int C = config.width(config.levels() - 1), Out = Spec::classes_out, wide = 2048;
  static constexpr int In = first_mean_of_level(config, config.levels()), column = In - C;
  using Norm = GroupNorm<wide, 32>;
  static constexpr std::int64_t parameter_count = Linear<In, wide>::parameter_count +
                                                  (Normed ? Norm::parameter_count : 0) +
                                                  Linear<wide, Out>::parameter_count;

  Linear<In, wide> first;
  Norm norm;  // unused unless Normed
  Linear<wide, Out> second;

  struct Tape {
    float *means, *d_means;     // (N, In)
    float *hidden, *activated;  // (N, wide); one and the same unless Normed
    float* statistics;          // if Normed
  };

  void declare(ParameterList& list) {
    first.declare(list, "out.0");
    if constexpr (Normed) norm.declare(list, "out.1");
    second.declare(list, Normed ? "out.3" : "out.2");
  }

  /// Where the blocks put their means.
  template <class Pass>
  BlockMeans<In> collect(Pass& pass, int n, Tape& tape) const {
    tape.means = pass.acquire(std::int64_t(n) * In);
    return {tape.means};
  }

  /// x: the last block's output.
  template <class Pass>
  void forward(Pass& pass, Tensor<C> x, float* logits, Tape& tape) const {
    int const n = x.extent.n;
    BlockMeans<In>{tape.means}.take(pass, x, column);
    tape.hidden = tape.activated = pass.acquire(std::int64_t(n) * wide);
    first.forward(pass, n, {tape.means, In}, tape.hidden);
    if constexpr (Normed) {
      tape.activated = pass.acquire(std::int64_t(n) * wide);
      tape.statistics = pass.acquire(Norm::statistics_size(rows(n)));
      norm.template forward<true>(pass, rows(n), {tape.hidden, wide}, tape.statistics, {}, tape.activated);
    } else if (!pass.planning()) {
      kernels::relu_forward(pass.exec, tape.hidden, tape.hidden, std::int64_t(n) * wide);
    }
    second.forward(pass, n, {tape.activated, wide}, logits);
    if (!pass.training) release_activations(pass, tape);
  }

  /// Returns what dx gets from here; consumes the tape except for the gradients() of the means.
  template <class Pass>
  Tensor<C> backward(Pass& pass, Tensor<C> x, float const* d_logits, Tape& tape) const {
    int const n = x.extent.n;
    second.backward_parameters(pass, n, {tape.activated, wide}, d_logits);
    float* gradient = pass.acquire(std::int64_t(n) * wide);
    second.backward_data(pass, n, d_logits, {{gradient, false}, wide});
    if constexpr (Normed)
      norm.template backward<true>(pass, rows(n), {tape.hidden, wide}, tape.statistics, {}, gradient,
                                   {{gradient, false}, wide});
    else if (!pass.planning())
      kernels::relu_backward(pass.exec, tape.activated, gradient, gradient, std::int64_t(n) * wide);
    first.backward_parameters(pass, n, {tape.means, In}, gradient);
    tape.d_means = pass.acquire(std::int64_t(n) * In);
    first.backward_data(pass, n, gradient, {{tape.d_means, false}, In});
    pass.release(gradient);
    release_activations(pass, tape);
    Gradient<C> dx;
    gradients(tape).give_back(pass, x.extent, column, dx);
    return dx.tensor;
  }

  /// What the blocks' outputs get from their means.
  BlockMeans<In> gradients(Tape const& tape) const { return {nullptr, tape.d_means}; }
  template <class Pass>
  void release(Pass& pass, Tape& tape) const {
    pass.release(tape.d_means);
  }

 private:
  static Extent rows(int n) { return {n, 1, 1}; }

  template <class Pass>
  static void release_activations(Pass& pass, Tape& tape) {
    pass.release(tape.means);
    pass.release(tape.activated);
    if constexpr (Normed) {
      pass.release(tape.hidden);
      pass.release(tape.statistics);
    }
  }
};

}  // namespace glyphdiff::nn
