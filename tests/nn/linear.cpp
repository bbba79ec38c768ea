#include "layer_check.hpp"

#include <glyphdiff/nn/linear.hpp>

namespace nn_linear_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

int const rows = 7;

/// One source, or two; with a residual, or without.
template <int A, int B, int Out, bool with_residual>
struct LinearCase {
  nn::Linear<A + B, Out> linear;
  ParameterList parameters;
  std::vector<std::int64_t> inputs{rows * A};
  std::int64_t output = rows * Out;
  struct Tape {};

  LinearCase() {
    linear.declare(parameters, "linear");
    if (B > 0) inputs.push_back(rows * B);
    if (with_residual) inputs.push_back(output);
  }
  static Columns<float> sources(Inputs const& x) { return {x[0], A, B > 0 ? x[1] : Outside(), B}; }

  template <class Pass>
  void forward(Pass& pass, Inputs const& x, Outside y, Tape&) const {
    linear.forward(pass, rows, sources(x), y, with_residual ? x.back() : Outside());
  }
  template <class Pass>
  void backward(Pass& pass, Inputs const& x, Outside dy, Inputs const& dx, Tape&) const {
    linear.backward_parameters(pass, rows, sources(x), dy);
    linear.backward_data(pass, rows, dy,
                         ColumnsSink<float>{{dx[0], false}, A, {B > 0 ? dx[1] : Outside(), false}, B});
    if (with_residual) copy_floats(pass, dy, dx.back(), output);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("the gradients of a linear layer", On, GLYPHDIFF_TEST_LAYER_BACKENDS) {
  LinearCase<5, 0, 3, false> plain;
  check_layer<On>(plain);
  LinearCase<33, 0, 16, true> with_residual;
  check_layer<On>(with_residual);
  LinearCase<16, 5, 33, false> two_sources;
  check_layer<On>(two_sources);
  LinearCase<1, 3, 48, true> both;
  check_layer<On>(both);
}

TEST_CASE("a linear layer declares what is on file") {
  ParameterList list;
  nn::Linear<3, 5>().declare(list, "skip", 2);
  CHECK(list.total() == nn::Linear<3, 5>::parameter_count);
  CHECK(list["skip.weight"].shape == std::vector<std::int64_t>{5, 3, 1, 1});
  CHECK(list["skip.bias"].shape == std::vector<std::int64_t>{5});
  CHECK_THROWS_WITH_AS(list["skip.scale"], "the network has no parameter named skip.scale", Error);
}

}  // namespace nn_linear_tests
