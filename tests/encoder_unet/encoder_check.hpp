#pragma once

#include "../arrays.hpp"
#include "../nn/layer_check.hpp"

#include <glyphdiff/encoder_unet.hpp>

#include <doctest/doctest.h>

/// Checks a whole classifier, of any configuration.
namespace glyphdiff::test {

/// A classifier with random parameters and what a pass over it takes.
template <class On, class Spec>
struct Classification {
  using Exec = typename On::Exec;
  using Net = EncoderUNet<Spec, Exec, typename On::Backend>;
  static constexpr UNetConfig config = Spec::config;

  Exec exec;
  Net net{exec};
  Extent e;
  std::vector<float> parameters = random_parameters(net.parameter_list());
  std::vector<float> image, d_logits;
  std::vector<float> timesteps;
  DropoutKey dropout{11, 5, 3};

  explicit Classification(Extent extent) : e(extent) {
    image = values(e.pixels() * config.channels, 1);
    d_logits = values(std::int64_t(e.n) * Spec::classes_out, 2);
    for (int n = 0; n < e.n; ++n) timesteps.push_back(10.0f + 77.0f * n);
  }

  Images<Exec> images(std::vector<float> const& floats) const {
    Images<Exec> result("test", e.n, e.h, e.w, config.channels);
    Kokkos::deep_copy(Arena<Exec>(result.data(), result.size()), to_space<Exec>(floats));
    return result;
  }
  Images<Exec> unset_images() const { return images(std::vector<float>(image.size(), NAN)); }
  Logits<Exec> logits(std::vector<float> const& floats) const {
    Logits<Exec> result("test", e.n, Spec::classes_out);
    Kokkos::deep_copy(Arena<Exec>(result.data(), result.size()), to_space<Exec>(floats));
    return result;
  }
  Logits<Exec> unset_logits() const { return logits(std::vector<float>(d_logits.size(), NAN)); }
  void set_parameters() { Kokkos::deep_copy(net.parameters(), to_space<Exec>(parameters)); }

  struct Result {
    std::vector<float> logits, gradients, d_image;
  };
  /// Forward and backward; gradients are added to `before`, of all parameters or of those selected.
  Result train(std::vector<float> const& before, ParameterSelection const* selection = nullptr) {
    set_parameters();
    typename Net::Tape tape(selection);
    auto const out = unset_logits();
    auto const d_image = unset_images();
    auto const gradients = to_space<Exec>(before);
    net.forward(exec, images(image), timesteps, out, tape, dropout, true);
    net.backward(exec, logits(d_logits), gradients, tape, &d_image);
    return {to_host(out), to_host(gradients), to_host(d_image)};
  }
  Result train() { return train(std::vector<float>(parameters.size())); }

  std::vector<float> evaluate(typename Net::Evaluator& evaluator) {
    set_parameters();
    auto const out = unset_logits();
    evaluator(exec, images(image), timesteps, out);
    return to_host(out);
  }
};

/// Half of the units behind a ReLU are far above its kink and half far below, since differences across it say
/// nothing of the slope.
template <class Spec>
void leave_kinks(ParameterList const& list, std::vector<float>& parameters) {
  if constexpr (Spec::pool == Pool::spatial) {
    ParameterInfo const& bias = list["out.0.bias"];
    for (std::int64_t i = 0; i < bias.count; ++i) parameters[bias.offset + i] = i % 2 == 0 ? 10.0f : -10.0f;
  }
}

/// Finite differences of sum(logits * d_logits) by the image and by every parameter tensor. The Evaluator
/// must give the bits of the training pass.
template <class On, class Spec>
void check_encoder(Extent e) {
  Classification<On, Spec> problem(e);
  CHECK(problem.net.parameter_list().total() == encoder_parameter_count<Spec>);
  leave_kinks<Spec>(problem.net.parameter_list(), problem.parameters);
  auto const before = values(problem.parameters.size(), 3);
  auto result = problem.train(before);
  for (std::size_t i = 0; i < before.size(); ++i) result.gradients[i] -= before[i];

  typename Classification<On, Spec>::Net::Evaluator evaluator(problem.net);
  CHECK(same_bits(problem.evaluate(evaluator), result.logits));
  auto const loss = [&] {
    auto const logits = problem.evaluate(evaluator);
    double sum = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) sum += double(logits[i]) * problem.d_logits[i];
    return sum;
  };
  CHECK(check_gradient(loss, problem.parameters, result.gradients, 1e-3f, 4).worst < 3e-3);
  CHECK(check_gradient(loss, problem.image, result.d_image, 1e-2f, 4).worst < 4e-3);
  check_tensors(loss, problem.net.parameter_list(), problem.parameters, result.gradients);
}

}  // namespace glyphdiff::test
