#include "layer_check.hpp"

#include <glyphdiff/nn/res_block.hpp>

namespace nn_res_block_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

Extent const e{2, 4, 6};

struct Modulated {
  static constexpr UNetConfig config{.model_channels = 3, .norm_groups = 2};
};
struct Added {
  static constexpr UNetConfig config{.model_channels = 3, .scale_shift_norm = false, .norm_groups = 3};
};

/// Inputs: one activation or two (B > 0), then the activated embedding.
template <class Spec, int A, int B, int Out, nn::Resampling R = nn::Resampling::none>
struct BlockCase {
  using Layer = nn::ResBlock<Spec, A, B, Out, R>;
  using Tape = typename Layer::Tape;
  static constexpr int wide = Spec::config.embedding();
  Layer layer;
  ParameterList parameters;
  std::vector<std::int64_t> inputs{e.pixels() * A};
  std::int64_t output = nn::resampled<R>(e).pixels() * Out;

  BlockCase() {
    layer.declare(parameters, "block");
    if (B > 0) inputs.push_back(e.pixels() * B);
    inputs.push_back(e.n * wide);
  }
  static Source<A, B> sources(Inputs const& x) {
    Source<A, B> source{Tensor<A>{x[0], e}};
    if (B > 0) source.second = Tensor<B>{x[1], e};
    return source;
  }

  template <class Pass>
  void forward(Pass& pass, Inputs const& x, Outside y, Tape& tape) const {
    layer.forward(pass, sources(x), {x.back()}, tape);
    hand_out_output(pass, tape.output, y);
  }
  template <class Pass>
  void backward(Pass& pass, Inputs const& x, Outside dy, Inputs const& dx, Tape& tape) const {
    pass.run(kernels::FillZero{e.n * wide}, Buffer<float>(dx.back()));  // blocks add to it
    Gradient<A> first;
    Gradient<B> second;
    layer.backward(pass, sources(x), {x.back(), dx.back()}, consumable<Out>(pass, dy, nn::resampled<R>(e)),
                   first, second, tape);
    hand_out(pass, std::move(first.tensor), dx[0]);
    if constexpr (B > 0) hand_out(pass, std::move(second.tensor), dx[1]);
  }
};

template <class On, class Spec>
void check_blocks() {
  using nn::Resampling;
  BlockCase<Spec, 6, 0, 6> identity;
  check_layer<On>(identity, true, 2e-3, 4);
  BlockCase<Spec, 6, 0, 12> projected;
  check_layer<On>(projected, true, 2e-3, 4);
  BlockCase<Spec, 7, 5, 6> two_sources;
  check_layer<On>(two_sources, true, 2e-3, 4);
  BlockCase<Spec, 6, 0, 6, Resampling::down> down;
  check_layer<On>(down, true, 2e-3, 4);
  BlockCase<Spec, 6, 0, 6, Resampling::up> up;
  check_layer<On>(up, true, 2e-3, 4);
}

}  // namespace

TEST_CASE_TEMPLATE("the gradients of residual blocks whose norm the embedding modulates", On,
                   GLYPHDIFF_TEST_LAYER_BACKENDS) {
  check_blocks<On, Modulated>();
}

TEST_CASE_TEMPLATE("the gradients of residual blocks to which the embedding is added", On,
                   GLYPHDIFF_TEST_LAYER_BACKENDS) {
  check_blocks<On, Added>();
}

}  // namespace nn_res_block_tests
