#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/train/classifier_checkpoint.hpp>

#include "../io/temporary_folder.hpp"
#include "../sanitized.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace train_classifier_trainer_tests {

using namespace glyphdiff;

namespace {

struct StripesClassifier {
  static constexpr UNetConfig config{.image_size = 16,
                                     .channels = 1,
                                     .model_channels = 16,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .num_head_channels = 16,
                                     .norm_groups = 8};
  static constexpr int classes_out = 2;
  static constexpr Pool pool = Pool::attention;
};

using Exec = Kokkos::DefaultHostExecutionSpace;
using Net = EncoderUNet<StripesClassifier, Exec>;
using Process = Diffusion<CosineSchedule<1000>, Epsilon, LearnedRange>;
constexpr int batch = 16, size = 16;

/// Stripes of 4 pixels, lying (0) or standing (1), at a random place; and their labels.
struct Stripes {
  std::vector<int> labels;
  HostImages images{"stripes", batch, size, size, 1};

  explicit Stripes(std::uint64_t seed) {
    for (int n = 0; n < batch; ++n) {
      labels.push_back(n % 2);
      int const shift = int(uniform_below(8, RandomKey{seed}, n));
      for (int h = 0; h < size; ++h)
        for (int w = 0; w < size; ++w)
          images(n, h, w, 0) = ((n % 2 == 0 ? h : w) + shift) / 4 % 2 == 0 ? 1.0f : -1.0f;
    }
  }
};

}  // namespace

TEST_CASE("a short training tells lying from standing stripes wherever the noise lets them be seen") {
  Exec const exec;
  Net net(exec, 1);
  ClassifierTrainer trainer(exec, net, Process(),
                            {.seed = 1, .batch = batch, .learning_rate = {.peak = 2e-3}});
  for (int step = 0; step < (test::sanitized ? 20 : 400); ++step) {
    Stripes const data(100 + step);
    trainer.step(data.images, data.labels);
  }
  // In the last tenth alpha_bar vanishes, and so do the stripes.
  double const least[] = {0.97, 0.97, 0.97, 0.97, 0.97, 0.97, 0.97, 0.95, 0.8};
  for (int tenth = 0; tenth < 9; ++tenth) {
    CAPTURE(tenth);
    double right = 0;
    for (int trial = 0; trial < 8; ++trial) {
      Stripes const data(10000 + trial);
      right += trainer.accuracy(data.images, data.labels, 100 * tenth + 50, trial) / 8;
    }
    CHECK((right >= least[tenth] || test::sanitized));
  }
}

TEST_CASE("microbatches give a classifier the same update as the whole batch") {
  Exec const exec;
  Net whole_net(exec, 2), parts_net(exec, 2);
  ClassifierTrainer whole(exec, whole_net, Process(), {.seed = 3, .batch = batch});
  ClassifierTrainer parts(exec, parts_net, Process(), {.seed = 3, .batch = batch, .microbatch = 6});
  for (int step = 0; step < 3; ++step) {
    Stripes const data(step);
    auto const a = whole.step(data.images, data.labels), b = parts.step(data.images, data.labels);
    CHECK(a.loss == doctest::Approx(b.loss).epsilon(1e-5));
    CHECK(a.accuracy == b.accuracy);
  }
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < whole.adamw().first_moment.extent(0); ++i) {
    double const moment = whole.adamw().first_moment(i);
    difference = std::max(difference, std::abs(moment - parts.adamw().first_moment(i)));
    largest = std::max(largest, std::abs(moment));
  }
  CHECK(difference < 1e-3 * largest);
}

