#pragma once

#include <glyphdiff/kernels/diffusion.hpp>
#include <glyphdiff/sampler/denoiser.hpp>

#include <utility>

namespace glyphdiff {

/// Classifier-free guidance (Ho & Salimans 2022, equation 6, whose w is scale - 1): the prediction becomes
/// unconditional + scale (conditional - unconditional), which is the same for eps, x0 and v; variance
/// channels stay the conditional model's. A Denoiser made of two, which it calls one after the other.
template <class Exec, Denoiser<Exec> Conditional, Denoiser<Exec> Unconditional>
class ClassifierFreeGuidance {
 public:
  ClassifierFreeGuidance(Exec const&, Conditional conditional, Unconditional unconditional,
                         double guidance_scale)
      : conditional_(std::move(conditional)),
        unconditional_(std::move(unconditional)),
        scale_(guidance_scale) {}

  void operator()(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
                  Images<Exec> const& output) {
    conditional_(exec, x, timesteps, output);
    if (scale_ == 1) return;
    if (scratch_.size() != output.size())
      scratch_ = Images<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::guidance::output"),
                              output.extent(0), output.extent(1), output.extent(2), output.extent(3));
    unconditional_(exec, x, timesteps, scratch_);
    kernels::guide(exec, x.extent(0) * x.extent(1) * x.extent(2), static_cast<int>(x.extent(3)),
                   static_cast<int>(output.extent(3)), static_cast<float>(scale_), scratch_.data(),
                   output.data());
  }

 private:
  Conditional conditional_;
  Unconditional unconditional_;
  double scale_;
  Images<Exec> scratch_;
};

}  // namespace glyphdiff
