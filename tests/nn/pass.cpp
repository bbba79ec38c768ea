// What a pass does with buffers and operations, whatever the layers are.
#include "../arrays.hpp"

#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/nn/pass.hpp>

#include <doctest/doctest.h>

#include <type_traits>
#include <utility>

namespace nn_pass_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

using Exec = Kokkos::DefaultHostExecutionSpace;
using TestPass = Pass<Exec, kernels::Portable>;
static_assert(!std::is_copy_constructible_v<Owned<Tensor<3>>>);

/// Plans what `steps(pass)` does.
template <class Steps>
MemoryPlan planned(Workspace<Exec>& workspace, Steps const& steps) {
  Exec const exec;
  TestPass::Context context;
  return workspace.plan([&] {
    TestPass pass{.exec = exec, .context = context, .workspace = workspace};
    steps(pass);
  });
}

}  // namespace

TEST_CASE("a buffer is given back with its owner, or before") {
  Workspace<Exec> workspace;
  std::int64_t const rounded = 4096;  // 1000 floats
  auto const scoped = planned(workspace, [&](TestPass& pass) {
    { auto const a = pass.floats(1000); }
    { auto const b = pass.floats(1000); }
  });
  CHECK(scoped.bytes() == rounded);
  auto const given_back = planned(workspace, [&](TestPass& pass) {
    auto a = pass.floats(1000);
    a.give_back();
    a.give_back();
    auto const b = pass.floats(1000);
  });
  CHECK(given_back.bytes() == rounded);
  auto const together =
      planned(workspace, [&](TestPass& pass) { auto const a = pass.floats(1000), b = pass.floats(1000); });
  CHECK(together.bytes() == 2 * rounded);
}

TEST_CASE("an owner that is moved from gives nothing back, and one that takes over gives back what it held") {
  Workspace<Exec> workspace;
  auto const plan = planned(workspace, [&](TestPass& pass) {
    auto a = pass.floats(1000), b = pass.floats(1000);
    a = std::move(b);  // a's first buffer is free
    CHECK(!b.get());
    auto const c = pass.floats(1000);
    CHECK(a.get().number == 1);
    CHECK(c.get().number == 2);
  });
  CHECK(plan.bytes() == 2 * 4096);
}

TEST_CASE("what only a backward pass needs is given back when sampling") {
  for (bool training : {false, true}) {
    Workspace<Exec> workspace;
    auto const plan = planned(workspace, [&](TestPass& pass) {
      pass.training = training;
      auto kept = pass.floats(1000);
      pass.keep_for_backward(kept);
      auto const other = pass.floats(1000);
    });
    CHECK(plan.bytes() == (training ? 2 : 1) * 4096);
  }
}

TEST_CASE("an operation on a buffer that was given back is refused while planning") {
  Workspace<Exec> workspace;
  CHECK_THROWS_WITH_AS(planned(workspace,
                               [&](TestPass& pass) {
                                 auto x = pass.floats(10);
                                 Buffer<float> const still = x;
                                 x.give_back();
                                 auto const y = pass.floats(10);
                                 pass.run(kernels::Copy{10}, still, y);
                               }),
                       "internal error: copy uses a buffer that was given back", Error);
}

TEST_CASE("operations find their operands wherever they are") {
  Exec const exec;
  Workspace<Exec> workspace;
  auto const parameters = to_space<Exec>(std::vector<float>{1, 2, 3, 4}),
             gradients = to_space<Exec>(std::vector<float>{0, 0, 10, 20}),
             outside_in = to_space<Exec>(std::vector<float>{100, 200});
  auto const out = unset<Exec>(2);
  TestPass::Context context;
  void const* const outside[] = {outside_in.data(), out.data()};
  auto const steps = [&] {
    TestPass pass{.exec = exec,
                  .context = context,
                  .workspace = workspace,
                  .parameters = parameters.data(),
                  .gradients = gradients.data(),
                  .outside = outside};
    auto const sum = pass.tensor<2>({1, 1, 1});
    pass.run(kernels::Copy{2}, pass.parameter(2), sum);
    pass.run(kernels::Add{2}, Buffer<float const>{Memory::outside, 0}, sum);
    pass.run(kernels::Add{2}, pass.gradient(2), sum);
    pass.run(kernels::Copy{2}, sum, Buffer<float>{Memory::outside, 1});
    pass.run(kernels::Copy{1}, sum, pass.gradient(1));
  };
  MemoryPlan const plan = workspace.plan(steps);
  workspace.follow(plan);
  steps();
  CHECK(to_host(out) == std::vector<float>{113, 224});
  CHECK(to_host(gradients) == std::vector<float>{0, 113, 10, 20});
}

TEST_CASE("a parameter that is not trained has no place for its gradient") {
  ParameterList list;
  list.add("frozen", {3}, Initialisation::zero, 1);
  std::int64_t const trained = list.add("trained", {2}, Initialisation::zero, 1);
  ParameterSelection const selection(list, [](ParameterInfo const& info) { return info.name == "trained"; });
  Exec const exec;
  TestPass::Context context;
  Workspace<Exec> workspace;
  TestPass const pass{.exec = exec, .context = context, .workspace = workspace, .trained = &selection};
  CHECK(!pass.trains(0));
  CHECK(!pass.gradient(0));
  CHECK(pass.trains(trained));
  CHECK(pass.gradient(trained).offset == 0);
}

}  // namespace nn_pass_tests
