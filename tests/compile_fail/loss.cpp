// Losses that a continuous diffusion has not.
#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/loss/bits_per_dimension.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>

using namespace glyphdiff;
using Exec = Kokkos::DefaultExecutionSpace;

void lose(Exec const& exec, ContinuousDiffusion<ContinuousCosine> const& diffusion, Images<Exec> const& x) {
  auto const model = [](Exec const&, Images<Exec> const&, std::span<float const>, Images<Exec> const&) {};
  (void)model;
#if CASE == 1  // expects: the variational bound needs a discrete diffusion: use Mse with a continuous one
  training_loss<Kl>(exec, diffusion, {}, {}, x, x, x, x);
#elif CASE == 2  // expects: bits per dimension need a discrete diffusion
  bits_per_dimension(exec, diffusion, model, x, 0);
#else
  training_loss<Mse>(exec, diffusion, {}, {}, x, x, x, x);
#endif
}
