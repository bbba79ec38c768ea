#pragma once

#include <glyphdiff/kernels/conv2d.hpp>
#include <glyphdiff/nn/linear.hpp>
#include <glyphdiff/nn/parameter.hpp>
#include <glyphdiff/nn/pass.hpp>

namespace glyphdiff::nn {

/// 3x3 convolution with padding 1 and stride 1 or 2.
template <int In, int Out, int Stride = 1>
struct Conv2d {
  static constexpr std::int64_t parameter_count = std::int64_t(In) * Out * 9 + Out;

  std::int64_t weight = 0, bias = 0;  // offsets of (Out, In, 3, 3) and (Out) in the arena

  void declare(ParameterList& list, std::string const& name, bool zero = false) {
    auto const how = zero ? Initialisation::zero : Initialisation::uniform_fan_in;
    weight = list.add(name + ".weight", {Out, In, 3, 3}, how, In * 9);
    bias = list.add(name + ".bias", {Out}, how, In * 9);
  }

  static kernels::ConvShape shape(Extent e) { return {e.n, e.h, e.w, In, Out, 3, Stride}; }
  static Extent output_extent(Extent e) { return {e.n, shape(e).out_h(), shape(e).out_w()}; }

  /// y = conv(x) + b [+ residual]; residual: none, or of y's shape (may be y itself).
  template <class Pass>
  void forward(Pass& pass, Tensor<In> x, Tensor<Out> y, Tensor<Out> residual = {}) const {
    pass.run(kernels::Conv2dForward{shape(x.extent), pass.exact}, x,
             pass.template weights<Activation>(weight, packing(kernels::WeightOrder::forward)),
             pass.parameter(bias), residual, y);
  }

  /// Adds to the gradients of the parameters that are trained.
  template <class Pass>
  void backward_parameters(Pass& pass, Tensor<In> x, Tensor<Out> dy) const {
    if (!pass.trains(weight)) return backward_bias<Out>(pass, dy.extent.pixels(), dy.data, bias);
    pass.run(kernels::Conv2dBackwardWeight{shape(x.extent), pass.exact}, x, dy, pass.gradient(weight),
             pass.gradient(bias));
  }

  /// dx, assigned or added, from dy; `input` is the extent of dx.
  template <class Pass>
  void backward_data(Pass& pass, Extent input, Tensor<Out> dy, Sink<Activation> dx) const {
    pass.run(kernels::Conv2dBackwardData{shape(input), pass.exact}, dy,
             pass.template weights<Activation>(weight, packing(kernels::WeightOrder::backward)), dx);
  }

 private:
  static kernels::WeightPacking packing(kernels::WeightOrder order) { return {order, Out, In, 3}; }
};

}  // namespace glyphdiff::nn
