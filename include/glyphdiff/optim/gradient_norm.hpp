#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/kernels/optimizer.hpp>
#include <glyphdiff/kernels/runner.hpp>
#include <glyphdiff/tensor.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

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
    std::int64_t const count = std::int64_t(gradients.extent(0));
    auto const sums = std::size_t(kernels::square_sums<typename BackendOf<On, On>::type>(count));
    if (partial_.extent(0) != sums) {
      partial_ = Partial("glyphdiff::gradient_norm::partial", sums);
      on_host_.resize(sums);
    }
    run(exec, kernels::SumOfSquares{count}, gradients.data(), partial_.data());
    copy_values(exec, HostValues(on_host_.data(), sums), partial_);
    exec.fence();
    double sum = 0;
    for (double const part : on_host_) sum += part;
    return std::sqrt(sum);
  }

 private:
  using Partial = Kokkos::View<double*, Kokkos::LayoutRight, typename Exec::memory_space>;
  Partial partial_;
  std::vector<double> on_host_;
};

/// The factor that brings a gradient of this norm down to max_norm: min(1, max_norm / (norm + 1e-6)), as in
/// PyTorch. Hand it to AdamW as its gradient_scale. NaN for a NaN norm; check the norm with is_finite
/// before.
inline double clip_factor(double norm, double max_norm) {
  double const factor = max_norm / (norm + 1e-6);
  return factor > 1.0 ? 1.0 : factor;
}

}  // namespace glyphdiff
