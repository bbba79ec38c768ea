#include "layer_check.hpp"

#include <glyphdiff/encoder_config.hpp>
#include <glyphdiff/nn/attention_pool.hpp>
#include <glyphdiff/nn/mean_pool.hpp>
#include <glyphdiff/nn/spatial_pool.hpp>

namespace nn_classifier_pools_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

Extent const e{2, 4, 4};

struct Small {
  static constexpr UNetConfig config{.image_size = 8,
                                     .model_channels = 6,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .num_head_channels = 4,
                                     .norm_groups = 3};
  static constexpr int classes_out = 5;
};

/// A pool, from the last block's output; and, for those that read them, the means of the other blocks.
template <class Layer, int Means = 0>
struct PoolCase {
  using Tape = typename Layer::Tape;
  static constexpr int C = Layer::C;
  Layer layer;
  ParameterList parameters;
  std::vector<std::int64_t> inputs{e.pixels() * C};
  std::int64_t output = e.n * Small::classes_out;

  PoolCase() {
    layer.declare(parameters);
    if (Means > 0) inputs.push_back(e.n * Means);
  }

  template <class Pass>
  void forward(Pass& pass, Inputs const& x, Outside y, Tape& tape) const {
    [[maybe_unused]] auto const means = layer.collect(pass, e.n, tape);
    if constexpr (Means > 0)
      pass.run(kernels::CopyRows{int(e.n), Means, Means, Layer::In}, Buffer<float>(x[1]), means.values);
    layer.forward(pass, Tensor<C>{x[0], e}, y, tape);
  }
  template <class Pass>
  void backward(Pass& pass, Inputs const& x, Outside dy, Inputs const& dx, Tape& tape) const {
    hand_out(pass, layer.backward(pass, Tensor<C>{x[0], e}, dy, tape), dx[0]);
    if constexpr (Means > 0)
      pass.run(kernels::CopyRows{int(e.n), Means, Layer::In, Means}, layer.gradients(tape).gradient,
               Buffer<float>(dx[1]));
    layer.release(tape);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("the gradients of the pools", On, GLYPHDIFF_TEST_LAYER_BACKENDS) {
  PoolCase<nn::MeanPool<Small>> mean;
  check_layer<On>(mean);
  PoolCase<nn::AttentionPool<Small>> attention;
  check_layer<On>(attention);
  using Spatial = nn::SpatialPool<Small, true>;
  static_assert(Spatial::In == 6 + 2 * 6 + 12 + 12);
  PoolCase<Spatial, Spatial::column> spatial;
  check_layer<On>(spatial);
}

TEST_CASE("the pools' parameters are as many as declared") {
  auto const check = [](auto layer) {
    ParameterList list;
    layer.declare(list);
    CHECK(list.total() == decltype(layer)::parameter_count);
  };
  check(nn::MeanPool<Small>());
  check(nn::AttentionPool<Small>());
  check(nn::SpatialPool<Small, false>());
  check(nn::SpatialPool<Small, true>());
}

}  // namespace nn_classifier_pools_tests
