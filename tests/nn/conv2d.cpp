#include "layer_check.hpp"

#include <glyphdiff/nn/conv2d.hpp>

namespace nn_conv2d_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

template <int In, int Out, int Stride, bool with_residual>
struct ConvCase {
  using Layer = nn::Conv2d<In, Out, Stride>;
  Layer conv;
  Extent in, out;
  ParameterList parameters;
  std::vector<std::int64_t> inputs;
  std::int64_t output;
  struct Tape {};

  explicit ConvCase(Extent e)
      : in(e), out(Layer::output_extent(e)), inputs{e.pixels() * In}, output(out.pixels() * Out) {
    conv.declare(parameters, "conv");
    if (with_residual) inputs.push_back(output);
  }
  template <class Pass>
  void forward(Pass& pass, Inputs const& x, Outside y, Tape&) const {
    conv.forward(pass, Tensor<In>{x[0], in}, Tensor<Out>{y, out},
                 Tensor<Out>{with_residual ? x.back() : Outside(), out});
  }
  template <class Pass>
  void backward(Pass& pass, Inputs const& x, Outside dy, Inputs const& dx, Tape&) const {
    Tensor<Out> const gradient{dy, out};
    conv.backward_parameters(pass, Tensor<In>{x[0], in}, gradient);
    conv.backward_data(pass, in, gradient, {dx[0], false});
    if (with_residual) copy_floats(pass, dy, dx.back(), output);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("the gradients of a convolution", On, GLYPHDIFF_TEST_LAYER_BACKENDS) {
  for (bool exact : {true, false}) {
    CAPTURE(exact);
    ConvCase<3, 5, 1, true> odd({2, 5, 7});
    check_layer<On>(odd, exact);
    ConvCase<16, 33, 1, false> wide({1, 6, 9});
    check_layer<On>(wide, exact);
    ConvCase<5, 16, 2, false> strided({2, 7, 8});
    check_layer<On>(strided, exact);
  }
}

TEST_CASE("a strided convolution halves, rounding up") {
  Extent const e = nn::Conv2d<1, 1, 2>::output_extent({3, 7, 8});
  CHECK(e.n == 3);
  CHECK(e.h == 4);
  CHECK(e.w == 4);
}

}  // namespace nn_conv2d_tests
