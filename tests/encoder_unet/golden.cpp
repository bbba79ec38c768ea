#include "../arrays.hpp"
#include "../golden/names.hpp"
#include "../spaces.hpp"

#include <glyphdiff/encoder_unet.hpp>

#include <doctest/doctest.h>

namespace encoder_unet_golden_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

/// One level with attention below one without, blocks that resample and modulate.
template <Pool chosen, bool exact>
struct Tiny {
  static constexpr UNetConfig config{.image_size = 8,
                                     .model_channels = 32,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .attention_resolutions = {4},
                                     .num_head_channels = 32,
                                     .resblock_updown = true,
                                     .norm_groups = 16,
                                     .exact_convolutions = exact};
  static constexpr int classes_out = 5;
  static constexpr Pool pool = chosen;
};
/// Two blocks for each level, strided convolutions.
template <Pool chosen, bool exact>
struct Strided {
  static constexpr UNetConfig config{.image_size = 8,
                                     .model_channels = 16,
                                     .channel_mult = {1, 1.5},
                                     .res_blocks = 2,
                                     .attention_resolutions = {4},
                                     .num_head_channels = 8,
                                     .scale_shift_norm = false,
                                     .norm_groups = 8,
                                     .exact_convolutions = exact};
  static constexpr int classes_out = 5;
  static constexpr Pool pool = chosen;
};

/// Forward pass and all gradients against PyTorch's.
template <class On, class Spec>
void check_golden(char const* name, double tolerance) {
  CAPTURE(name);
  using Exec = typename On::Exec;
  using Net = EncoderUNet<Spec, Exec, typename On::Backend>;
  Exec const exec;
  golden::Model const model(name);
  Net net(exec);
  golden::check_names(net.parameter_list(), model);
  CHECK(model.config()["parameters"] == encoder_parameter_count<Spec>);
  Kokkos::deep_copy(net.parameters(), to_space<Exec>(model.parameters()));

  auto const t = model.array<std::int64_t>("forward_t").values;
  std::vector<float> const timesteps(t.begin(), t.end());
  auto const x = golden::images<Exec>(model.array("forward_x"));
  auto const d_out = model.array("backward_dout");
  Logits<Exec> const logits("logits", t.size(), Spec::classes_out);
  Logits<Exec> const d_logits("d_logits", t.size(), Spec::classes_out);
  Kokkos::deep_copy(Arena<Exec>(d_logits.data(), d_logits.size()), to_space<Exec>(d_out.values));
  Images<Exec> const dx("dx", x.extent(0), x.extent(1), x.extent(2), x.extent(3));
  Arena<Exec> const gradients("gradients", net.parameters().extent(0));
  typename Net::Tape tape;
  net.forward(exec, x, timesteps, logits, tape, {}, true);
  net.backward(exec, d_logits, gradients, tape, &dx);

  CHECK(golden::relative_difference({d_out.shape, to_host(logits)}, model.array("forward_out")) < tolerance);
  CHECK(golden::relative_difference(golden::from_images(dx), model.array("backward_dx")) < tolerance);
  std::string worst;
  double const difference = model.difference("backward_dparams", to_host(gradients), &worst);
  CAPTURE(worst);
  CHECK(difference < tolerance);
}

template <class On, bool exact>
void check_all(double tolerance) {
  check_golden<On, Tiny<Pool::adaptive, exact>>("classifier_adaptive", tolerance);
  check_golden<On, Tiny<Pool::attention, exact>>("classifier_attention", tolerance);
  check_golden<On, Strided<Pool::spatial, exact>>("classifier_spatial", tolerance);
  check_golden<On, Tiny<Pool::spatial_v2, exact>>("classifier_spatial_v2", tolerance);
}

}  // namespace

TEST_CASE_TEMPLATE("classifiers with every pool: outputs and gradients as in PyTorch", On,
                   GLYPHDIFF_TEST_LAYER_BACKENDS) {
  check_all<On, true>(5e-5);
}

TEST_CASE("the same with Winograd convolutions") { check_all<ParallelVectorised, false>(2e-4); }

}  // namespace encoder_unet_golden_tests
