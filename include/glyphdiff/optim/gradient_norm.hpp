#pragma once

#include <glyphdiff/kernels/optimizer.hpp>
#include <glyphdiff/kernels/runner.hpp>
#include <glyphdiff/tensor.hpp>

#include <cstdint>

namespace glyphdiff {

/// L2 norm of a whole gradient, summed in double in a fixed order: the same bits for any number of threads.
/// It is infinite or NaN if and only if one of the gradients is, so it is also the test that stops a broken
/// run.
template <class Exec>
class GradientNorm {
 public:
  GradientNorm() = default;
  GradientNorm(GradientNorm&&) = default;  // a copy would share the partial sums
  GradientNorm& operator=(GradientNorm&&) = default;

  /// Waits for the result. `exec`: an execution space instance or a Runner.
  template <class On>
  double operator()(On const& exec, Arena<Exec> const& gradients) {
    auto&& runner = runner_on(exec);
    auto& results = runner.results();
    results.clear();
    auto const outcome = results.template add<kernels::UpdateOutcome>(1);
    results.make_room();
    launch(runner, gradients, 0, nullptr, 0, results.device(outcome));
    results.download(runner);
    fence(runner, "the gradient's norm to the host");
    return results.host(outcome)[0].gradient_norm;
  }

  /// Assigns, in the space's memory, what the norm, so many losses (sums in any unit) and max_norm, the
  /// largest norm of a gradient (0: no clipping), make of an update.
  template <class On>
  void launch(On const& exec, Arena<Exec> const& gradients, std::int64_t losses, double const* loss,
              double max_norm, kernels::UpdateOutcome* outcome) {
    std::int64_t const count = std::int64_t(gradients.extent(0)),
                       sums = kernels::square_sums<typename BackendOf<On, On>::type>(count);
    if (std::int64_t(partial_.extent(0)) != sums)
      partial_ =
          Partial(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::gradient_norm::partial"), sums);
    run(exec, kernels::SumOfSquares{count}, gradients.data(), partial_.data());
    run(exec, kernels::FindOutcome{sums, losses, max_norm}, partial_.data(), loss, outcome);
  }

 private:
  using Partial = Kokkos::View<double*, Kokkos::LayoutRight, typename Exec::memory_space>;
  Partial partial_;
};

/// The factor that brings a gradient of this norm down to max_norm. Hand it to AdamW as its gradient_scale.
using kernels::clip_factor;

}  // namespace glyphdiff
