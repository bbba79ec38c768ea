#include "../allocations.hpp"
#include "../arrays.hpp"
#include "../spaces.hpp"

#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <numeric>
#include <optional>

namespace train_trainer_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

struct Tiny {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .learned_sigma = true,
                                     .model_channels = 8,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .attention_resolutions = {4},
                                     .num_heads = 2,
                                     .dropout = 0.1,
                                     .classes = 3,
                                     .norm_groups = 4};
};

using Discrete = Diffusion<CosineSchedule<4>, Epsilon, LearnedRange>;

HostImages letters(int count, int channels = 1, int size = 8) {
  HostImages const images("letters", count, size, size, channels);
  auto const numbers = values(images.size(), 1);
  std::copy(numbers.begin(), numbers.end(), images.data());
  return images;
}

std::vector<int> const labels{0, 1, 2, 2, 1, 0};

/// A network, made anew, and its trainer, over batches of six.
template <class Exec, class Objective = RescaledMse, class TimestepSampler = UniformTimesteps>
struct Run {
  using Net = UNet<Tiny, Exec>;
  using Coach = Trainer<Net, Discrete, Objective, TimestepSampler>;
  Net net{Exec(), 1};
  Coach trainer;

  explicit Run(TrainOptions options) : trainer(Exec(), net, Discrete(), with_batch(options)) {}

  static TrainOptions with_batch(TrainOptions options) {
    options.batch = 6;
    options.ema_rates = {0.5, 0.9};
    return options;
  }
  StepReport step() { return trainer.step(letters(6), labels); }
  /// Everything that training changes.
  std::vector<float> state() {
    auto all = joined({to_host(net.parameters()), to_host(trainer.adamw().first_moment),
                       to_host(trainer.adamw().second_moment)});
    for (auto const& average : trainer.ema().averages()) all = joined({all, to_host(average.values)});
    return all;
  }
};

using Exec = Kokkos::DefaultExecutionSpace;

/// AdamW with updates nearly proportional to the gradient, which doesn't turn rounding into whole updates.
TrainOptions proportional() {
  TrainOptions options;
  options.learning_rate.peak = 0.1;
  options.adamw.eps = 1.0;
  return options;
}

double norm(std::vector<float> const& v) {
  double squares = 0;
  for (float x : v) squares += double(x) * x;
  return std::sqrt(squares);
}

}  // namespace

TEST_CASE("microbatches give what the whole batch gives") {
  Run<Exec> whole(proportional());
  StepReport expected;
  for (int step = 0; step < 3; ++step) expected = whole.step();
  for (int microbatch : {1, 2, 4, 6, 100}) {  // four and two; more than there are
    CAPTURE(microbatch);
    auto options = proportional();
    options.microbatch = microbatch;
    Run<Exec> cut(options);
    StepReport found;
    for (int step = 0; step < 3; ++step) found = cut.step();
    CHECK(found.loss == doctest::Approx(expected.loss).epsilon(1e-5));
    CHECK(found.vb == doctest::Approx(expected.vb).epsilon(1e-5));
    CHECK(found.gradient_norm == doctest::Approx(expected.gradient_norm).epsilon(1e-4));
    REQUIRE(found.losses.size() == 6);
    for (int n = 0; n < 6; ++n) CHECK(found.losses[n] == doctest::Approx(expected.losses[n]).epsilon(1e-5));
    CHECK(relative_error(cut.state(), whole.state()) < 1e-5);
  }
}

TEST_CASE("a rehearsal changes no bit of a run, before its first step or between two") {
  auto options = proportional();
  for (int microbatch : {0, 4}) {
    options.microbatch = microbatch;
    Run<Exec, RescaledMse, LossSecondMoment> plain(options), rehearsed(options);
    for (int step = 0; step < 3; ++step) {
      rehearsed.trainer.rehearse(8, 8);
      rehearsed.trainer.rehearse(8, 8);
      CHECK(rehearsed.trainer.steps() == step);
      StepReport const expected = plain.step(), found = rehearsed.step();
      CHECK(found.loss == expected.loss);
      CHECK(found.gradient_norm == expected.gradient_norm);
    }
    CHECK(same_bits(plain.state(), rehearsed.state()));
    CHECK(plain.trainer.timestep_sampler().history() == rehearsed.trainer.timestep_sampler().history());
  }
}

