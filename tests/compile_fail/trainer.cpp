// Networks, diffusions and timestep samplers that do not go together.
#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/train/trainer.hpp>

using namespace glyphdiff;

struct Spec {
  static constexpr UNetConfig config{
#if CASE == 1  // expects: Trainer: learned_sigma of the network and LearnedRange of the diffusion go together
      .learned_sigma = true,
#endif
  };
};
using Net = UNet<Spec>;

#if CASE == 2  // expects: Trainer: learned_sigma of the network and LearnedRange of the diffusion go together
using D = Diffusion<LinearSchedule<>, Epsilon, LearnedRange>;
#elif CASE == 3  // expects: Trainer: discrete diffusions take UniformTimesteps or LossSecondMoment, continuous ones StratifiedTimesteps
using D = ContinuousDiffusion<ContinuousCosine>;
#else
using D = Diffusion<LinearSchedule<>>;
#endif

#if CASE == 4  // expects: Trainer: discrete diffusions take UniformTimesteps or LossSecondMoment, continuous ones StratifiedTimesteps
using Timesteps = StratifiedTimesteps;
#else
using Timesteps = UniformTimesteps;
#endif

#if CASE == 5  // expects: Objective: one of Mse, RescaledMse, Kl and RescaledKl, since a loss of another type's own would not be called
struct Objective : Mse {
  static double loss(double error) { return error; }
};
#else
using Objective = Mse;
#endif

std::int64_t steps(Trainer<Net, D, Objective, Timesteps> const& trainer) { return trainer.steps(); }
