#pragma once

#include "../arrays.hpp"
#include "../nn/layer_check.hpp"

#include <glyphdiff/unet.hpp>

#include <doctest/doctest.h>

/// Checks a whole network, of any configuration, at any image size.
namespace glyphdiff::test {

/// A network with random parameters and what a pass over it takes.
template <class On, class Spec>
struct Problem {
  using Exec = typename On::Exec;
  using Net = UNet<Spec, Exec, typename On::Backend>;
  static constexpr UNetConfig config = Spec::config;

  Exec exec;
  Net net{exec};
  Extent e;
  std::vector<float> parameters = random_parameters(net.parameter_list());
  std::vector<float> image, d_out;
  std::vector<float> timesteps;
  std::vector<int> labels;
  DropoutKey dropout{11, 5, 3};

  explicit Problem(Extent extent) : e(extent) {
    image = values(e.pixels() * config.in_channels(), 1);
    d_out = values(e.pixels() * config.out_channels(), 2);
    for (int n = 0; n < e.n; ++n) {
      timesteps.push_back(10.0f + 77.0f * n);
      if (config.classes > 0) labels.push_back(n == 1 ? no_class : (n + 1) % config.classes);
    }
  }

  static Images<Exec> images(std::vector<float> const& floats, Extent extent, int channels) {
    Images<Exec> result("test", extent.n, extent.h, extent.w, channels);
    Kokkos::deep_copy(Arena<Exec>(result.data(), result.size()), to_space<Exec>(floats));
    return result;
  }
  /// Some channels of the image.
  Images<Exec> channels(int first, int count) const {
    std::vector<float> chosen;
    for (std::size_t i = 0; i < image.size(); ++i)
      if (int const c = int(i % config.in_channels()); c >= first && c < first + count)
        chosen.push_back(image[i]);
    return images(chosen, e, count);
  }
  Images<Exec> unset_images(int channels) const {
    return images(std::vector<float>(e.pixels() * channels, NAN), e, channels);
  }
  void set_parameters() { Kokkos::deep_copy(net.parameters(), to_space<Exec>(parameters)); }

  struct Result {
    std::vector<float> out, gradients, d_image;
  };
  /// Forward and backward; gradients are added to `before`.
  Result train(std::vector<float> const& before) {
    set_parameters();
    typename Net::Tape tape;
    auto const out = unset_images(config.out_channels()), d_image = unset_images(config.in_channels());
    auto const gradients = to_space<Exec>(before);
    net.forward(exec, images(image, e, config.in_channels()), timesteps, labels, out, tape, dropout, true);
    net.backward(exec, images(d_out, e, config.out_channels()), gradients, tape, &d_image);
    return {to_host(out), to_host(gradients), to_host(d_image)};
  }
  Result train() { return train(std::vector<float>(parameters.size())); }

  std::vector<float> evaluate() {
    typename Net::Evaluator evaluator(net);
    return evaluate(evaluator);
  }
  std::vector<float> evaluate(typename Net::Evaluator& evaluator) {
    set_parameters();
    evaluator.set_labels(labels);
    auto const out = unset_images(config.out_channels());
    evaluator.set_condition(channels(config.channels, config.condition_channels));
    evaluator(exec, channels(0, config.channels), timesteps, out);
    return to_host(out);
  }
};

/// Finite differences of sum(out * d_out) by the image and by every parameter tensor. Without dropout the
/// Evaluator must give the bits of the training pass.
template <class On, class Spec>
void check_unet(Extent e) {
  Problem<On, Spec> problem(e);
  CHECK(problem.net.parameter_list().total() == parameter_count<Spec>);
  auto const before = values(problem.parameters.size(), 3);
  auto result = problem.train(before);
  for (std::size_t i = 0; i < before.size(); ++i) result.gradients[i] -= before[i];

  typename Problem<On, Spec>::Net::Evaluator evaluator(problem.net);
  typename Problem<On, Spec>::Net::Tape tape;
  auto const output = [&] {
    if constexpr (Spec::config.dropout == 0) return problem.evaluate(evaluator);
    problem.set_parameters();
    auto const out = problem.unset_images(Spec::config.out_channels());
    problem.net.forward(problem.exec, problem.images(problem.image, e, Spec::config.in_channels()),
                        problem.timesteps, problem.labels, out, tape, problem.dropout);
    return to_host(out);
  };
  CHECK(same_bits(output(), result.out));
  auto const loss = [&] {
    auto const out = output();
    double sum = 0;
    for (std::size_t i = 0; i < out.size(); ++i) sum += double(out[i]) * problem.d_out[i];
    return sum;
  };

  CHECK(check_gradient(loss, problem.parameters, result.gradients, 1e-3f, 4).worst < 3e-3);
  CHECK(check_gradient(loss, problem.image, result.d_image, 1e-2f, 4).worst < 3e-3);
  check_tensors(loss, problem.net.parameter_list(), problem.parameters, result.gradients);
}

}  // namespace glyphdiff::test
