#include "../arrays.hpp"

#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/train/checkpoint.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>

namespace train_trainable_tests {

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
                                     .classes = 3,
                                     .norm_groups = 4};
};

using Exec = Kokkos::DefaultExecutionSpace;
using Net = UNet<Tiny, Exec>;
using Process = Diffusion<CosineSchedule<10>, Epsilon, LearnedRange>;
using Coach = Trainer<Net, Process, RescaledMse>;

std::vector<int> const labels{0, 1, 2, 2};

HostImages letters() {
  HostImages const images("letters", 4, 8, 8, 1);
  auto const numbers = values(images.size(), 1);
  std::copy(numbers.begin(), numbers.end(), images.data());
  return images;
}

TrainOptions options() {
  TrainOptions o;
  o.batch = 4;
  o.learning_rate.peak = 0.05;
  o.adamw.eps = 1.0;  // nearly gradient descent: rounding stays rounding
  o.ema_rates = {0.5};
  return o;
}

/// A network without zeros, so that every parameter has a gradient.
struct Net1 {
  Exec exec;
  Net net{exec, 1};
  Net1() {
    auto const start = values(net.parameters().size(), 5, 0.2f);
    Kokkos::deep_copy(net.parameters(), to_space<Exec>(start));
  }
  ParameterSelection select(bool (*chosen)(ParameterInfo const&)) {
    return ParameterSelection(net.parameter_list(), chosen);
  }
};

bool is_vector(ParameterInfo const& info) { return info.shape.size() == 1; }
bool is_attention(ParameterInfo const& info) { return info.name.find(".1.") != std::string::npos; }
bool is_matrix(ParameterInfo const& info) { return Trainable<Net>::is_matrix(info); }

/// The gradients of everything, as plain training finds them.
std::vector<float> all_gradients(Net1& n) {
  typename Net::Tape tape;
  Arena<Exec> const gradients("gradients", n.net.parameters().size());
  Images<Exec> const x("x", 2, 8, 8, 1), out("out", 2, 8, 8, 2), d("d", 2, 8, 8, 2);
  auto const numbers = values(d.size(), 3);
  Kokkos::deep_copy(Arena<Exec>(x.data(), x.size()), to_space<Exec>(values(x.size(), 2)));
  Kokkos::deep_copy(Arena<Exec>(d.data(), d.size()), to_space<Exec>(numbers));
  std::vector<float> const times{3, 7};
  std::vector<int> const classes{1, 2};
  n.net.forward(n.exec, x, times, classes, out, tape);
  n.net.backward(n.exec, d, gradients, tape);
  return to_host(gradients);
}

std::vector<float> selected_gradients(Net1& n, ParameterSelection const& selection) {
  typename Net::Tape tape(&selection);
  Arena<Exec> const gradients("gradients", selection.total());
  Images<Exec> const x("x", 2, 8, 8, 1), out("out", 2, 8, 8, 2), d("d", 2, 8, 8, 2);
  Kokkos::deep_copy(Arena<Exec>(x.data(), x.size()), to_space<Exec>(values(x.size(), 2)));
  Kokkos::deep_copy(Arena<Exec>(d.data(), d.size()), to_space<Exec>(values(d.size(), 3)));
  std::vector<float> const times{3, 7};
  std::vector<int> const classes{1, 2};
  n.net.forward(n.exec, x, times, classes, out, tape);
  n.net.backward(n.exec, d, gradients, tape);
  return to_host(gradients);
}

}  // namespace

