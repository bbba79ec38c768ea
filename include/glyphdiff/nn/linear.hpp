#pragma once

#include <glyphdiff/kernels/matmul.hpp>
#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/nn/parameter.hpp>
#include <glyphdiff/nn/pass.hpp>

namespace glyphdiff::nn {

/// Adds to the gradient of the bias at this offset, if it is trained. dy: (rows, Out).
template <int Out, class Pass>
void backward_bias(Pass& pass, std::int64_t rows, float const* dy, std::int64_t bias) {
  if (!pass.trains(bias)) return;
  float* sums = pass.acquire(kernels::column_sums_workspace(rows, Out));
  if (!pass.planning())
    kernels::add_column_sums<typename Pass::Path>(pass.exec, rows, Out, dy, pass.gradient(bias), sums);
  pass.release(sums);
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

  /// y (rows, Out) from x (rows, In), which may be two sources; residual: null, or (rows, Out) to add.
  template <class Pass>
  void forward(Pass& pass, std::int64_t rows, kernels::Channels x, float* y,
               float const* residual = nullptr) const {
    using kernels::Transpose;
    typename Pass::Path const path;
    int const parts = x.second_channels > 0 ? 2 : 1;
    for (int part = 0; part < parts; ++part) {
      int const width = part == 0 ? x.first_channels : x.second_channels;
      kernels::MatmulShape const shape{int(rows), Out, width};
      float* scratch =
          pass.acquire(kernels::matmul_workspace(path, pass.exec, shape, Transpose::no, Transpose::yes));
      if (!pass.planning())
        kernels::matmul(path, pass.exec, shape, part == 0 ? x.first : x.second, width, Transpose::no,
                        pass.parameters + weight + (part == 0 ? 0 : x.first_channels), In, Transpose::yes, y,
                        Out, part > 0, part == 0 ? pass.parameters + bias : nullptr,
                        part == 0 ? residual : nullptr, scratch);
      pass.release(scratch);
    }
  }

  /// Adds to the gradients of the parameters that are trained. dy: (rows, Out).
  template <class Pass>
  void backward_parameters(Pass& pass, std::int64_t rows, kernels::Channels x, float const* dy) const {
    using kernels::Transpose;
    typename Pass::Path const path;
    int const parts = !pass.trains(weight) ? 0 : x.second_channels > 0 ? 2 : 1;
    for (int part = 0; part < parts; ++part) {
      int const width = part == 0 ? x.first_channels : x.second_channels;
      kernels::MatmulShape const shape{Out, width, int(rows)};
      float* scratch =
          pass.acquire(kernels::matmul_workspace(path, pass.exec, shape, Transpose::yes, Transpose::no));
      if (!pass.planning())
        kernels::matmul(path, pass.exec, shape, dy, Out, Transpose::yes, part == 0 ? x.first : x.second,
                        width, Transpose::no, pass.gradient(weight) + (part == 0 ? 0 : x.first_channels), In,
                        true, nullptr, nullptr, scratch);
      pass.release(scratch);
    }
    backward_bias<Out>(pass, rows, dy, bias);
  }

  /// dx (rows, In), of one or two sinks, from dy (rows, Out).
  template <class Pass>
  void backward_data(Pass& pass, std::int64_t rows, float const* dy, kernels::ChannelsGradient dx) const {
    using kernels::Transpose;
    typename Pass::Path const path;
    int const parts = dx.second_channels > 0 ? 2 : 1;
    for (int part = 0; part < parts; ++part) {
      int const width = part == 0 ? dx.first_channels : dx.second_channels;
      auto const sink = part == 0 ? dx.first : dx.second;
      kernels::MatmulShape const shape{int(rows), width, Out};
      float* scratch =
          pass.acquire(kernels::matmul_workspace(path, pass.exec, shape, Transpose::no, Transpose::no));
      if (!pass.planning())
        kernels::matmul(path, pass.exec, shape, dy, Out, Transpose::no,
                        pass.parameters + weight + (part == 0 ? 0 : dx.first_channels), In, Transpose::no,
                        sink.data, width, sink.accumulate, nullptr, nullptr, scratch);
      pass.release(scratch);
    }
  }
};

}  // namespace glyphdiff::nn
