// Diffusions that do not exist.
#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>

using namespace glyphdiff;

#if CASE == 1  // expects: ContinuousDiffusion has no learned variance: use FixedSmall or FixedLarge
ContinuousDiffusion<ContinuousCosine, V, LearnedRange> diffusion;
#elif CASE == 2  // expects: LinearSchedule<T> needs at least two timesteps
Diffusion<LinearSchedule<1>> diffusion;
#elif CASE == 3  // expects: CosineSchedule<T> needs at least two timesteps
Diffusion<CosineSchedule<0>> diffusion;
#else
ContinuousDiffusion<ContinuousCosine> diffusion;
Diffusion<LinearSchedule<2>, Epsilon, LearnedRange> other;
#endif
