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
///     template <class Pass> void forward(Pass&, Inputs const& x, Outside y, Tape&);
///     template <class Pass> void backward(Pass&, Inputs const& x, Outside dy, Inputs const& dx, Tape&);
///
/// with dx assigned. Where `std::vector<void const*> more` says what else lies outside, its numbers come
/// after those of x, y, dy and dx.
namespace glyphdiff::test {

/// What a pass is given from outside, by its number: a buffer of any type. Without a number, none.
struct Outside {
  int number = -1;

  template <class T>
  operator Buffer<T>() const {
    return number < 0 ? Buffer<T>{} : Buffer<T>{Memory::outside, number};
  }
};
using Inputs = std::vector<Outside>;

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
void copy_floats(Pass& pass, Buffer<float> from, Buffer<float> to, std::int64_t count) {
  pass.run(kernels::Copy{count}, from, to);
}

/// A copy of `data` in the workspace, for layers that consume what they are given.
template <int C, class Pass>
Owned<Tensor<C>> consumable(Pass& pass, Outside data, Extent e) {
  auto tensor = pass.template tensor<C>(e);
  pass.run(kernels::Copy{tensor->size()}, Buffer<float>(data), tensor);
  return tensor;
}

/// Copies an activation or a gradient out of the workspace, and gives it back.
template <int C, class Pass>
void hand_out(Pass& pass, Owned<Tensor<C>> tensor, Outside to) {
  pass.run(kernels::Copy{tensor->size()}, tensor, Buffer<float>(to));
}
/// The output of a layer, which a training pass keeps.
template <int C, class Pass>
void hand_out_output(Pass& pass, Owned<Tensor<C>>& tensor, Outside to) {
  pass.run(kernels::Copy{tensor->size()}, tensor, Buffer<float>(to));
  pass.keep_for_backward(tensor);
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
  using LayerPass = Pass<Exec, typename On::Backend>;
  Exec const exec;
  std::vector<float> parameters = random_parameters(layer.parameters);
  std::vector<std::vector<float>> inputs;
  for (std::int64_t size : layer.inputs) inputs.push_back(values(size, 200 + unsigned(inputs.size())));
  std::vector<float> const dy = values(layer.output, 300);

  // Both passes in workspaces that hold NaN before.
  Workspace<Exec> training_space, sampling_space;
  typename LayerPass::Context context;
  Inputs x, dx;
  int const count = int(inputs.size());
  for (int i = 0; i < count; ++i) x.push_back({i}), dx.push_back({count + 2 + i});
  Outside const y{count}, d_out{count + 1};
  auto const whole_pass = [&](LayerPass pass) {
    if (!pass.workspace.planning()) pass.refresh_weights({});
    typename Case::Tape tape;
    layer.forward(pass, x, y, tape);
    if (pass.training) layer.backward(pass, x, d_out, dx, tape);
  };
  auto const training_pass = [&] {
    whole_pass(
        {.exec = exec, .context = context, .workspace = training_space, .training = true, .exact = exact});
  };
  auto const sampling_pass = [&] {
    whole_pass({.exec = exec, .context = context, .workspace = sampling_space, .exact = exact});
  };
  auto const spoil = [&](Workspace<Exec>& space, MemoryPlan const& plan) {
    MemoryPlan const whole = space.plan([&] { space.acquire(plan.bytes()); });
    space.follow(whole);
    auto const nan = unset<Exec>(plan.bytes() / 4);
    kernels::copy(exec, nan.data(), reinterpret_cast<float*>(space.address(space.acquire(plan.bytes()))),
                  plan.bytes() / 4);
    exec.fence();
    space.follow(plan);
  };
  MemoryPlan const training_plan = training_space.plan(training_pass);
  MemoryPlan const sampling_plan = sampling_space.plan(sampling_pass);

  // Nothing is still held at the end of a pass: as much again then fits where it was.
  auto const leak = [&](Workspace<Exec>& space, MemoryPlan const& plan, auto const& pass) {
    return space.plan([&] { pass(), space.acquire(plan.lower_bound_bytes()); }).lower_bound_bytes() -
           plan.lower_bound_bytes();
  };
  CHECK(leak(training_space, training_plan, training_pass) == 0);
  CHECK(leak(sampling_space, sampling_plan, sampling_pass) == 0);

  auto const to_spaces = [&] {
    std::vector<Arena<Exec>> result;
    for (auto const& input : inputs) result.push_back(to_space<Exec>(input));
    return result;
  };
  auto const addresses = [&](auto const& in, void const* out, void const* out_gradient,
                             auto const& in_gradients) {
    std::vector<void const*> result;
    for (auto const& arena : in) result.push_back(arena.data());
    result.push_back(out);
    result.push_back(out_gradient);
    for (auto const& arena : in_gradients) result.push_back(arena.data());
    auto const add_more = [&](auto const& of) {  // a template, in which nvcc asks whether there are such
      if constexpr (requires { of.more; }) result.insert(result.end(), of.more.begin(), of.more.end());
    };
    add_more(layer);
    return result;
  };
  auto const output = [&] {
    auto const p = to_space<Exec>(parameters), out = unset<Exec>(layer.output);
    auto const in = to_spaces();
    auto const outside = addresses(in, out.data(), nullptr, std::vector<Arena<Exec>>(inputs.size()));
    spoil(sampling_space, sampling_plan);
    whole_pass({.exec = exec,
                .context = context,
                .workspace = sampling_space,
                .parameters = p.data(),
                .outside = outside,
                .exact = exact});
    return to_host(out);
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
  std::vector<Arena<Exec>> input_gradients;
  {
    auto const p = to_space<Exec>(parameters), g = to_space<Exec>(before), out = unset<Exec>(layer.output);
    auto const in = to_spaces();
    auto const out_gradient = to_space<Exec>(dy);
    for (auto const& input : inputs) input_gradients.push_back(unset<Exec>(input.size()));
    auto const outside = addresses(in, out.data(), out_gradient.data(), input_gradients);
    spoil(training_space, training_plan);
    whole_pass({.exec = exec,
                .context = context,
                .workspace = training_space,
                .parameters = p.data(),
                .gradients = g.data(),
                .outside = outside,
                .training = true,
                .exact = exact});
    gradient = to_host(g);
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] -= before[i];
    CHECK(same_bits(to_host(out), output()));
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
    check("input " + std::to_string(i), inputs[i], to_host(input_gradients[i]));
  return worst;
}

}  // namespace glyphdiff::test
