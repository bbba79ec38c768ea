// A step with a number that is not finite is computed to its end and changes nothing.
#include "../arrays.hpp"
#include "../spaces.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/encoder_unet.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>

namespace train_not_finite_tests {

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
                                     .dropout = 0.1,
                                     .norm_groups = 4};
};
struct Judge {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 8,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .norm_groups = 4};
  static constexpr int classes_out = 2;
  static constexpr Pool pool = Pool::adaptive;
};

using Exec = Kokkos::DefaultExecutionSpace;
using Process = Diffusion<CosineSchedule<4>, Epsilon, LearnedRange>;

constexpr int batch = 5;
float const nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();

HostImages letters(unsigned seed = 1) {
  HostImages const images("letters", batch, 8, 8, 1);
  auto const numbers = values(images.size(), seed);
  std::copy(numbers.begin(), numbers.end(), images.data());
  return images;
}

std::vector<float> moments(AdamW<Exec> const& adamw) {
  if (!adamw.bfloat16()) return joined({to_host(adamw.first_moment), to_host(adamw.second_moment)});
  std::vector<float> result;
  for (auto const& moment : {adamw.first_moment_bfloat16, adamw.second_moment_bfloat16}) {
    std::vector<std::uint16_t> host(moment.extent(0));
    copy_values(Exec(), HostValues(host.data(), host.size()), moment);
    Exec().fence();
    result.insert(result.end(), host.begin(), host.end());
  }
  return result;
}

template <class Backend>
struct Run {
  using Net = UNet<Tiny, Exec, Backend>;
  using Coach = Trainer<Net, Process, RescaledMse, LossSecondMoment>;
  Net net{Exec(), 1};
  std::optional<Coach> trainer;

  Run(TrainOptions options, bool low_rank) {
    options.batch = batch;
    options.microbatch = 2;
    options.clip_norm = 0.5;
    options.ema_rates = {0.5, 0.6, 0.7, 0.8, 0.9};  // more than one pass takes
    options.ema_widths = {0.1};
    Kokkos::deep_copy(net.parameters(), to_space<Exec>(values(net.parameters().size(), 3, 0.2f)));
    if (low_rank) {
      ParameterSelection matrices(net.parameter_list(), Trainable<Net>::is_matrix);
      trainer.emplace(Exec(), net, Process(), options,
                      Trainable<Net>(Exec(), net, std::move(matrices), 2, 7));
    } else {
      trainer.emplace(Exec(), net, Process(), options);
    }
  }

  std::vector<float> state() {
    auto all = joined(
        {to_host(net.parameters()), to_host(trainer->trainable().values()), moments(trainer->adamw())});
    for (auto const& average : trainer->ema().averages()) all = joined({all, to_host(average.values)});
    auto const& sampler = trainer->timestep_sampler();
    all.insert(all.end(), sampler.history().begin(), sampler.history().end());
    all.insert(all.end(), sampler.counts().begin(), sampler.counts().end());
    return all;
  }

  /// The step fails, is reported with its number, and leaves no trace.
  void require_refused(HostImages const& images) {
    auto const before = state();
    auto const step = trainer->steps();
    std::string const message = "the loss is not a finite number at step " + std::to_string(step + 1) +
                                "; training stopped with the parameters of the step before";
    CHECK_THROWS_WITH_AS(trainer->step(images), message.c_str(), typename Coach::NotFinite);
    CHECK(trainer->steps() == step);
    CHECK(same_bits(state(), before));
    for (auto const& gradients : {trainer->trainable().gradients(), trainer->trainable().network_gradients()})
      CHECK(same_bits(to_host(gradients), std::vector<float>(gradients.extent(0), 0.0f)));
  }
};

template <class Backend>
void check(TrainOptions const& options, bool low_rank = false) {
  Run<Backend> disturbed(options, low_rank), quiet(options, low_rank);
  auto const step = [&] {
    double const expected = quiet.trainer->step(letters()).loss;
    CHECK(disturbed.trainer->step(letters()).loss == expected);
    CHECK(same_bits(disturbed.state(), quiet.state()));
  };
  for (int round = 0; round < 2; ++round) {
    for (int sample : {0, 3, 4})  // in the first, second and last microbatch
      for (float value : {nan, inf}) {
        CAPTURE(sample);
        CAPTURE(value);
        auto const broken = letters();
        broken(sample, 1, 2, 0) = value;
        disturbed.require_refused(broken);
      }
    std::size_t const count = disturbed.trainer->trainable().network_gradients().extent(0);
    for (std::size_t at : {std::size_t(0), count / 2, count - 1})
      for (float value : {nan, -inf}) {
        CAPTURE(at);
        CAPTURE(value);
        std::vector<float> poison(count, 0.0f);  // what the microbatches add to
        poison[at] = value;
        Kokkos::deep_copy(disturbed.trainer->trainable().network_gradients(), to_space<Exec>(poison));
        disturbed.require_refused(letters());
      }
    step();
  }
}

}  // namespace

TEST_CASE("a step that is not finite changes no bit, and the next one is as if it had not been") {
  TrainOptions options;
  SUBCASE("all parameters") { check<kernels::DefaultBackend<Exec>>(options); }
  SUBCASE("portable") { check<kernels::Portable>(options); }
  SUBCASE("moments in bfloat16") {
    options.adamw.moments = MomentFormat::bfloat16;
    check<kernels::DefaultBackend<Exec>>(options);
  }
  SUBCASE("moments in bfloat16, portable") {
    options.adamw.moments = MomentFormat::bfloat16;
    check<kernels::Portable>(options);
  }
  if (kernels::runs_on_host<Exec>) {
    SUBCASE("averages on disk") {
      options.ema_folder = std::filesystem::temp_directory_path().string();
      check<kernels::DefaultBackend<Exec>>(options);
    }
  }
  SUBCASE("low rank") { check<kernels::DefaultBackend<Exec>>(options, true); }
}

TEST_CASE("nor does one of a classifier") {
  using Net = EncoderUNet<Judge, Exec>;
  ClassifierTrainOptions const options{.batch = batch, .microbatch = 2};
  Net net(Exec(), 1), quiet_net(Exec(), 1);
  ClassifierTrainer trainer(Exec(), net, Process(), options), quiet(Exec(), quiet_net, Process(), options);
  std::vector<int> const labels{0, 1, 1, 0, 1};
  auto const state = [](auto& of) { return joined({to_host(of.net().parameters()), moments(of.adamw())}); };
  for (int round = 0; round < 2; ++round) {
    auto const before = state(trainer);
    for (int sample : {0, 4}) {
      auto const broken = letters();
      broken(sample, 1, 2, 0) = nan;
      CHECK_THROWS_WITH_AS(trainer.step(broken, labels),
                           doctest::Contains(round == 0 ? "at step 1;" : "at step 2;"), Error);
      CHECK(trainer.steps() == round);
      CHECK(same_bits(state(trainer), before));
    }
    CHECK(trainer.step(letters(), labels).loss == quiet.step(letters(), labels).loss);
    CHECK(same_bits(state(trainer), state(quiet)));
  }
}

}  // namespace train_not_finite_tests
