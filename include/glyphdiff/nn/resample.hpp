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

/// y = x averaged over 2x2 blocks, or repeated 2x2. `e` is the extent of x.
template <Resampling R, class Pass>
void resample_forward(Pass& pass, Extent e, int channels, float const* x, float* y) {
  if (pass.planning()) return;
  if constexpr (R == Resampling::down)
    kernels::sum_blocks<typename Pass::Path>(pass.exec, resampled<R>(e), channels, 0.25f, x, {y, false});
  else
    kernels::upsample_forward<typename Pass::Path>(pass.exec, e, channels, x, y);
}

/// dx, assigned or added, from dy. `e` is the extent of x.
template <Resampling R, class Pass>
void resample_backward(Pass& pass, Extent e, int channels, float const* dy, kernels::GradientSink dx) {
  if (pass.planning()) return;
  if constexpr (R == Resampling::down)
    kernels::spread_blocks<typename Pass::Path>(pass.exec, resampled<R>(e), channels, 0.25f, dy, dx);
  else
    kernels::sum_blocks<typename Pass::Path>(pass.exec, e, channels, 1.0f, dy, dx);
}

/// Halves or doubles the resolution between levels: a strided convolution or a convolution behind
/// nearest-neighbour upsampling when WithConvolution, else without parameters.
template <int C, Resampling R, bool WithConvolution>
struct Resample {
  static_assert(R != Resampling::none, "Resample: expected Resampling::down or Resampling::up");
  using Convolution = Conv2d<C, C, R == Resampling::down ? 2 : 1>;
  static constexpr std::int64_t parameter_count = WithConvolution ? Convolution::parameter_count : 0;

  struct Tape {
    Tensor<C> output;
  };

  Convolution convolution;

  void declare(ParameterList& list, std::string const& name) {
    if constexpr (WithConvolution)
      convolution.declare(list, name + (R == Resampling::down ? ".op" : ".conv"));
  }

  template <class Pass>
  void forward(Pass& pass, Tensor<C> x, Tape& tape) const {
    tape.output = pass.template tensor<C>(resampled<R>(x.extent));
    if constexpr (!WithConvolution) {
      resample_forward<R>(pass, x.extent, C, x.data, tape.output.data);
    } else if constexpr (R == Resampling::down) {
      convolution.forward(pass, x, tape.output);
    } else {
      auto large = pass.template tensor<C>(tape.output.extent);
      resample_forward<R>(pass, x.extent, C, x.data, large.data);
      convolution.forward(pass, large, tape.output);
      pass.release(large);
    }
  }

  /// Consumes dy and the tape's output.
  template <class Pass>
  void backward(Pass& pass, Tensor<C> x, Tensor<C> dy, Gradient<C>& dx, Tape& tape) const {
    pass.release(tape.output);
    if constexpr (!WithConvolution) {
      resample_backward<R>(pass, x.extent, C, dy.data, dx.open(pass, x.extent));
    } else if constexpr (R == Resampling::down) {
      convolution.backward_parameters(pass, x, dy);
      convolution.backward_data(pass, x.extent, dy, dx.open(pass, x.extent));
    } else {
      auto large = pass.template tensor<C>(dy.extent);
      resample_forward<R>(pass, x.extent, C, x.data, large.data);
      convolution.backward_parameters(pass, large, dy);
      convolution.backward_data(pass, large.extent, dy, {large.data, false});
      resample_backward<R>(pass, x.extent, C, large.data, dx.open(pass, x.extent));
      pass.release(large);
    }
    pass.release(dy);
  }
};

}  // namespace glyphdiff::nn
