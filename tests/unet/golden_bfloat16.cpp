// The networks of the reference in bfloat16: activations, and the weights that convolutions and products
// read.
//
// How far off may they be? A value that is rounded to bfloat16 moves by up to u = 2^-9 of itself, and what
// that does to a result depends on the network: sums cancel, norms amplify. So the test measures it: with the
// weights alone rounded, in floats, results move by w. On the way through a residual block there are four
// weight tensors (two convolutions, the embedding's, which stays float, and the skip's) and about seven
// activations that are rounded: two norms' outputs, two convolutions' and the sum, each twice where it is
// read again. Independent errors add as their squares, so the rounding of all of them moves results by about
// sqrt(1 + 7 / 3) w, some 2 w, forward, and backward, where the gradients are rounded as often again and
// everything that is computed anew as well, by some 3 w. The test allows half as much more.
#include "../sanitized.hpp"
#include "golden_check.hpp"

namespace unet_golden_bfloat16_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

struct Results {
  golden::Array<float> out, dx;
  std::vector<float> gradients;
};

template <class Backend, class Spec>
Results results(golden::Model const& model, std::vector<float> const& parameters) {
  using Exec = Parallel;
  using Net = UNet<Spec, Exec, Backend>;
  Exec const exec;
  Net net(exec);
  Kokkos::deep_copy(net.parameters(), to_space<Exec>(parameters));
  auto const t = model.array<std::int64_t>("forward_t").values;
  std::vector<int> labels;
  if constexpr (Spec::config.classes > 0) {
    auto const y = model.array<std::int64_t>("forward_y").values;
    labels.assign(y.begin(), y.end());
  }
  auto const x = golden::images<Exec>(model.array("forward_x")),
             d_out = golden::images<Exec>(model.array("backward_dout"));
  Images<Exec> const out("out", d_out.extent(0), d_out.extent(1), d_out.extent(2), d_out.extent(3)),
      dx("dx", x.extent(0), x.extent(1), x.extent(2), x.extent(3));
  Arena<Exec> const gradients("gradients", net.parameters().extent(0));
  typename Net::Tape tape;
  net.forward(exec, x, std::vector<float>(t.begin(), t.end()), labels, out, tape, {}, true);
  net.backward(exec, d_out, gradients, tape, &dx);
  return {golden::from_images(out), golden::from_images(dx), to_host(gradients)};
}

/// The root mean square of the difference, relative to that of what is expected.
double relative_rms(std::vector<float> const& found, std::vector<float> const& expected) {
  double difference = 0, all = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += (double(found[i]) - expected[i]) * (double(found[i]) - expected[i]);
    all += double(expected[i]) * expected[i];
  }
  return std::sqrt(difference / all);
}

template <class Spec>
void check_bfloat16() {
  golden::Model const model(Spec::name);
  auto const parameters = model.parameters();
  auto rounded = parameters;
  UNet<Spec, Parallel> const net(Parallel(), zero_parameters);
  for (ParameterInfo const& info : net.parameter_list())
    if (info.shape.size() > 1 && info.name.find("emb") == std::string::npos)
      for (std::int64_t i = info.offset; i < info.offset + info.count; ++i)
        rounded[std::size_t(i)] = bfloat16_to_float(float_to_bfloat16(rounded[std::size_t(i)]));

  auto const exact = results<kernels::Portable, Spec>(model, parameters),
             weights = results<kernels::Portable, Spec>(model, rounded),
             half = results<kernels::PortableIn<bfloat16>, Spec>(model, parameters);
  CHECK(golden::relative_difference(exact.out, model.array("forward_out")) < 5e-5);
  auto const check = [&](char const* what, auto const& found, auto const& of_weights, auto const& expected,
                         double times) {
    double const error = relative_rms(found, expected), w = relative_rms(of_weights, expected);
    INFO(std::string(what) << ": " << error << ", by the weights alone " << w);
    CHECK(error > 0.25 * w);
    CHECK(error < times * w);
  };
  check("output", half.out.values, weights.out.values, exact.out.values, 3);
  check("image gradient", half.dx.values, weights.dx.values, exact.dx.values, 4.5);
  check("parameter gradients", half.gradients, weights.gradients, exact.gradients, 4.5);
}

}  // namespace

TEST_CASE("adm_tiny in bfloat16 is as far from floats as its roundings explain") {
  check_bfloat16<golden::AdmTiny<true>>();
}
TEST_CASE("iddpm_tiny in bfloat16 is as far from floats as its roundings explain") {
  if (sanitized) return;
  check_bfloat16<golden::IddpmTiny<true>>();
}
TEST_CASE("cond_tiny in bfloat16 is as far from floats as its roundings explain") {
  if (sanitized) return;
  check_bfloat16<golden::CondTiny<true>>();
}

}  // namespace unet_golden_bfloat16_tests