TEST_CASE("microbatches may be summed, as in ADM") {
  auto options = proportional();
  Run<Exec> whole(options);
  options.microbatch = 2;
  options.sum_microbatches = true;
  Run<Exec> summed(options);
  auto const expected = whole.step(), found = summed.step();
  CHECK(found.loss == doctest::Approx(expected.loss).epsilon(1e-5));
  CHECK(found.gradient_norm == doctest::Approx(3 * expected.gradient_norm).epsilon(1e-4));
}

TEST_CASE("a step reports what it did") {
  TrainOptions options;
  options.learning_rate = {.peak = 1e-3, .warm_up = 4};
  options.clip_norm = 1e-3;
  Run<Exec> run(options);
  auto const report = run.step();
  CHECK(report.step == 1);
  CHECK(run.trainer.steps() == 1);
  CHECK(report.learning_rate == doctest::Approx(0.25e-3));
  CHECK(report.loss == doctest::Approx(report.mse + report.vb));
  CHECK(report.loss == doctest::Approx(std::accumulate(report.losses.begin(), report.losses.end(), 0.0) / 6));
  CHECK(report.gradient_norm > 1e-3);
  // The first moment is a tenth of the clipped gradient.
  CHECK(norm(to_host(run.trainer.adamw().first_moment)) == doctest::Approx(0.1 * 1e-3).epsilon(1e-3));
  CHECK(run.step().learning_rate == doctest::Approx(0.5e-3));
}

TEST_CASE("training is the same run to run, and agrees between execution spaces") {
  auto const train = [](auto exec) {
    TrainOptions options;
    options.microbatch = 4;
    Run<decltype(exec)> run(options);
    StepReport report;
    for (int step = 0; step < 4; ++step) report = run.step();
    return std::pair(run.state(), report.loss);
  };
  auto const [state, loss] = train(Parallel());
  auto const [again, loss_again] = train(Parallel());
  CHECK(same_bits(state, again));
  CHECK(loss == loss_again);
  auto const [single, single_loss] = train(Single());
  CHECK(relative_error(state, single) < 1e-4);  // Adam amplifies rounding where gradients are small
  CHECK(loss == doctest::Approx(single_loss).epsilon(1e-6));
}

TEST_CASE("another seed is another run") {
  TrainOptions options;
  Run<Exec> first(options);
  options.seed = 1;
  Run<Exec> second(options);
  CHECK(first.step().loss != second.step().loss);
}

TEST_CASE("a loss that is not a number stops training and changes nothing") {
  TrainOptions options;
  options.microbatch = 2;
  Run<Exec> disturbed(options), quiet(options);
  disturbed.step();
  quiet.step();
  auto const before = disturbed.state();
  auto const broken = letters(6);
  broken(3, 1, 2, 0) = NAN;  // in the second microbatch
  using NotFinite = Run<Exec>::Coach::NotFinite;
  CHECK_THROWS_WITH_AS(
      disturbed.trainer.step(broken, labels),
      "the loss is not a finite number at step 2; training stopped with the parameters of the step "
      "before",
      NotFinite);
  CHECK(disturbed.trainer.steps() == 1);
  CHECK(same_bits(disturbed.state(), before));
  disturbed.step();
  quiet.step();
  CHECK(same_bits(disturbed.state(), quiet.state()));
}

TEST_CASE("a batch that is refused halfway leaves no gradient behind") {
  TrainOptions options;
  options.microbatch = 2;
  Run<Exec> disturbed(options), quiet(options);
  CHECK_THROWS_WITH_AS(disturbed.trainer.step(letters(6), std::vector<int>{0, 1, 2, 0, 1, 3}),
                       "UNet labels: expected classes in [0, 3) or no_class, found 3", Error);
  disturbed.step();
  quiet.step();
  CHECK(same_bits(disturbed.state(), quiet.state()));
}

struct Conditioned {
  static constexpr UNetConfig config = [] {
    UNetConfig c = Tiny::config;
    c.condition_channels = 2;
    return c;
  }();
};

