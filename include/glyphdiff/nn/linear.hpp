#pragma once

#include <glyphdiff/kernels/matmul.hpp>
#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/nn/parameter.hpp>
#include <glyphdiff/nn/pass.hpp>

namespace glyphdiff::nn {

/// Adds to the gradient of the bias at this offset, if it is trained. dy: (rows, Out).
template <int Out, class Pass, class T>
void backward_bias(Pass& pass, std::int64_t rows, Buffer<T> dy, std::int64_t bias) {
  if (pass.trains(bias)) pass.run(kernels::AddColumnSums{rows, Out}, dy, pass.gradient(bias));
}

/// y = x W^T + b on the last axis: a linear layer over (N, In), or a 1x1 convolution over (N,H,W,In).
template <int In, int Out>
struct Linear {
  static constexpr std::int64_t parameter_count = std::int64_t(In) * Out + Out;

  std::int64_t weight = 0, bias = 0;  // offsets of (Out, In) and (Out) in the arena

  /// `trailing`: how many extents of 1 the weight's shape on file has behind (Out, In).
  void declare(ParameterList& list, std::string const& name, int trailing = 0, bool zero = false) {
    std::vector<std::int64_t> shape{Out, In};
    shape.resize(2 + trailing, 1);
    auto const how = zero ? Initialisation::zero : Initialisation::uniform_fan_in;
    weight = list.add(name + ".weight", shape, how, In);
    bias = list.add(name + ".bias", {Out}, how, In);
  }

  /// y (rows, Out) from x (rows, In), which may be two sources; residual: none, or (rows, Out) to add.
  template <class Pass, class T>
  void forward(Pass& pass, std::int64_t rows, Columns<T> x, Same<Buffer<T>> y,
               Same<Buffer<T const>> residual = {}) const {
    pass.run(product(rows, x.first_channels, false), x.first, weights<T>(pass), pass.parameter(bias),
             residual, y);
    if (x.second_channels > 0)
      pass.run(product(rows, x.second_channels, true), x.second, weights<T>(pass).from(x.first_channels),
               Buffer<float const>{}, Buffer<T const>{}, y);
  }

  /// Adds to the gradients of the parameters that are trained. dy: (rows, Out).
  template <class Pass, class T>
  void backward_parameters(Pass& pass, std::int64_t rows, Columns<T> x, Same<Buffer<T const>> dy) const {
    if (pass.trains(weight)) {
      pass.run(weight_product(rows, x.first_channels), dy, x.first, Buffer<float const>{},
               Buffer<float const>{}, pass.gradient(weight));
      if (x.second_channels > 0)
        pass.run(weight_product(rows, x.second_channels), dy, x.second, Buffer<float const>{},
                 Buffer<float const>{}, pass.gradient(weight).from(x.first_channels));
    }
    backward_bias<Out>(pass, rows, dy, bias);
  }

  /// dx (rows, In), of one or two sinks, from dy (rows, Out).
  template <class Pass, class T>
  void backward_data(Pass& pass, std::int64_t rows, Same<Buffer<T const>> dy, ColumnsSink<T> dx) const {
    pass.run(data_product(rows, dx.first_channels, dx.first.accumulate), dy, weights<T>(pass),
             Buffer<float const>{}, Buffer<T const>{}, dx.first.data);
    if (dx.second_channels > 0)
      pass.run(data_product(rows, dx.second_channels, dx.second.accumulate), dy,
               weights<T>(pass).from(dx.first_channels), Buffer<float const>{}, Buffer<T const>{},
               dx.second.data);
  }

 private:
  template <class T, class Pass>
  Buffer<T const> weights(Pass& pass) const {
    return pass.template weights<T>(weight, {kernels::WeightOrder::plain, Out, In});
  }

  static constexpr auto no = kernels::Transpose::no, yes = kernels::Transpose::yes;

  static kernels::Matmul product(std::int64_t rows, int width, bool accumulate) {
    return {{int(rows), Out, width}, width, no, In, yes, Out, accumulate};
  }
  static kernels::Matmul weight_product(std::int64_t rows, int width) {
    return {{Out, width, int(rows)}, Out, yes, width, no, In, true};
  }
  static kernels::Matmul data_product(std::int64_t rows, int width, bool accumulate) {
    return {{int(rows), width, Out}, Out, no, In, no, width, accumulate};
  }
};

}  // namespace glyphdiff::nn
