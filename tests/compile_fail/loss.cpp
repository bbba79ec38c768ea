// Losses that a continuous diffusion has not, and objectives that would be taken for others.
#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/loss/bits_per_dimension.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>

using namespace glyphdiff;
using Exec = Kokkos::DefaultExecutionSpace;

struct Huber {
  static constexpr bool squared_error = true;
  static double bound_scale(int) { return 1; }
  static double loss(double error) { return error; }
};

void lose(Exec const& exec, ContinuousDiffusion<ContinuousCosine> const& diffusion, Images<Exec> const& x) {
  auto const model = [](Exec const&, Images<Exec> const&, std::span<float const>, Images<Exec> const&) {};
  (void)model;
#if CASE == 1  // expects: the variational bound needs a discrete diffusion: use Mse with a continuous one
  training_loss<Kl>(exec, diffusion, {}, {}, x, x, x, x);
#elif CASE == 2  // expects: bits per dimension need a discrete diffusion
  bits_per_dimension(exec, diffusion, model, x, 0);
#elif CASE == 3  // expects: Objective: one of Mse, RescaledMse, Kl and RescaledKl, since a loss of another type's own would not be called
  training_loss<Huber>(exec, diffusion, {}, {}, x, x, x, x);
#elif CASE == 4  // expects: Objective: one of Mse, RescaledMse, Kl and RescaledKl, since a loss of another type's own would not be called
  struct HuberMse : Mse {
    static double loss(double error) { return error; }
  };
  training_loss<HuberMse>(exec, diffusion, {}, {}, x, x, x, x);
#else
  training_loss<Mse>(exec, diffusion, {}, {}, x, x, x, x);
#endif
}