TEST_CASE("a condition is trained with, whatever the microbatches, and must be there") {
  auto const trained = [&](int microbatch, HostImages const& condition) {
    UNet<Conditioned, Exec> net(Exec(), 1);
    TrainOptions options = Run<Exec>::with_batch(proportional());
    options.microbatch = microbatch;
    Trainer trainer(Exec(), net, Discrete(), options);
    trainer.step(letters(6), labels, condition);
    return to_host(net.parameters());
  };
  HostImages const condition = letters(6, 2), other("other", 6, 8, 8, 2);
  auto const whole = trained(0, condition);
  CHECK(relative_error(trained(4, condition), whole) < 1e-5);
  CHECK(relative_error(trained(0, other), whole) > 1e-4);
  CHECK_THROWS_WITH_AS(trained(0, letters(6)),
                       "training condition: expected (6, 8, 8, 2), found (6, 8, 8, 1)", Error);
}

TEST_CASE("a batch that microbatches don't divide allocates once") {
  TrainOptions options;
  options.microbatch = 4;
  Run<Exec> run(options);
  run.step();
  auto const batch = letters(6);
  Allocations const allocations;
  run.trainer.step(batch, labels);
  CHECK(allocations.peak() < 1000);  // bytes: the losses of the images, not the images
}

TEST_CASE("importance sampling by the losses") {
  TrainOptions options;
  Run<Exec, Kl, LossSecondMoment> run(options);
  auto const uniform = run.trainer.timestep_sampler().probabilities();
  StepReport report;
  int steps = 0;
  auto const full = [&] {
    auto const& counts = run.trainer.timestep_sampler().counts();
    return std::all_of(counts.begin(), counts.end(), [](int count) { return count == 10; });
  };
  while (!full()) {
    REQUIRE(++steps < 100);
    auto const drawn = run.trainer.timestep_sampler().draw(0, run.trainer.steps(), {0, 6, 6});
    report = run.step();
    CHECK(report.loss ==
          doctest::Approx(std::accumulate(report.losses.begin(), report.losses.end(), 0.0) / 6));
    CHECK(report.mse >= 0);
    // The newest entry of a timestep is its last sample's loss.
    auto const& sampler = run.trainer.timestep_sampler();
    CHECK(sampler.history()[drawn.times[5] * 10 + sampler.counts()[drawn.times[5]] - 1] == report.losses[5]);
  }
  CHECK(run.trainer.timestep_sampler().probabilities() != uniform);
  // From here on losses are weighted.
  auto const drawn = run.trainer.timestep_sampler().draw(0, run.trainer.steps(), {0, 6, 6});
  report = run.step();
  double expected = 0;
  for (int n = 0; n < 6; ++n) expected += drawn.weights[n] * report.losses[n] / 6;
  CHECK(report.loss == doctest::Approx(expected));
}

TEST_CASE("training takes the memory it says, and no more after the first step") {
  TrainOptions options;
  options.microbatch = 3;
  Allocations const allocations;
  std::optional<Run<Exec>> run(options);
  auto const memory = run->trainer.memory(8, 8);
  CHECK(memory.parameters == parameter_count<Tiny> * 4);
  CHECK(memory.training == 5 * memory.parameters);  // gradients, two moments, two averages
  auto const batch = letters(6);
  std::int64_t const batch_bytes = std::int64_t(batch.size()) * 4;
  for (int step = 0; step < 3; ++step) {
    run->trainer.step(batch, labels);
    // What is not in the sum: per-image numbers, and the partial sums of the gradient norm.
    CHECK(allocations.live() - batch_bytes >= memory.total());
    CHECK(double(allocations.live() - batch_bytes) < 1.02 * double(memory.total()));
  }
  auto const after = allocations.live();
  run->trainer.step(batch, labels);
  CHECK(allocations.live() == after);
  CHECK(double(allocations.peak()) < 1.1 * double(memory.total()));
}