TEST_CASE("a selection's gradients are those of the whole network") {
  Net1 n;
  auto const all = all_gradients(n);
  auto const check = [&](char const* what, ParameterSelection const& selection, double tolerance) {
    CAPTURE(what);
    REQUIRE(selection.total() > 0);
    REQUIRE(selection.total() < std::int64_t(all.size()));
    auto const found = selected_gradients(n, selection);
    std::vector<float> expected(found.size());
    for (ParameterInfo const& info : n.net.parameter_list())
      if (std::int64_t const place = selection.place(info.offset); place >= 0)
        std::copy_n(all.begin() + info.offset, info.count, expected.begin() + place);
    CHECK(relative_error(found, expected) <= tolerance);
  };
  check("norms and biases", n.select(is_vector), 1e-6);  // biases are summed in another order alone
  check("attention", n.select(is_attention), 0);
  check("weights without their biases", n.select([](ParameterInfo const& i) { return i.shape.size() > 1; }),
        0);
  check("norm weights without their biases",
        n.select([](ParameterInfo const& i) { return i.name.ends_with("in_layers.0.weight"); }), 0);
  check("labels", n.select([](ParameterInfo const& i) { return i.name == "label_emb.weight"; }), 0);
}

TEST_CASE("training some parameters moves them alone, as training everything would") {
  Net1 some, all;
  Coach part(some.exec, some.net, Process(), options(),
             Trainable<Net>(some.exec, some.net, some.select(is_attention)));
  Coach whole(all.exec, all.net, Process(), options());
  auto const before = to_host(some.net.parameters());
  part.step(letters(), labels);
  whole.step(letters(), labels);
  auto const found = to_host(some.net.parameters()), expected = to_host(all.net.parameters());
  for (ParameterInfo const& info : some.net.parameter_list())
    for (std::int64_t i = info.offset; i < info.offset + info.count; ++i) {
      CAPTURE(info.name);
      REQUIRE(found[i] == (is_attention(info) ? expected[i] : before[i]));
    }
  CHECK(part.memory(8, 8).training < whole.memory(8, 8).training);
}

TEST_CASE("a low-rank correction starts at nothing and follows the gradient of its product") {
  Net1 n;
  auto const before = to_host(n.net.parameters());
  auto const selection = n.select(is_matrix);
  Trainable<Net> low_rank(n.exec, n.net, n.select(is_matrix), 2, 9);
  low_rank.apply(n.exec, low_rank.values());
  CHECK(same_bits(to_host(n.net.parameters()), before));

  // Any gradient of the matrices; finite differences of sum(W * gradient) by the factors.
  auto const dw = values(selection.total(), 4);
  auto factors = to_host(low_rank.values());
  auto const noise = values(factors.size(), 6, 0.3f);
  for (std::size_t i = 0; i < factors.size(); ++i) factors[i] += noise[i];
  Kokkos::deep_copy(low_rank.values(), to_space<Exec>(factors));
  Kokkos::deep_copy(low_rank.network_gradients(), to_space<Exec>(dw));
  low_rank.find_gradients(n.exec);
  auto const analytic = to_host(low_rank.gradients());
  CHECK(to_host(low_rank.network_gradients()) == std::vector<float>(dw.size(), 0.0f));
  auto const loss = [&](std::vector<float> const& at) {
    low_rank.apply(n.exec, to_space<Exec>(at));
    auto const w = to_host(n.net.parameters());
    double sum = 0;
    for (ParameterInfo const& info : n.net.parameter_list())
      if (std::int64_t const place = selection.place(info.offset); place >= 0)
        for (std::int64_t i = 0; i < info.count; ++i) sum += double(w[info.offset + i]) * dw[place + i];
    return sum;
  };
  for (std::size_t i = 0; i < factors.size(); i += 37) {
    auto up = factors, down = factors;
    up[i] += 0.05f, down[i] -= 0.05f;
    CHECK((loss(up) - loss(down)) / 0.1 == doctest::Approx(analytic[i]).epsilon(2e-3).scale(1));
  }
  // Nothing but the chosen matrices has moved.
  auto const after = to_host(n.net.parameters());
  for (ParameterInfo const& info : n.net.parameter_list())
    if (!is_matrix(info))
      CHECK(std::equal(before.begin() + info.offset, before.begin() + info.offset + info.count,
                       after.begin() + info.offset));
}

