#include "layer_check.hpp"

#include <glyphdiff/nn/resample.hpp>

namespace nn_resample_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

Extent const e{2, 4, 6};

template <int C, nn::Resampling R, bool with_convolution>
struct ResampleCase {
  using Layer = nn::Resample<C, R, with_convolution>;
  using Tape = typename Layer::Tape;
  Layer layer;
  ParameterList parameters;
  std::vector<std::int64_t> inputs{e.pixels() * C};
  std::int64_t output = nn::resampled<R>(e).pixels() * C;

  ResampleCase() { layer.declare(parameters, "resample"); }

  template <class Pass>
  void forward(Pass& pass, Inputs const& x, Outside y, Tape& tape) const {
    layer.forward(pass, Tensor<C>{x[0], e}, tape);
    hand_out_output(pass, tape.output, y);
  }
  template <class Pass>
  void backward(Pass& pass, Inputs const& x, Outside dy, Inputs const& dx, Tape& tape) const {
    Gradient<C> gradient;
    layer.backward(pass, Tensor<C>{x[0], e}, consumable<C>(pass, dy, nn::resampled<R>(e)), gradient, tape);
    hand_out(pass, std::move(gradient.tensor), dx[0]);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("the gradients of changes of resolution", On, GLYPHDIFF_TEST_LAYER_BACKENDS) {
  using nn::Resampling;
  ResampleCase<5, Resampling::down, true> strided;
  check_layer<On>(strided);
  ResampleCase<5, Resampling::up, true> upsampled;
  check_layer<On>(upsampled);
  ResampleCase<3, Resampling::down, false> pooled;
  check_layer<On>(pooled);
  ResampleCase<16, Resampling::up, false> repeated;
  check_layer<On>(repeated);
}

TEST_CASE("changes of resolution declare a convolution, if they have one, under the reference's name") {
  ParameterList list;
  nn::Resample<3, nn::Resampling::down, true>().declare(list, "a");
  nn::Resample<3, nn::Resampling::up, true>().declare(list, "b");
  nn::Resample<3, nn::Resampling::up, false>().declare(list, "c");
  REQUIRE(list.all().size() == 4);
  CHECK(list.all()[0].name == "a.op.weight");
  CHECK(list.all()[3].name == "b.conv.bias");
}

}  // namespace nn_resample_tests
