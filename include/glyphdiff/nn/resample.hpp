#pragma once

#include <glyphdiff/kernels/resample.hpp>
#include <glyphdiff/nn/conv2d.hpp>

namespace glyphdiff::nn {

/// Change of resolution inside a ResBlock or between levels.
enum class Resampling { none, down, up };

template <Resampling R>
Extent resampled(Extent e) {
  if constexpr (R == Resampling::down) return {e.n, e.h / 2, e.w / 2};
  if constexpr (R == Resampling::up) return {e.n, 2 * e.h, 2 * e.w};
  return e;
}

/// y = x averaged over 2x2 blocks, or repeated 2x2.
template <Resampling R, int C, class Pass>
void resample_forward(Pass& pass, Tensor<C> x, Same<Tensor<C>> y) {
  if constexpr (R == Resampling::down)
    pass.run(kernels::SumBlocks{y.extent, C, 0.25f}, x, Sink<Activation>{y.data, false});
  else
    pass.run(kernels::Upsample{x.extent, C}, x, y);
}

/// dx, assigned or added, from dy. `e` is the extent of x.
template <Resampling R, int C, class Pass>
void resample_backward(Pass& pass, Tensor<C> dy, Sink<Activation> dx, Extent e) {
  if constexpr (R == Resampling::down)
    pass.run(kernels::SpreadBlocks{dy.extent, C, 0.25f}, dy, dx);
  else
    pass.run(kernels::SumBlocks{e, C, 1.0f}, dy, dx);
}

/// Halves or doubles the resolution between levels: a strided convolution or a convolution behind
/// nearest-neighbour upsampling when WithConvolution, else without parameters.
template <int C, Resampling R, bool WithConvolution>
struct Resample {
  static_assert(R != Resampling::none, "Resample: expected Resampling::down or Resampling::up");
  using Convolution = Conv2d<C, C, R == Resampling::down ? 2 : 1>;
  static constexpr std::int64_t parameter_count = WithConvolution ? Convolution::parameter_count : 0;

  struct Tape {
    Owned<Tensor<C>> output;  // what comes after it reads it, forward and backward
  };

  Convolution convolution;

  void declare(ParameterList& list, std::string const& name) {
    if constexpr (WithConvolution)
      convolution.declare(list, name + (R == Resampling::down ? ".op" : ".conv"));
  }

  template <class Pass>
  void forward(Pass& pass, Tensor<C> x, Tape& tape) const {
    if constexpr (WithConvolution) pass.layer = convolution.weight;
    tape.output = pass.template tensor<C>(resampled<R>(x.extent));
    if constexpr (!WithConvolution) {
      resample_forward<R>(pass, x, tape.output);
    } else if constexpr (R == Resampling::down) {
      convolution.forward(pass, x, tape.output);
    } else {
      auto const large = pass.template tensor<C>(tape.output->extent);
      resample_forward<R>(pass, x, large);
      convolution.forward(pass, large, tape.output);
    }
  }

  /// Uses up the tape.
  template <class Pass>
  void backward(Pass& pass, Tensor<C> x, Owned<Tensor<C>> dy, Gradient<C>& dx, Tape& tape) const {
    if constexpr (WithConvolution) pass.layer = convolution.weight;
    tape.output.give_back();
    if constexpr (!WithConvolution) {
      resample_backward<R, C>(pass, dy, dx.open(pass, x.extent), x.extent);
    } else if constexpr (R == Resampling::down) {
      convolution.backward_parameters(pass, x, dy);
      convolution.backward_data(pass, x.extent, dy, dx.open(pass, x.extent));
    } else {
      auto const large = pass.template tensor<C>(dy->extent);
      resample_forward<R>(pass, x, large);
      convolution.backward_parameters(pass, large, dy);
      convolution.backward_data(pass, large->extent, dy, {large->data, false});
      resample_backward<R, C>(pass, large, dx.open(pass, x.extent), x.extent);
    }
  }
};

}  // namespace glyphdiff::nn
