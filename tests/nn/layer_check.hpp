#pragma once

#include "../arrays.hpp"
#include "../spaces.hpp"

#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/nn/gradient_check.hpp>
#include <glyphdiff/nn/parameter.hpp>
#include <glyphdiff/nn/pass.hpp>

#include <doctest/doctest.h>

#include <string>

/// Checks a layer's backward pass against finite differences of its forward pass. A case describes the layer:
///
///     ParameterList parameters;              // declared
///     std::vector<std::int64_t> inputs;      // floats of each input
///     std::int64_t output;                   // floats of the output
///     struct Tape;
///     template <class Pass> void forward(Pass&, std::vector<float*> const& x, float* y, Tape&);
///     template <class Pass> void backward(Pass&, std::vector<float*> const& x, float const* dy,
///                                         std::vector<float*> const& dx, Tape&);   // dx: assigned
namespace glyphdiff::test {

/// Random parameters that keep activations near unit size.
inline std::vector<float> random_parameters(ParameterList const& list, unsigned seed = 100) {
  std::vector<float> result;
  for (ParameterInfo const& info : list) {
    bool const norm_weight = info.initialisation == Initialisation::one;
    float const scale = info.shape.size() > 1 ? std::sqrt(3.0f / float(info.fan_in)) : 0.5f;
    for (float value : values(info.count, seed++, scale))
      result.push_back(norm_weight ? 1.0f + value : value);
  }
  return result;
}

template <class Pass>
void copy_floats(Pass& pass, float const* from, float* to, std::int64_t count) {
  if (!pass.planning()) kernels::copy(pass.exec, from, to, count);
}

/// A copy of `data` in the workspace, for layers that consume what they are given.
template <int C, class Pass>
Tensor<C> consumable(Pass& pass, float const* data, Extent e) {
  auto tensor = pass.template tensor<C>(e);
  copy_floats(pass, data, tensor.data, tensor.size());
  return tensor;
}

/// Copies a gradient out of the workspace.
template <int C, class Pass>
void hand_out(Pass& pass, Gradient<C>& gradient, float* to) {
  copy_floats(pass, gradient.tensor.data, to, gradient.tensor.size());
  pass.release(gradient.tensor);
}

/// Checks a network's gradients tensor by tensor, lest a small one hide behind the large ones. The short
/// steps keep to the slope where that is steep, the long ones rise above the rounding of the loss where it is
/// not.
template <class Loss>
void check_tensors(Loss const& loss, ParameterList const& list, std::vector<float>& parameters,
                   std::vector<float> const& gradients) {
  double squares = 0;
  for (float g : gradients) squares += double(g) * g;
  double const floor = 3e-4 * std::sqrt(squares);
  for (ParameterInfo const& info : list) {
    CAPTURE(info.name);
    auto const tensor = std::span<float const>(gradients).subspan(info.offset, info.count);
    auto const numbers = std::span(parameters).subspan(info.offset, info.count);
    GradientCheck one;
    double error = INFINITY;
    for (float step : {3e-3f, 2e-2f}) {
      if (error < 1) break;
      one = check_gradient(loss, numbers, tensor, step, 2);
      error = std::abs(one.analytic - one.numeric) / (1e-2 * std::abs(one.analytic) + floor);
    }
    CAPTURE(one.analytic);
    CAPTURE(one.numeric);
    CAPTURE(floor);
    CHECK(error < 1);
  }
}

/// The largest GradientCheck::worst over all parameter tensors and inputs; every one of them is CHECKed.
template <class On, class Case>
double check_layer(Case& layer, bool exact = true, double tolerance = 2e-3, int probes = 8) {
  using Exec = typename On::Exec;
  using LayerPass = Pass<Exec, typename On::Path>;
  Exec const exec;
  std::vector<float> parameters = random_parameters(layer.parameters);
  std::vector<std::vector<float>> inputs;
  for (std::int64_t size : layer.inputs) inputs.push_back(values(size, 200 + unsigned(inputs.size())));
  std::vector<float> const dy = values(layer.output, 300);

  // Both passes in workspaces that hold NaN before.
  Workspace<Exec> training_space, sampling_space;
  std::vector<float*> const no_pointers(inputs.size());
  auto const training_pass = [&] {
    LayerPass pass{exec, training_space, nullptr, nullptr, true, exact};
    typename Case::Tape tape;
    layer.forward(pass, no_pointers, nullptr, tape);
    layer.backward(pass, no_pointers, nullptr, no_pointers, tape);
  };
  auto const sampling_pass = [&] {
    LayerPass pass{exec, sampling_space, nullptr, nullptr, false, exact};
    typename Case::Tape tape;
    layer.forward(pass, no_pointers, nullptr, tape);
  };
  auto const spoil = [&](Workspace<Exec>& space, MemoryPlan const& plan) {
    MemoryPlan const whole = space.plan([&] { space.acquire(plan.bytes() / 4); });
    space.follow(whole);
    auto const nan = unset<Exec>(plan.bytes() / 4);
    kernels::copy(exec, nan.data(), space.acquire(plan.bytes() / 4), plan.bytes() / 4);
    exec.fence();
    space.follow(plan);
  };
  MemoryPlan const training_plan = training_space.plan(training_pass);
  MemoryPlan const sampling_plan = sampling_space.plan(sampling_pass);

  // Nothing is still held at the end of a pass: as much again then fits where it was.
  auto const leak = [&](Workspace<Exec>& space, MemoryPlan const& plan, auto const& pass) {
    return space.plan([&] { pass(), space.acquire(plan.lower_bound_bytes() / 4); }).lower_bound_bytes() -
           plan.lower_bound_bytes();
  };
  CHECK(leak(training_space, training_plan, training_pass) == 0);
  CHECK(leak(sampling_space, sampling_plan, sampling_pass) == 0);

  auto const pointers = [](auto const& arenas) {
    std::vector<float*> result;
    for (auto const& arena : arenas) result.push_back(arena.data());
    return result;
  };
  auto const to_spaces = [&] {
    std::vector<Arena<Exec>> result;
    for (auto const& input : inputs) result.push_back(to_space<Exec>(input));
    return result;
  };
  auto const output = [&] {
    auto const p = to_space<Exec>(parameters), y = unset<Exec>(layer.output);
    auto const x = to_spaces();
    spoil(sampling_space, sampling_plan);
    LayerPass pass{exec, sampling_space, p.data(), nullptr, false, exact};
    typename Case::Tape tape;
    layer.forward(pass, pointers(x), y.data(), tape);
    return to_host(y);
  };
  auto const loss = [&] {
    auto const y = output();
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += double(y[i]) * dy[i];
    return sum;
  };

  // The analytic gradients; those of the parameters are added to what is there.
  auto const before = values(layer.parameters.total(), 400);
  std::vector<float> gradient;
  std::vector<Arena<Exec>> dx;
  {
    auto const p = to_space<Exec>(parameters), g = to_space<Exec>(before), y = unset<Exec>(layer.output);
    auto const x = to_spaces();
    auto const d_out = to_space<Exec>(dy);
    for (auto const& input : inputs) dx.push_back(unset<Exec>(input.size()));
    spoil(training_space, training_plan);
    LayerPass pass{exec, training_space, p.data(), g.data(), true, exact};
    typename Case::Tape tape;
    layer.forward(pass, pointers(x), y.data(), tape);
    layer.backward(pass, pointers(x), d_out.data(), pointers(dx), tape);
    gradient = to_host(g);
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] -= before[i];
    CHECK(same_bits(to_host(y), output()));
  }

  double worst = 0;
  auto const check = [&](std::string const& name, std::span<float> numbers, std::span<float const> analytic) {
    CAPTURE(name);
    // The long steps rise above the rounding of the loss where the slope is small; a wrong gradient agrees
    // with neither.
    auto result = check_gradient(loss, numbers, analytic, 1e-2f, probes);
    if (!(result.worst < tolerance)) result = check_gradient(loss, numbers, analytic, 4e-2f, probes);
    CAPTURE(result.analytic);
    CAPTURE(result.numeric);
    CHECK(result.worst < tolerance);
    worst = std::max(worst, result.worst);
  };
  for (ParameterInfo const& info : layer.parameters)
    check(info.name, std::span(parameters).subspan(info.offset, info.count),
          std::span<float const>(gradient).subspan(info.offset, info.count));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    check("input " + std::to_string(i), inputs[i], to_host(dx[i]));
  return worst;
}

}  // namespace glyphdiff::test
