#include "../arrays.hpp"

#include <glyphdiff/data/styled_letters.hpp>
#include <glyphdiff/diffusion/continuous.hpp>
#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/unet.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace data_styled_letters_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

using Exec = Kokkos::DefaultExecutionSpace;

struct Tiny {
  static constexpr UNetConfig config{.image_size = 8,
                                     .channels = 1,
                                     .model_channels = 8,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .classes = 3,
                                     .condition_channels = 2,
                                     .norm_groups = 4};
};
using Net = UNet<Tiny, Exec>;
using Artist = StyledLetters<Net>;
using Picture = Artist::Picture;

/// A network whose last layers are not zero, as they are at the beginning.
struct Fixture {
  Exec exec;
  Net net{exec, 1};
  ContinuousDiffusion<ContinuousCosine, V> process{4};
  Picture a = values(64, 5), b = values(64, 6);
  std::vector<int> labels{0, 1, 1};

  Fixture() { Kokkos::deep_copy(net.parameters(), to_space<Exec>(values(net.parameters().size(), 3))); }
  Artist artist(double scale = 1.5) { return {exec, net, net.parameters(), scale}; }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "class, references and noise matter, and nothing else does") {
  auto all = artist();
  auto const drawn = all.draw(process, labels, {{&a}, {&a}, {&a}}, {7, 0});
  REQUIRE(drawn.size() == 3);
  CHECK(same_bits(drawn[1], drawn[2]));  // one class, one style, one noise
  CHECK(!same_bits(drawn[0], drawn[1]));
  std::vector<int> const one{1};
  auto const alone = [&](std::vector<Picture const*> references, std::uint64_t number = 0) {
    return artist().draw(process, one, {std::move(references)}, {7, number}).front();
  };
  CHECK(relative_error(alone({&a}), drawn[1]) < 1e-3);
  CHECK(!same_bits(alone({&b}), drawn[1]));
  CHECK(!same_bits(alone({}), drawn[1]));
  CHECK(!same_bits(alone({&a}, 1), drawn[1]));
  CHECK(same_bits(alone({&a, &b}), alone({&a, &b, &a})));  // there are two places
}

TEST_CASE_FIXTURE(Fixture, "guidance at scale 1 is none") {
  std::vector<int> const one{2};
  auto const plain = artist(1).draw(process, one, {{&a}}, {7, 0}).front();
  CHECK(!same_bits(plain, artist(2).draw(process, one, {{&a}}, {7, 0}).front()));
  CHECK_THROWS_WITH_AS(artist(std::nan("")), doctest::Contains("guidance scale"), Error);
}

TEST_CASE_FIXTURE(Fixture, "an invented style: each letter in the style of those before") {
  auto all = artist();
  auto const drawn = all.invent(process, labels, {7, 0});
  REQUIRE(drawn.size() == 3);
  std::vector<int> const first{0}, second{1};
  CHECK(same_bits(drawn[0], artist().draw(process, first, {{}}, {7, 0}).front()));
  CHECK(same_bits(drawn[1], artist().draw(process, second, {{&drawn[0]}}, {7, 0}).front()));
  CHECK(same_bits(drawn[2], artist().draw(process, second, {{&drawn[0], &drawn[1]}}, {7, 0}).front()));
  CHECK(all.invent(process, first, {7, 0}).size() == 1);
}

}  // namespace data_styled_letters_tests
