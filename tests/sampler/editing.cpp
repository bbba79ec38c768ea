// What composes with every sampler: starts from images, inpainting; and interpolation.
#include "../arenas.hpp"
#include "../golden/golden.hpp"
#include "mixture.hpp"
#include "samplers.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/sampler/inpainting.hpp>
#include <glyphdiff/sampler/interpolation.hpp>
#include <glyphdiff/sampler/spacing.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>

#include <doctest/doctest.h>

namespace sampler_editing_tests {

using namespace glyphdiff::test;
using namespace glyphdiff;

namespace {

using Exec = Kokkos::DefaultHostExecutionSpace;
using Cosine = ContinuousDiffusion<ContinuousCosine, V>;

NoiseLevel cosine_level(float t) { return ContinuousCosine::level(t / 1000.0); }
MixtureDenoiser<V> const model{cosine_level};

Images<Exec> filled(int n, int h, int w, int c, float value) {
  Images<Exec> const x("x", n, h, w, c);
  Kokkos::deep_copy(x, value);
  return x;
}

/// The network of a picture of two pixels that are equal, N(0, 1/4) both.
struct Twins {
  void operator()(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
                  Images<Exec> const& out) const {
    exec.fence();
    auto const l = cosine_level(timesteps[0]);
    for (int n = 0; n < int(x.extent(0)); ++n) {
      double const sum = double(x(n, 0, 0, 0)) + x(n, 0, 1, 0);
      double const x0 = l.alpha * 0.25 * sum / (2 * l.alpha * l.alpha * 0.25 + l.sigma * l.sigma);
      for (int w = 0; w < 2; ++w)
        out(n, 0, w, 0) = float(l.alpha * (x(n, 0, w, 0) - l.alpha * x0) / l.sigma - l.sigma * x0);
    }
  }
};

}  // namespace

TEST_CASE("from an image at a strength: little keeps it, all of it forgets it") {
  Cosine const diffusion(100);
  CHECK(last_steps(diffusion, 1).sampling_steps().size() == 100);
  CHECK(last_steps(diffusion, 0.3).sampling_steps().size() == 30);
  CHECK(last_steps(diffusion, 0.3).sampling_steps().front().timestep == doctest::Approx(300));
  CHECK(last_steps(diffusion, 1e-9).sampling_steps().size() == 1);
  CHECK_THROWS_AS(last_steps(diffusion, 0), Error);
  CHECK_THROWS_AS(last_steps(diffusion, 1.1), Error);
  for_each_sampler([&](std::string const& name, bool, auto const& sample) {
    CAPTURE(name);
    auto const edited = [&](double strength) {
      auto const image = filled(1, 32, 32, 1, -0.6f), x = filled(1, 32, 32, 1, NAN);
      auto const plan = last_steps(diffusion, strength);
      sample(Exec(), plan, model, x, noised_to_start(Exec(), plan, image, SeededNoise{3}), false,
             NoProgress{});
      return moments(x).mean;
    };
    CHECK(edited(0.05) == doctest::Approx(-0.6).epsilon(0.02));  // the nearer of the two Gaussians' means
    CHECK(std::abs(edited(1) - (0.65 * 0.5 - 0.35 * 0.6)) < 0.07);
  });
}

TEST_CASE("a start at a level is a draw of q") {
  auto const image = filled(1, 32, 32, 4, 0.5f), x = filled(1, 32, 32, 4, NAN);
  StartFrom<Exec> start{image, {0.8, 0.6}, SeededNoise{1}};
  static_assert(NoiseSource<StartFrom<Exec>, Exec>);
  start.start(Exec(), x);
  CHECK(moments(x).mean == doctest::Approx(0.4).epsilon(0.03));
  CHECK(moments(x).variance == doctest::Approx(0.36).epsilon(0.05));
  StartFrom<Exec>{image}.start(Exec(), x);
  CHECK(moments(x).mean == 0.5);
  CHECK(moments(x).variance == 0);
}

TEST_CASE("inpainting keeps what is known, and what it fills in fits") {
  Exec const exec;
  int const count = 400;
  Images<Exec> const known("known", count, 1, 2, 1), mask("mask", count, 1, 2, 1);
  for (int n = 0; n < count; ++n) {
    known(n, 0, 0, 0) = -0.8f + 1.6f * n / (count - 1);
    known(n, 0, 1, 0) = 7;  // must not count
    mask(n, 0, 1, 0) = 1;
  }
  auto const slope_and_error = [&](auto const& sample, int times, int steps) {
    auto const plan = repeated(Cosine(steps), times);
    auto const x = filled(count, 1, 2, 1, NAN);
    sample(exec, plan, Twins{}, x, SeededNoise{1}, false, Inpainting(exec, plan, known, mask, {2}));
    double product = 0, left = 0, error = 0;
    for (int n = 0; n < count; ++n) {
      CHECK(x(n, 0, 0, 0) == known(n, 0, 0, 0));
      product += double(x(n, 0, 0, 0)) * x(n, 0, 1, 0);
      left += double(x(n, 0, 0, 0)) * x(n, 0, 0, 0);
      error += std::pow(double(x(n, 0, 0, 0)) - x(n, 0, 1, 0), 2);
    }
    return std::pair(product / left, std::sqrt(error / count));
  };
  for_each_sampler([&](std::string const& name, bool, auto const& sample) {
    CAPTURE(name);
    auto const [slope, error] = slope_and_error(sample, 5, 30);
    CAPTURE(slope);
    CAPTURE(error);
    CHECK(slope > 0.8);
    CHECK(error < 0.25);
  });
  // Going back makes the parts agree better than one way through.
  auto const ddpm = [](auto const& on, auto const& plan, auto const& net, auto const& x, auto const& noise,
                       bool clip,
                       auto&& hook) { ddpm_sample(on, plan, net, x, noise, {.clip_x0 = clip}, hook); };
  CHECK(slope_and_error(ddpm, 8, 20).second < 0.7 * slope_and_error(ddpm, 1, 20).second);

  CHECK(repeated(Cosine(4), 3).sampling_steps().size() == 10);
  CHECK_THROWS_AS(repeated(Cosine(4), 0), Error);
  CHECK_THROWS_AS(Inpainting(exec, Cosine(4), known, filled(count, 1, 1, 1, 0), {}), Error);
}

TEST_CASE("going back a step is a draw of q") {
  Exec const exec;
  auto const plan = repeated(Cosine(4), 2);  // t = 1, 1, 3/4, 3/4, ...
  auto const here = plan.sampling_steps()[3].here, next = plan.sampling_steps()[2].next;
  auto const image = filled(1, 64, 64, 4, 0.5f), all = filled(1, 64, 64, 1, 1), x = filled(1, 64, 64, 4, NAN);
  Inpainting hook(exec, plan, image, all, {1});
  StartFrom<Exec>{image, next, SeededNoise{2}}.start(exec, x);
  hook(3, 7, x);
  CHECK(std::abs(moments(x).mean - 0.5 * here.alpha) < 0.03);
  CHECK(moments(x).variance == doctest::Approx(here.sigma * here.sigma).epsilon(0.02));
  StartFrom<Exec>{image, next, SeededNoise{2}}.start(exec, x);
  hook(4, 7, x);  // the next step begins where this one led to
  CHECK(moments(x).variance == doctest::Approx(next.sigma * next.sigma).epsilon(0.02));
}

TEST_CASE("inpainting doesn't depend on the batch, and reports further") {
  Exec const exec;
  Cosine const diffusion(6);
  auto const run = [&](int count, std::uint64_t first) {
    auto const known = filled(count, 3, 3, 1, 0.5f), x = filled(count, 3, 3, 1, NAN);
    auto const mask = filled(count, 3, 3, 1, 1);
    for (int n = 0; n < count; ++n) mask(n, 1, 1, 0) = 0;
    int calls = 0;
    auto const report = [&](int done, int, Images<Exec> const&) { CHECK(done == ++calls); };
    ddpm_sample(exec, diffusion, model, x, SeededNoise{1, first}, {},
                Inpainting(exec, diffusion, known, mask, {1, first}, report));
    CHECK(calls == 6);
    return golden::from_images(x)[count - 1].values;
  };
  CHECK(run(3, 5) == run(1, 7));
  CHECK(run(1, 7) != run(1, 8));
}

TEST_CASE_TEMPLATE("spherical interpolation", On, GLYPHDIFF_TEST_SPACES) {
  On const exec;
  Images<On> const a("a", 1, 16, 16, 3), b("b", 1, 16, 16, 3), x("x", 3, 16, 16, 3);
  SeededNoise{1}.start(exec, a);
  SeededNoise{2}.start(exec, b);
  std::vector<double> const fractions{0, 0.5, 1};
  slerp<On>(exec, a, b, fractions, x);
  auto const between = golden::from_images(x), first = golden::from_images(a),
             second = golden::from_images(b);
  CHECK(between[0].values == first[0].values);
  CHECK(between[2].values == second[0].values);
  double squares = 0, to_first = 0, to_second = 0;
  for (int i = 0; i < 768; ++i) {
    squares += std::pow(between[1].values[i], 2);
    to_first += double(between[1].values[i]) * first.values[i];
    to_second += double(between[1].values[i]) * second.values[i];
  }
  CHECK(squares / 768 == doctest::Approx(1).epsilon(0.1));  // still noise: the mean would have half of it
  CHECK(to_first / to_second == doctest::Approx(1).epsilon(0.15));
  CHECK(to_first / 768 == doctest::Approx(std::sqrt(0.5)).epsilon(0.1));
  Images<On> const same("same", 3, 16, 16, 3);
  slerp<On>(exec, a, a, fractions, same);
  for (int i = 0; i < 768; ++i)
    CHECK(golden::from_images(same)[1].values[i] == doctest::Approx(first.values[i]).epsilon(1e-6));
  CHECK_THROWS_AS(slerp<On>(exec, a, b, std::vector<double>{0.5}, x), Error);
  CHECK_THROWS_AS(slerp<On>(exec, a, Images<On>("two", 2, 16, 16, 3), fractions, x), Error);
}

TEST_CASE("between two images: the ends are the images") {
  Exec const exec;
  Cosine const diffusion(400);
  Images<Exec> const a("a", 1, 4, 4, 1), b("b", 1, 4, 4, 1), x("x", 3, 4, 4, 1);
  for (int i = 0; i < 16; ++i) a.data()[i] = -0.8f + 0.1f * i, b.data()[i] = 0.6f - 0.02f * i;
  ddim_interpolate<Exec>(exec, diffusion, model, a, b, std::vector{0.0, 0.5, 1.0}, x, {.clip_x0 = false});
  for (int i = 0; i < 16; ++i) {
    CHECK(std::abs(x.data()[i] - a.data()[i]) < 0.02);
    CHECK(std::abs(x.data()[32 + i] - b.data()[i]) < 0.02);
  }
}

}  // namespace sampler_editing_tests