TEST_CASE("bfloat16 moments and averages on disk take the memory that they say") {
  TrainOptions options;
  options.adamw.moments = MomentFormat::bfloat16;
  options.ema_folder = std::filesystem::temp_directory_path().string();
  Allocations const allocations;
  Run<Exec> run(options);
  auto const memory = run.trainer.memory(8, 8);
  CHECK(memory.training == 2 * memory.parameters);  // gradients, and two moments of half a float
  CHECK(memory.disk == 2 * memory.parameters);
  auto const batch = letters(6);
  for (int step = 0; step < 2; ++step) run.trainer.step(batch, labels);
  std::int64_t const live = allocations.live() - std::int64_t(batch.size()) * 4;
  CHECK(live >= memory.total());
  CHECK(double(live) < 1.02 * double(memory.total()));
}

TEST_CASE("what doesn't fit is refused") {
  Run<Exec> run({});
  CHECK_THROWS_WITH_AS(run.trainer.step(letters(5), labels),
                       "training batch: expected 6 images of 1 channels, found 5 of 1", Error);
  CHECK_THROWS_WITH_AS(run.trainer.step(letters(6, 3), labels),
                       "training batch: expected 6 images of 1 channels, found 6 of 3", Error);
  CHECK_THROWS_WITH_AS(run.trainer.step(letters(6), std::vector<int>{1, 2}),
                       "training labels: expected 6 of them, found 2", Error);
  CHECK_THROWS_AS(run.trainer.step(letters(6), {}), Error);
  CHECK_THROWS_AS(run.trainer.step(letters(6), std::vector<int>{0, 1, 2, 3, 0, 0}), Error);
  CHECK_THROWS_AS(run.trainer.step(letters(6, 1, 7), labels), Error);
  CHECK(run.trainer.steps() == 0);
  auto options = run.trainer.options();
  options.batch = 0;
  CHECK_THROWS_WITH_AS((Run<Exec>::Coach(Exec(), run.net, Discrete(), options)),
                       "batch size: expected 1 or more, found 0", Error);
  options.batch = 1;
  options.learning_rate.peak = std::nan("");
  CHECK_THROWS_WITH_AS((Run<Exec>::Coach(Exec(), run.net, Discrete(), options)),
                       doctest::Contains("learning rate: expected a finite number"), Error);
  options.learning_rate = {.peak = 1e-3, .decay = Decay::cosine};
  CHECK_THROWS_WITH_AS((Run<Exec>::Coach(Exec(), run.net, Discrete(), options)),
                       doctest::Contains("expected `steps`, the length of the run"), Error);
}

namespace {
struct Plain {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 8,
                                     .channel_mult = {1},
                                     .res_blocks = 1,
                                     .norm_groups = 4};
};
}  // namespace

TEST_CASE("a network learns one image by heart, in continuous time") {
  using Net = UNet<Plain, Exec>;
  auto const final_loss = [](MomentFormat moments, std::uint64_t seed) {
    Net net(Exec(), 3);
    TrainOptions options;
    options.seed = seed;
    options.batch = 8;
    options.learning_rate.peak = 5e-3;
    options.adamw.moments = moments;
    Trainer trainer(Exec(), net, ContinuousDiffusion<ContinuousCosine, V>(), options);
    HostImages const batch("batch", 8, 8, 8, 1);
    for (int n = 0; n < 8; ++n)
      for (int h = 0; h < 8; ++h)
        for (int w = 0; w < 8; ++w) batch(n, h, w, 0) = (h / 2 + w / 2) % 2 == 0 ? 1.0f : -1.0f;
    double first = 0, last = 0;
    for (int step = 0; step < 150; ++step) {
      double const loss = trainer.step(batch).loss;
      if (step < 10) first += loss / 10;
      if (step >= 140) last += loss / 10;
    }
    CAPTURE(first);
    CAPTURE(last);
    CHECK(last < 0.2 * first);
    return last;
  };
  double const loss = final_loss(MomentFormat::float32, 0), rounded = final_loss(MomentFormat::bfloat16, 0),
               other = final_loss(MomentFormat::float32, 1);
  MESSAGE("float32 ", loss, ", bfloat16 ", rounded, ", float32 with another seed ", other);
  CHECK(rounded == doctest::Approx(loss).epsilon(0.1));
}

}  // namespace train_trainer_tests
