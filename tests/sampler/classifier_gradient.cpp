#include "../encoder_unet/encoder_check.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/sampler/classifier_gradient.hpp>
#include <glyphdiff/sampler/ddim.hpp>
#include <glyphdiff/sampler/ddpm.hpp>
#include <glyphdiff/sampler/guidance.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>

namespace sampler_classifier_gradient_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

struct Tiny {
  static constexpr UNetConfig config{.image_size = 8,
                                     .model_channels = 8,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .num_head_channels = 8,
                                     .norm_groups = 4};
  static constexpr int classes_out = 4;
  static constexpr Pool pool = Pool::attention;
};

}  // namespace

TEST_CASE_TEMPLATE("the gradient of log p(y | x_t) by the image", On, GLYPHDIFF_TEST_LAYER_BACKENDS) {
  using Exec = typename On::Exec;
  Classification<On, Tiny> problem({3, 8, 8});
  problem.set_parameters();
  std::vector<int> const labels{2, 0, 3};
  ClassifierGradient classifier(problem.net);
  auto const out = problem.unset_images();
  auto const logarithms =
      classifier.gradient(problem.exec, problem.images(problem.image), problem.timesteps, labels, out);

  typename Classification<On, Tiny>::Net::Evaluator evaluator(problem.net);
  auto const logits = problem.unset_logits();
  auto const losses = [&] {
    evaluator(problem.exec, problem.images(problem.image), problem.timesteps, logits);
    return cross_entropy(problem.exec, logits, labels, {}, Logits<Exec>()).loss;
  };
  auto const expected = losses();
  for (int n = 0; n < 3; ++n) CHECK(logarithms[n] == -expected[n]);
  auto const log_likelihood = [&] {
    double sum = 0;
    for (double loss : losses()) sum -= loss;
    return sum;
  };
  auto const gradient = to_host(out);
  CHECK(check_gradient(log_likelihood, problem.image, gradient, 1e-2f, 8).worst < 3e-3);

  // An image's gradient is its own business.
  auto const other = problem.unset_images();
  classifier.gradient(problem.exec, problem.images(problem.image), problem.timesteps,
                      std::vector<int>{2, 1, 3}, other);
  auto const changed = to_host(other);
  std::size_t const image = gradient.size() / 3;
  CHECK(std::equal(gradient.begin(), gradient.begin() + image, changed.begin()));
  CHECK(!std::equal(gradient.begin() + image, gradient.begin() + 2 * image, changed.begin() + image));
  CHECK_THROWS_AS(classifier.gradient(problem.exec, problem.images(problem.image), problem.timesteps,
                                      std::vector<int>{2, 4, 3}, other),
                  Error);
}

TEST_CASE("a classifier guides samplers towards the classes that were set") {
  using On = ParallelVectorised;
  using Exec = On::Exec;
  using Source = ClassifierGradient<Classification<On, Tiny>::Net>;
  static_assert(GradientSource<Source, Exec>);
  Classification<On, Tiny> problem({3, 8, 8});
  problem.set_parameters();
  std::vector<int> const labels{2, 0, 3};
  auto const model = [](Exec const&, Images<Exec> const&, std::span<float const>, Images<Exec> const& out) {
    Kokkos::deep_copy(out, 0.0f);
  };
  ContinuousDiffusion<ContinuousCosine, V> const diffusion(10);
  auto const likelihoods = [&](bool ancestral, double scale) {
    Source source(problem.net);
    source.set_labels(labels);
    ClassifierGuidance<Exec, decltype(model), Source> guided(problem.exec, model, std::move(source), scale);
    auto const x = problem.unset_images(), unused = problem.unset_images();
    if (ancestral)
      ddpm_sample(problem.exec, diffusion, guided, x, SeededNoise{5});
    else
      ddim_sample(problem.exec, diffusion, guided, x, SeededNoise{5});
    return Source(problem.net).gradient(problem.exec, x, std::vector<float>(3, 0.0f), labels, unused);
  };
  for (bool ancestral : {false, true}) {
    CAPTURE(ancestral);
    auto const free = likelihoods(ancestral, 0), guided = likelihoods(ancestral, 1);
    for (int n = 0; n < 3; ++n) CHECK(guided[n] > free[n]);
  }
}

}  // namespace sampler_classifier_gradient_tests
