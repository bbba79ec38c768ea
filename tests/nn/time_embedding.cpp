#include "layer_check.hpp"

#include <glyphdiff/nn/time_embedding.hpp>

namespace nn_time_embedding_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

struct Plain {
  static constexpr UNetConfig config{.model_channels = 5};  // odd: a zero is appended
};
struct Labelled {
  static constexpr UNetConfig config{.model_channels = 6, .classes = 4};
};

/// Timesteps are not differentiated.
template <class On, class Spec>
struct TimeCase {
  using Exec = typename On::Exec;
  using Layer = nn::TimeEmbedding<Spec>;
  static constexpr int n = 3, wide = Spec::config.embedding();
  struct Tape : Layer::Tape {};
  Layer layer;
  ParameterList parameters;
  std::vector<std::int64_t> inputs;
  std::int64_t output = n * wide;
  Arena<Exec> timesteps = to_space<Exec>(std::vector<float>{0, 17.5f, 900});
  Kokkos::View<int*, Kokkos::LayoutRight, typename Exec::memory_space> labels =
      to_space<Exec>(std::vector<int>{2, 0, 2});
  std::vector<void const*> more{timesteps.data(), labels.data()};

  TimeCase() { layer.declare(parameters); }

  template <class Pass>
  void forward(Pass& pass, Inputs const&, Outside y, Tape& tape) const {
    layer.forward(pass, n, Outside{2}, Outside{3}, tape);
    copy_floats(pass, tape.activated, y, output);
  }
  template <class Pass>
  void backward(Pass& pass, Inputs const&, Outside dy, Inputs const&, Tape& tape) const {
    auto const gradient = pass.floats(output);  // overwritten
    copy_floats(pass, dy, gradient, output);
    layer.backward(pass, n, Outside{3}, gradient, tape);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("the gradients of the embedding of timesteps and classes", On,
                   GLYPHDIFF_TEST_LAYER_BACKENDS) {
  TimeCase<On, Plain> plain;
  check_layer<On>(plain);
  TimeCase<On, Labelled> labelled;
  check_layer<On>(labelled);
  CHECK(labelled.parameters.all().back().name == "label_emb.weight");
}

}  // namespace nn_time_embedding_tests
