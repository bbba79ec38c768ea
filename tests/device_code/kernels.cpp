// What a device computes beside the network: random numbers, the optimiser, the diffusion process, the losses
// and the samplers' steps, for the execution space CUDA. Compiled to PTX and looked at by `run`; never
// executed.
#include <glyphdiff/kernels/diffusion.hpp>
#include <glyphdiff/kernels/optimizer.hpp>
#include <glyphdiff/kernels/random.hpp>
#include <glyphdiff/kernels/sampling.hpp>

using namespace glyphdiff::kernels;
using Exec = Kokkos::Cuda;

void random_numbers(Exec const& exec, float* x) {
  fill_normal(exec, x, 2, 5, {1});
  fill_uniform(exec, x, 2, 5, {1});
}

void optimiser(Exec const& exec, float* p, float* g, std::uint16_t* moment, double* sums,
               UpdateOutcome* outcome) {
  adamw_update<Portable>(exec, 5, p, g, p, p, {}, {});
  adamw_update_bfloat16<Portable>(exec, 5, p, g, moment, moment, {}, {});
  ema_update<Portable>(exec, 5, p, {}, {});
  sum_of_squares<Portable>(exec, 5, p, sums);
  add_partials(exec, 5, sums, 2, sums);
  find_outcome(exec, 5, sums, 5, sums, 1, outcome);
}

void process_and_losses(Exec const& exec, float* x, LossCoefficients const* of) {
  combine<Portable>(exec, 2, 3, 1, x, x, 1, x, 1.0f, x);  // q_sample
  LossLayout const layout{3, 1, 2};
  sum_per_sample(exec, 2, 3, SquaredError{x, x, x, of, x, layout});
  sum_per_sample(exec, 2, 3, VariationalBound{x, x, x, of, x, layout, 1.0f, true, true});
  sum_per_sample(exec, 2, 3, SquaredValue{x, layout});
}

void sampling(Exec const& exec, float* x, float const* mask) {
  estimate<Portable>(exec, 3, 1, nullptr, x, x, 2, x, x);
  sum_terms<Portable>(exec, 3, {}, mask, x);
  ancestral_step<Portable>(exec, 3, 1, nullptr, x, 2, x, x, x);
  guide<Portable>(exec, 3, 1, 2, 1.5f, x, x);
  keep_where<Portable>(exec, 3, 1, mask, x, x);
  blend<Portable>(exec, 2, 3, {x, x, 3, 0}, mask, x);
  sum_per_sample(exec, 2, 3, PairProduct{{x, x, 3, 0}});
}
