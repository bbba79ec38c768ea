#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/kernels/optimizer.hpp>
#include <glyphdiff/tensor.hpp>

#include <cmath>
#include <vector>

namespace glyphdiff {

/// L2 norm of a whole gradient, summed in double in a fixed order: the same bits for any number of threads.
/// It is infinite or NaN if and only if one of the gradients is, so it is also the test that stops a broken
/// run.
template <class Exec>
class GradientNorm {
 public:
  /// Makes room for the partial sums of arenas of `count` values.
  explicit GradientNorm(std::int64_t count)
      : partial_("glyphdiff::gradient_norm::partial", kernels::square_sums<Path>(count)) {}

  GradientNorm(GradientNorm&&) = default;  // a copy would share the partial sums
  GradientNorm& operator=(GradientNorm&&) = default;

  /// Waits for the result. `gradients` must have the size the object was made for.
  double operator()(Exec const& exec, Arena<Exec> const& gradients) const {
    kernels::sum_of_squares<Path>(exec, std::int64_t(gradients.extent(0)), gradients.data(), partial_.data());
    std::vector<double> on_host(partial_.extent(0));
    copy_values(exec, HostValues(on_host.data(), on_host.size()), partial_);
    exec.fence();
    double sum = 0;
    for (double const part : on_host) sum += part;
    return std::sqrt(sum);
  }

 private:
  using Path = kernels::DefaultPath<Exec>;
  Kokkos::View<double*, Kokkos::LayoutRight, typename Exec::memory_space> partial_;
};

/// The factor that brings a gradient of this norm down to max_norm: min(1, max_norm / (norm + 1e-6)), as in
/// PyTorch. Hand it to AdamW as its gradient_scale. NaN for a NaN norm; check the norm with is_finite
/// before.
inline double clip_factor(double norm, double max_norm) {
  double const factor = max_norm / (norm + 1e-6);
  return factor > 1.0 ? 1.0 : factor;
}

}  // namespace glyphdiff
