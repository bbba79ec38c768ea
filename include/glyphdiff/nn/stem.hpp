#pragma once

#include <glyphdiff/config.hpp>
#include <glyphdiff/kernels/resample.hpp>
#include <glyphdiff/nn/conv2d.hpp>

namespace glyphdiff::nn {

/// From the image to the outermost level: f x f pixels folded into channels, coordinates, a convolution.
template <class Spec>
struct Stem {
  static constexpr UNetConfig config = Spec::config;
  static constexpr int In = config.stem_in(), Out = config.width(0), factor = config.space_to_depth;
  static constexpr std::int64_t parameter_count = Conv2d<In, Out>::parameter_count;

  Conv2d<In, Out> convolution;

  struct Tape {
    Owned<Tensor<In>> folded;   // backward() finds the weights' gradients from it
    Owned<Tensor<Out>> output;  // the levels read it, forward and backward
  };

  void declare(ParameterList& list) { convolution.declare(list, "input_blocks.0.0"); }

  /// image: (N,H,W,in_channels).
  template <class Pass>
  void forward(Pass& pass, Extent image_extent, Buffer<float const> image, Tape& tape) const {
    pass.layer = convolution.weight;
    Extent const e{image_extent.n, image_extent.h / factor, image_extent.w / factor};
    tape.folded = pass.template tensor<In>(e);
    pass.run(kernels::SpaceToDepth{e, config.in_channels(), factor, config.coordinate_channels}, image,
             tape.folded);
    tape.output = pass.template tensor<Out>(e);
    convolution.forward(pass, tape.folded, tape.output);
    pass.keep_for_backward(tape.folded);
  }

  /// d_image: none, or (N,H,W,in_channels), assigned. Uses up the tape.
  template <class Pass>
  void backward(Pass& pass, Owned<Tensor<Out>> dy, Buffer<float> d_image, Tape& tape) const {
    pass.layer = convolution.weight;
    Extent const e = dy->extent;
    convolution.backward_parameters(pass, tape.folded, dy);
    if (d_image) {
      convolution.backward_data(pass, e, dy, {tape.folded->data, false});
      pass.run(kernels::DepthToSpace{e, config.in_channels(), factor, config.coordinate_channels ? 2 : 0},
               tape.folded, d_image);
    }
    dy.give_back();
    tape.folded.give_back();
    tape.output.give_back();
  }
};

}  // namespace glyphdiff::nn
