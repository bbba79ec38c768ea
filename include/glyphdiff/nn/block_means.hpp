#pragma once

#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/nn/pass.hpp>

/// What an encoder's blocks hand to a pool besides the last activation.
namespace glyphdiff::nn {

/// Nothing.
struct NoBlockMeans {
  template <class Pass, int C>
  void take(Pass&, Tensor<C>, int) const {}
  template <class Pass, int C>
  void give_back(Pass&, Extent, int, Gradient<C>&) const {}
};

/// The mean over the pixels of every block's output, each in columns of its own.
template <int Width>
struct BlockMeans {
  Buffer<float> values{};          // (N, Width)
  Buffer<float const> gradient{};  // (N, Width)

  /// Columns from `column` on become the means of x.
  template <class Pass, int C>
  void take(Pass& pass, Tensor<C> x, int column) const {
    pass.run(kernels::MeanPerImage{x.extent, C, Width}, x, values.from(column));
  }

  /// The part of dx, of that extent, that comes from the gradient of these columns.
  template <class Pass, int C>
  void give_back(Pass& pass, Extent e, int column, Gradient<C>& dx) const {
    pass.run(kernels::MeanPerImageBackward{e, C, Width}, gradient.from(column), dx.open(pass, e));
  }
};

/// The first column of a level's outputs among those of all blocks: the stem's, then, level by level, those
/// of the stages and of the way down, and the middle's in the place of a last way down.
constexpr int first_mean_of_level(UNetConfig const& config, int level) {
  int column = config.width(0);
  for (int above = 0; above < level; ++above) column += (config.res_blocks + 1) * config.width(above);
  return column;
}

}  // namespace glyphdiff::nn
