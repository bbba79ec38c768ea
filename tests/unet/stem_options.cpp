#include "unet_check.hpp"

namespace unet_stem_options_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

struct Folded {
  static constexpr UNetConfig config{.image_size = 16,
                                     .channels = 3,
                                     .model_channels = 4,
                                     .channel_mult = {1, 1},
                                     .res_blocks = 1,
                                     .norm_groups = 2,
                                     .space_to_depth = 2};
};
struct Coordinates {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .learned_sigma = true,
                                     .model_channels = 4,
                                     .channel_mult = {1, 1},
                                     .res_blocks = 1,
                                     .norm_groups = 2,
                                     .space_to_depth = 2,
                                     .coordinate_channels = true};
};
struct Classes {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 4,
                                     .channel_mult = {1},
                                     .res_blocks = 1,
                                     .dropout = 0.25,
                                     .classes = 3,
                                     .norm_groups = 2,
                                     .coordinate_channels = true};
};
struct Conditioned {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 2,
                                     .model_channels = 4,
                                     .channel_mult = {1, 1},
                                     .res_blocks = 1,
                                     .classes = 4,
                                     .condition_channels = 3,
                                     .norm_groups = 2,
                                     .space_to_depth = 2,
                                     .coordinate_channels = true};
};

}  // namespace

TEST_CASE("a space-to-depth stem") { check_unet<SingleVectorised, Folded>({2, 16, 8}); }

TEST_CASE("coordinate channels") { check_unet<SingleVectorised, Coordinates>({2, 8, 12}); }

TEST_CASE("classes and dropout") { check_unet<SingleVectorised, Classes>({3, 4, 5}); }

TEST_CASE("a condition beside the image") { check_unet<SingleVectorised, Conditioned>({3, 8, 12}); }

TEST_CASE("no class adds nothing, and leaves the classes' gradient alone") {
  Problem<SingleVectorised, Conditioned> problem({2, 8, 8});
  problem.labels = {no_class, no_class};
  auto const before = problem.train();
  auto const& info = problem.net.parameter_list()["label_emb.weight"];
  for (std::int64_t i = info.offset; i < info.offset + info.count; ++i) {
    CHECK(before.gradients[i] == 0);
    problem.parameters[i] += 1;
  }
  CHECK(same_bits(problem.train().out, before.out));
  problem.labels = {no_class, 1};
  CHECK(!same_bits(problem.train().out, before.out));
}

TEST_CASE("an evaluation that lacks its condition is refused") {
  Problem<SingleVectorised, Conditioned> problem({2, 8, 8});
  Problem<SingleVectorised, Conditioned>::Net::Evaluator evaluator(problem.net);
  evaluator.set_labels(problem.labels);
  auto const x = problem.unset_images(2), out = problem.unset_images(2);
  CHECK_THROWS_WITH_AS(evaluator(problem.exec, x, problem.timesteps, out),
                       "UNet condition: expected (2, 8, 8, 3), found (0, 0, 0, 0)", Error);
  evaluator.set_condition(problem.unset_images(3));
  CHECK_THROWS_AS(evaluator(problem.exec, problem.unset_images(5), problem.timesteps, out), Error);
  CHECK_NOTHROW(evaluator(problem.exec, x, problem.timesteps, out));
}

TEST_CASE("dropout depends on its key alone, and evaluation has none") {
  Problem<SingleVectorised, Classes> problem({3, 4, 4});
  auto const first = problem.train();
  CHECK(same_bits(first.out, problem.train().out));
  CHECK(!same_bits(first.out, problem.evaluate()));
  problem.dropout.step = 6;
  CHECK(!same_bits(first.out, problem.train().out));

  // The second and third samples of a batch, on their own.
  problem.dropout.step = 5;
  Problem<SingleVectorised, Classes> rest({2, 4, 4});
  rest.image.assign(problem.image.begin() + 16, problem.image.end());
  rest.timesteps.assign(problem.timesteps.begin() + 1, problem.timesteps.end());
  rest.labels.assign(problem.labels.begin() + 1, problem.labels.end());
  rest.dropout.first_sample = problem.dropout.first_sample + 1;
  std::vector<float> const expected(first.out.begin() + 16, first.out.end());
  CHECK(relative_error(rest.train().out, expected) < 1e-5);
}

}  // namespace unet_stem_options_tests