TEST_CASE("a classifier's training goes on from its checkpoint bit for bit, and only as the same run") {
  Exec const exec;
  TemporaryFolder const folder;
  std::string const path = (folder / "classifier.safetensors").string();
  ClassifierTrainOptions const options{.seed = 3, .batch = batch};
  Net net(exec, 2), resumed_net(exec, 9), other_net(exec);
  ClassifierTrainer trainer(exec, net, Process(), options), resumed(exec, resumed_net, Process(), options);
  auto const train = [](auto& one, int steps) {
    for (int k = 0; k < steps; ++k) {
      Stripes const data(one.steps());
      one.step(data.images, data.labels);
    }
  };
  train(trainer, 2);
  save_checkpoint(path, trainer, {{"class_names", "lying,standing"}});
  train(trainer, 2);
  load_checkpoint(path, resumed, {{"class_names", "lying,standing"}});
  CHECK(resumed.steps() == 2);
  train(resumed, 2);
  for (std::size_t i = 0; i < net.parameters().extent(0); ++i)
    REQUIRE(net.parameters()(i) == resumed_net.parameters()(i));

  // In bfloat16 as well, whose rounding goes on where it was.
  ClassifierTrainOptions small = options;
  small.adamw.moments = MomentFormat::bfloat16;
  Net small_net(exec, 2), small_resumed_net(exec, 9);
  ClassifierTrainer small_trainer(exec, small_net, Process(), small),
      small_resumed(exec, small_resumed_net, Process(), small);
  train(small_trainer, 2);
  save_checkpoint((folder / "small.safetensors").string(), small_trainer);
  train(small_trainer, 2);
  load_checkpoint((folder / "small.safetensors").string(), small_resumed);
  train(small_resumed, 2);
  for (std::size_t i = 0; i < small_net.parameters().extent(0); ++i)
    REQUIRE(small_net.parameters()(i) == small_resumed_net.parameters()(i));

  ClassifierTrainer other(exec, other_net, Process(), options);
  CHECK_THROWS_WITH_AS(load_checkpoint(path, other, {{"class_names", "left,right"}}),
                       doctest::Contains("class_names"), Error);
  CHECK(other.steps() == 0);
}

TEST_CASE("a batch that doesn't fit, or is no number, leaves a classifier as it was") {
  Exec const exec;
  Net net(exec, 2);
  ClassifierTrainer trainer(exec, net, Process(), {.seed = 3, .batch = batch});
  Stripes data(1);
  CHECK_THROWS_AS(trainer.step(data.images, std::vector<int>{1, 0}), Error);
  auto labels = data.labels;
  labels[3] = 2;
  CHECK_THROWS_AS(trainer.step(data.images, labels), Error);
  data.images(0, 0, 0, 0) = NAN;
  CHECK_THROWS_AS(trainer.step(data.images, data.labels), Error);
  CHECK(trainer.steps() == 0);
  Net const fresh(exec, 2);
  for (std::size_t i = 0; i < net.parameters().extent(0); ++i)
    REQUIRE(net.parameters()(i) == fresh.parameters()(i));
  CHECK_THROWS_AS(trainer.accuracy(data.images, std::vector<int>{1, 0}, 5, 1), Error);
  data.images(0, 0, 0, 0) = 1;
  CHECK(std::isfinite(trainer.step(data.images, data.labels).loss));
}

TEST_CASE("a rehearsal changes no bit of a classifier's training") {
  Exec const exec;
  Net net(exec, 2), rehearsed_net(exec, 2);
  ClassifierTrainOptions const options{.seed = 3, .batch = batch, .microbatch = 5};
  ClassifierTrainer trainer(exec, net, Process(), options),
      rehearsed(exec, rehearsed_net, Process(), options);
  for (int step = 0; step < 2; ++step) {
    rehearsed.rehearse(size, size);
    CHECK(rehearsed.steps() == step);
    Stripes const data(step);
    CHECK(trainer.step(data.images, data.labels).loss == rehearsed.step(data.images, data.labels).loss);
  }
  for (std::size_t i = 0; i < net.parameters().extent(0); ++i)
    REQUIRE(net.parameters()(i) == rehearsed_net.parameters()(i));
}

}  // namespace train_classifier_trainer_tests
