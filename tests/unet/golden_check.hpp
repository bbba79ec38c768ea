#pragma once

#include "../arrays.hpp"
#include "../golden/names.hpp"
#include "../spaces.hpp"
#include "golden_models.hpp"

#include <glyphdiff/unet.hpp>

#include <doctest/doctest.h>

namespace glyphdiff::test {

/// The configuration of a golden model is that of its config.json, and its parameters are those on file.
template <class Spec>
void check_against_file(ParameterList const& list) {
  golden::Model const model(Spec::name);
  auto const json = model.config();
  constexpr UNetConfig c = Spec::config;
  CHECK(json["image_size"] == c.image_size);
  CHECK(json["in_channels"] == c.channels);
  CHECK(json["out_channels"] == c.out_channels());
  CHECK(json["model_channels"] == c.model_channels);
  CHECK(json["num_res_blocks"] == c.res_blocks);
  CHECK(json["use_scale_shift_norm"] == c.scale_shift_norm);
  CHECK(json["resblock_updown"] == c.resblock_updown);
  CHECK(json["use_new_attention_order"] == (c.qkv_order == QkvOrder::grouped));
  CHECK(json["parameters"] == parameter_count<Spec>);

  golden::check_names(list, model);
}

/// Forward pass and all gradients against the reference's.
template <class On, class Spec>
void check_golden(double tolerance) {
  using Exec = typename On::Exec;
  using Net = UNet<Spec, Exec, typename On::Backend>;
  Exec const exec;
  golden::Model const model(Spec::name);
  Net net(exec);
  check_against_file<Spec>(net.parameter_list());
  Kokkos::deep_copy(net.parameters(), to_space<Exec>(model.parameters()));

  auto const t = model.array<std::int64_t>("forward_t").values;
  std::vector<float> const timesteps(t.begin(), t.end());
  std::vector<int> labels;
  if constexpr (Spec::config.classes > 0) {
    auto const y = model.array<std::int64_t>("forward_y").values;
    labels.assign(y.begin(), y.end());
  }
  auto const x = golden::images<Exec>(model.array("forward_x")),
             d_out = golden::images<Exec>(model.array("backward_dout"));
  Images<Exec> const out("out", d_out.extent(0), d_out.extent(1), d_out.extent(2), d_out.extent(3));
  Images<Exec> const dx("dx", x.extent(0), x.extent(1), x.extent(2), x.extent(3));
  Arena<Exec> const gradients("gradients", net.parameters().extent(0));
  typename Net::Tape tape;
  net.forward(exec, x, timesteps, labels, out, tape, {}, true);
  net.backward(exec, d_out, gradients, tape, &dx);

  CHECK(golden::relative_difference(golden::from_images(out), model.array("forward_out")) < tolerance);
  CHECK(golden::relative_difference(golden::from_images(dx), model.array("backward_dx")) < tolerance);
  std::string worst;
  double const difference = model.difference("backward_dparams", to_host(gradients), &worst);
  CAPTURE(worst);
  CHECK(difference < tolerance);
}

}  // namespace glyphdiff::test