TEST_CASE("low-rank training lowers the loss, and an average can be looked through") {
  Net1 n;
  auto o = options();
  o.adamw.eps = 1e-8;
  o.learning_rate.peak = 3e-3;
  Coach trainer(n.exec, n.net, Process(), o, Trainable<Net>(n.exec, n.net, n.select(is_matrix), 4, 9));
  double first = 0, last = 0;
  for (int step = 0; step < 10; ++step) first += trainer.step(letters(), labels).loss;
  for (int step = 0; step < 40; ++step) trainer.step(letters(), labels);
  for (int step = 0; step < 10; ++step) last += trainer.step(letters(), labels).loss;
  CHECK(last < 0.9 * first);
  auto const current = to_host(n.net.parameters());
  bool seen = false;
  trainer.trainable().with(n.exec, trainer.ema().averages()[0].values, [&](auto const& arena) {
    seen = true;
    CHECK(!same_bits(to_host(arena), current));
  });
  CHECK(seen);
  CHECK(same_bits(to_host(n.net.parameters()), current));
}

TEST_CASE("a network that cannot be brought back after an average was looked through is an exception") {
  Net1 n;
  Trainable<Net> trainable(n.exec, n.net, n.select(is_matrix), 4, 9);
  auto const before = to_host(n.net.parameters());
  CHECK_THROWS_AS(trainable.with(n.exec, trainable.values(), [](auto const&) { throw 7; }), int);
  CHECK(relative_error(to_host(n.net.parameters()), before) < 1e-6);
  CHECK_THROWS_AS(
      trainable.with(n.exec, trainable.values(),
                     [](auto const&) {
                       Kokkos::Tools::Experimental::set_begin_parallel_for_callback(
                           [](char const*, std::uint32_t, std::uint64_t*) {
                             Kokkos::Tools::Experimental::set_begin_parallel_for_callback(nullptr);
                             throw Error("no launch");
                           });
                     }),
      Error);
}

TEST_CASE("a run that trains some parameters goes on from its checkpoint bit for bit") {
  std::string const path =
      (std::filesystem::temp_directory_path() / "glyphdiff_trainable.safetensors").string();
  auto o = options();
  o.ema_widths = {0.05, 0.1};
  auto const make = [&](Net1& n, bool low_rank) {
    return low_rank ? Trainable<Net>(n.exec, n.net, n.select(is_matrix), 2, 9)
                    : Trainable<Net>(n.exec, n.net, n.select(is_vector));
  };
  for (bool low_rank : {false, true}) {
    CAPTURE(low_rank);
    Net1 a, b;
    Coach first(a.exec, a.net, Process(), o, make(a, low_rank));
    for (int step = 0; step < 3; ++step) first.step(letters(), labels);
    save_checkpoint(path, first);
    for (int step = 0; step < 2; ++step) first.step(letters(), labels);

    Coach second(b.exec, b.net, Process(), o, make(b, low_rank));
    load_checkpoint(path, second);
    for (int step = 0; step < 2; ++step) second.step(letters(), labels);
    CHECK(same_bits(to_host(a.net.parameters()), to_host(b.net.parameters())));
    for (std::size_t k = 0; k < 3; ++k)
      CHECK(same_bits(to_host(first.ema().averages()[k].values), to_host(second.ema().averages()[k].values)));
    CHECK(std::filesystem::file_size(path) < parameter_count<Tiny> * 4);
  }
  std::filesystem::remove(path);
}

TEST_CASE("what cannot be trained is refused") {
  Net1 n;
  auto const none = [](ParameterInfo const&) { return false; };
  CHECK_THROWS_WITH_AS(Trainable<Net>(n.exec, n.net, n.select(none)),
                       "parameters to train: expected at least one, found none", Error);
  CHECK_THROWS_AS(Trainable<Net>(n.exec, n.net, n.select(is_matrix), 0, 1), Error);
  CHECK_THROWS_AS(Trainable<Net>(n.exec, n.net, n.select(is_vector), 2, 1), Error);
}

}  // namespace train_trainable_tests
