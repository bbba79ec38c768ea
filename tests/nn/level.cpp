#include "layer_check.hpp"

#include <glyphdiff/nn/level.hpp>

namespace nn_level_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

Extent const e{2, 4, 6};

/// Two resolutions, two blocks each, attention below, resampling blocks.
struct Deep {
  static constexpr UNetConfig config{.image_size = 8,
                                     .model_channels = 4,
                                     .channel_mult = {1, 1.5},
                                     .res_blocks = 2,
                                     .attention_resolutions = {4},
                                     .num_heads = 2,
                                     .resblock_updown = true,
                                     .norm_groups = 2};
};
/// What is beyond ADM: no skips from the levels' inputs, a middle of one block.
struct Plain {
  static constexpr UNetConfig config{.image_size = 8,
                                     .model_channels = 6,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .scale_shift_norm = false,
                                     .norm_groups = 3,
                                     .middle_attention = false,
                                     .middle_res_blocks = 1,
                                     .level_input_skips = false};
};

template <class Spec>
struct LevelCase {
  using Layer = nn::Level<Spec, 0>;
  using Tape = typename Layer::Tape;
  static constexpr int C = Spec::config.width(0), wide = Spec::config.embedding();
  Layer layer;
  ParameterList parameters;
  std::vector<std::int64_t> inputs{e.pixels() * C, std::int64_t(e.n) * wide};
  std::int64_t output = e.pixels() * C;

  LevelCase() {
    int input = 1, out = 0;
    layer.declare(parameters, input, out);
  }

  template <class Pass>
  void forward(Pass& pass, Inputs const& x, Outside y, Tape& tape) const {
    layer.forward(pass, Tensor<C>{x[0], e}, {x[1]}, tape);
    hand_out_output(pass, tape.output(), y);
  }
  template <class Pass>
  void backward(Pass& pass, Inputs const& x, Outside dy, Inputs const& dx, Tape& tape) const {
    pass.run(kernels::FillZero{e.n * wide}, Buffer<float>(dx[1]));
    Gradient<C> gradient;
    layer.backward(pass, Tensor<C>{x[0], e}, {x[1], dx[1]}, consumable<C>(pass, dy, e), gradient, tape);
    hand_out(pass, std::move(gradient.tensor), dx[0]);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("the gradients of a level and all below it", On, GLYPHDIFF_TEST_LAYER_BACKENDS) {
  LevelCase<Deep> deep;
  CHECK(deep.parameters.total() == nn::Level<Deep, 0>::parameter_count);
  check_layer<On>(deep, true, 5e-3, 2);
  LevelCase<Plain> plain;
  CHECK(plain.parameters.total() == nn::Level<Plain, 0>::parameter_count);
  check_layer<On>(plain, true, 5e-3, 2);
}

}  // namespace nn_level_tests
