#include "layer_check.hpp"

#include <glyphdiff/nn/attention.hpp>

namespace nn_attention_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

Extent const e{2, 3, 5};

struct Legacy {
  static constexpr UNetConfig config{.norm_groups = 3};
};
struct Grouped {
  static constexpr UNetConfig config{.qkv_order = QkvOrder::grouped, .norm_groups = 4};
};

template <class Spec, int C, int Heads>
struct AttentionCase {
  using Layer = nn::Attention<Spec, C, Heads>;
  using Tape = typename Layer::Tape;
  Layer layer;
  ParameterList parameters;
  std::vector<std::int64_t> inputs{e.pixels() * C};
  std::int64_t output = e.pixels() * C;

  AttentionCase() { layer.declare(parameters, "attention"); }

  template <class Pass>
  void forward(Pass& pass, Inputs const& x, Outside y, Tape& tape) const {
    layer.forward(pass, Tensor<C>{x[0], e}, tape);
    hand_out_output(pass, tape.output, y);
  }
  template <class Pass>
  void backward(Pass& pass, Inputs const& x, Outside dy, Inputs const& dx, Tape& tape) const {
    hand_out(pass, layer.backward(pass, Tensor<C>{x[0], e}, consumable<C>(pass, dy, e), tape), dx[0]);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("the gradients of attention", On, GLYPHDIFF_TEST_LAYER_BACKENDS) {
  AttentionCase<Legacy, 6, 3> legacy;
  check_layer<On>(legacy);
  AttentionCase<Grouped, 16, 2> grouped;
  check_layer<On>(grouped);
  AttentionCase<Legacy, 33, 1> one_head;
  check_layer<On>(one_head);
}

TEST_CASE("attention declares convolutions in one dimension, the last of them zero") {
  AttentionCase<Legacy, 6, 3> attention;
  auto const& all = attention.parameters.all();
  REQUIRE(all.size() == 6);
  CHECK(attention.parameters["attention.qkv.weight"].shape == std::vector<std::int64_t>{18, 6, 1});
  CHECK(all[4].name == "attention.proj_out.weight");
  CHECK(all[4].initialisation == Initialisation::zero);
}

}  // namespace nn_attention_tests
