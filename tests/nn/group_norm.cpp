#include "layer_check.hpp"

#include <glyphdiff/nn/group_norm.hpp>

namespace nn_group_norm_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

Extent const e{2, 5, 7};

/// Inputs: one activation or two (B > 0), then scale and shift if modulated.
template <int A, int B, int Groups, bool silu, bool modulated>
struct NormCase {
  using Layer = nn::GroupNorm<A + B, Groups>;
  Layer norm;
  ParameterList parameters;
  std::vector<std::int64_t> inputs{e.pixels() * A};
  std::int64_t output = e.pixels() * (A + B);
  struct Tape {
    Owned<Buffer<float>> statistics;
  };

  NormCase() {
    norm.declare(parameters, "norm");
    if (B > 0) inputs.push_back(e.pixels() * B);
    if (modulated) inputs.push_back(e.n * 2 * (A + B));
  }
  static Columns<float> sources(Inputs const& x) { return {x[0], A, B > 0 ? x[1] : Outside(), B}; }

  template <class Pass>
  void forward(Pass& pass, Inputs const& x, Outside y, Tape& tape) const {
    tape.statistics = pass.floats(Layer::statistics_size(e));
    nn::Modulation embedding;
    if (modulated) embedding.values = x.back();
    norm.template forward<silu>(pass, e, sources(x), tape.statistics, embedding, y);
    pass.keep_for_backward(tape.statistics);
  }
  template <class Pass>
  void backward(Pass& pass, Inputs const& x, Outside dy, Inputs const& dx, Tape& tape) const {
    nn::Modulation embedding;
    if (modulated) embedding = {x.back(), dx.back()};
    norm.template backward<silu>(
        pass, e, sources(x), tape.statistics, embedding, dy,
        ColumnsSink<float>{{dx[0], false}, A, {B > 0 ? dx[1] : Outside(), false}, B});
    tape.statistics.give_back();
  }
};

}  // namespace

TEST_CASE_TEMPLATE("the gradients of a group norm", On, GLYPHDIFF_TEST_LAYER_BACKENDS) {
  NormCase<6, 0, 2, false, false> plain;
  check_layer<On>(plain);
  NormCase<33, 0, 3, true, false> with_silu;
  check_layer<On>(with_silu);
  NormCase<16, 0, 4, false, true> modulated;
  check_layer<On>(modulated);
  NormCase<16, 32, 3, true, true> straddling;
  check_layer<On>(straddling);
  NormCase<5, 4, 3, true, true> odd;
  check_layer<On>(odd);
}

}  // namespace nn_group_norm_tests
