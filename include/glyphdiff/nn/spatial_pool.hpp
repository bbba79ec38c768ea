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

  /// Kept for backward(), but for d_means, which backward() makes for the blocks.
  struct Tape {
    Owned<Buffer<float>> means, d_means;  // (N, In)
    Owned<Buffer<float>> hidden;          // (N, wide)
    Owned<Buffer<float>> normed;          // (N, wide), if Normed
    Owned<Buffer<float>> statistics;      // if Normed
    /// What the second layer reads: ReLU works in place.
    Buffer<float> activated() const { return Normed ? normed.get() : hidden.get(); }
  };

  void declare(ParameterList& list) {
    first.declare(list, "out.0");
    if constexpr (Normed) norm.declare(list, "out.1");
    second.declare(list, Normed ? "out.3" : "out.2");
  }

  /// Where the blocks put their means.
  template <class Pass>
  BlockMeans<In> collect(Pass& pass, int n, Tape& tape) const {
    tape.means = pass.floats(std::int64_t(n) * In);
    return {tape.means};
  }

  /// x: the last block's output.
  template <class Pass>
  void forward(Pass& pass, Tensor<C> x, Buffer<float> logits, Tape& tape) const {
    pass.layer = first.weight;
    int const n = x.extent.n;
    BlockMeans<In>{tape.means}.take(pass, x, column);
    tape.hidden = pass.floats(std::int64_t(n) * wide);
    first.forward(pass, n, Columns<float>{tape.means, In}, tape.hidden);
    if constexpr (Normed) {
      tape.normed = pass.floats(std::int64_t(n) * wide);
      tape.statistics = pass.floats(Norm::statistics_size(rows(n)));
      norm.template forward<true>(pass, rows(n), Columns<float>{tape.hidden, wide}, tape.statistics, {},
                                  tape.normed);
    } else {
      pass.run(kernels::ReluForward{std::int64_t(n) * wide}, tape.hidden, tape.hidden);
    }
    second.forward(pass, n, Columns<float>{tape.activated(), wide}, logits);
    if (!pass.training) release_activations(tape);
  }

  /// Returns what dx gets from here; uses up the tape except for the gradients() of the means.
  template <class Pass>
  Owned<Tensor<C>> backward(Pass& pass, Tensor<C> x, Buffer<float const> d_logits, Tape& tape) const {
    pass.layer = first.weight;
    int const n = x.extent.n;
    second.backward_parameters(pass, n, Columns<float>{tape.activated(), wide}, d_logits);
    auto gradient = pass.floats(std::int64_t(n) * wide);
    second.backward_data(pass, n, d_logits, ColumnsSink<float>{{gradient, false}, wide});
    if constexpr (Normed)
      norm.template backward<true>(pass, rows(n), Columns<float>{tape.hidden, wide}, tape.statistics, {},
                                   gradient, ColumnsSink<float>{{gradient, false}, wide});
    else
      pass.run(kernels::ReluBackward{std::int64_t(n) * wide}, tape.activated(), gradient, gradient);
    first.backward_parameters(pass, n, Columns<float>{tape.means, In}, gradient);
    tape.d_means = pass.floats(std::int64_t(n) * In);
    first.backward_data(pass, n, gradient, ColumnsSink<float>{{tape.d_means, false}, In});
    gradient.give_back();
    release_activations(tape);
    Gradient<C> dx;
    gradients(tape).give_back(pass, x.extent, column, dx);
    return std::move(dx.tensor);
  }

  /// What the blocks' outputs get from their means.
  BlockMeans<In> gradients(Tape const& tape) const { return {{}, tape.d_means}; }
  void release(Tape& tape) const { tape.d_means.give_back(); }

 private:
  static Extent rows(int n) { return {n, 1, 1}; }

  static void release_activations(Tape& tape) {
    tape.means.give_back();
    tape.hidden.give_back();
    tape.normed.give_back();
    tape.statistics.give_back();
  }
};

}  // namespace glyphdiff::nn
