#include "unet_check.hpp"

namespace unet_recomputation_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

constexpr UNetConfig base{.image_size = 16,
                          .channels = 2,
                          .learned_sigma = true,
                          .model_channels = 8,
                          .channel_mult = {1, 2},
                          .res_blocks = 2,
                          .attention_resolutions = {8},
                          .num_heads = 2,
                          .resblock_updown = true,
                          .dropout = 0.2,
                          .norm_groups = 4};

/// The network of `base` with these levels recomputed.
template <bool scale_shift, int... levels>
struct Recomputed {
  static constexpr UNetConfig config = [] {
    UNetConfig c = base;
    c.scale_shift_norm = scale_shift;
    c.recomputed_levels = ShortList<int>{levels...};
    return c;
  }();
};

template <bool scale_shift, int... levels>
struct Outcome {
  Problem<ParallelVectorised, Recomputed<scale_shift, levels...>> problem{{2, 16, 16}};
  decltype(problem.train()) const result = problem.train();
  std::int64_t const bytes = [this] {
    typename UNet<Recomputed<scale_shift, levels...>, ParallelVectorised::Exec,
                  ParallelVectorised::Backend>::Tape tape;
    return tape.bytes(problem.net, problem.exec, problem.e);
  }();
};

template <bool scale_shift, int... levels>
void check_same_bits() {
  Outcome<scale_shift> kept;
  Outcome<scale_shift, levels...> recomputed;
  CHECK(same_bits(kept.result.out, recomputed.result.out));
  CHECK(same_bits(kept.result.gradients, recomputed.result.gradients));
  CHECK(same_bits(kept.result.d_image, recomputed.result.d_image));
  CHECK(recomputed.bytes < kept.bytes);
  CHECK(same_bits(kept.problem.evaluate(), recomputed.problem.evaluate()));
}

}  // namespace

TEST_CASE("recomputed levels give the same bits in less memory") {
  check_same_bits<true, 0>();
  check_same_bits<true, 1>();
  check_same_bits<true, 0, 1>();
  check_same_bits<false, 0, 1>();
}

}  // namespace unet_recomputation_tests
