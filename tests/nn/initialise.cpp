#include "../arrays.hpp"
#include "../spaces.hpp"

#include <glyphdiff/nn/initialise.hpp>

#include <doctest/doctest.h>

#include <string>

namespace nn_initialise_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

/// Every kind of parameter, in sizes that end within a draw of four and within a run of draws.
ParameterList parameters() {
  ParameterList list;
  Initialisation const kinds[] = {Initialisation::uniform_fan_in, Initialisation::zero, Initialisation::one,
                                  Initialisation::normal, Initialisation::normal_fan_in};
  for (Initialisation kind : kinds)
    for (std::int64_t count : {1, 6, 1027, 4099})
      list.add("p" + std::to_string(list.total()), {count}, kind, 7);
  return list;
}

std::vector<float> initial(auto const& exec, std::uint64_t seed) {
  using Exec = std::remove_cvref_t<decltype(exec)>;
  ParameterList const list = parameters();
  auto const arena = unset<Exec>(list.total());
  initialise(exec, list, arena, seed);
  return to_host(arena);
}

std::uint64_t digest(std::vector<float> const& numbers) {  // FNV-1a
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (float number : numbers) {
    std::uint32_t bits;
    std::memcpy(&bits, &number, sizeof bits);
    for (int byte = 0; byte < 4; ++byte) hash = (hash ^ (bits >> 8 * byte & 0xffu)) * 0x100000001b3u;
  }
  return hash;
}

}  // namespace

TEST_CASE_TEMPLATE("initial parameters are a function of the seed and their place", Exec, Single, Parallel) {
  Exec const exec;
  auto const found = initial(exec, 3);
  std::vector<float> expected(found.size());
  std::uint32_t part = 0;
  for (ParameterInfo const& info : parameters()) {
    RandomKey const key{3, Stream::initialisation, 0, part++};
    float const bound = 1.0f / std::sqrt(7.0f);
    for (std::int64_t i = 0; i < info.count; ++i) {
      float const normal = normal4(key, i / 4)[i % 4], uniform = 2 * uniform4(key, i / 4)[i % 4] - 1;
      switch (info.initialisation) {
        case Initialisation::zero:
          expected[info.offset + i] = 0;
          break;
        case Initialisation::one:
          expected[info.offset + i] = 1;
          break;
        case Initialisation::normal:
          expected[info.offset + i] = normal;
          break;
        case Initialisation::normal_fan_in:
          expected[info.offset + i] = bound * normal;
          break;
        case Initialisation::uniform_fan_in:
          expected[info.offset + i] = bound * uniform;
          break;
      }
    }
  }
  CHECK(same_bits(found, expected));
  CHECK(!same_bits(initial(exec, 4), found));
}

// Of a version that drew them one after the other on the calling thread: runs of old begin as they did.
TEST_CASE("initial parameters are those of earlier versions") {
  CHECK(digest(initial(Parallel(), 1)) == 2670839910875113728u);
}

TEST_CASE("initial parameters are drawn in parallel") {
  static int launches;
  launches = 0;
  Kokkos::Tools::Experimental::set_begin_parallel_for_callback(
      [](char const* name, std::uint32_t, std::uint64_t*) {
        launches += std::string(name).starts_with("glyphdiff::");
      });
  initial(Parallel(), 1);
  Kokkos::Tools::Experimental::set_begin_parallel_for_callback(nullptr);
  CHECK(launches == 20);  // one for each parameter
}

}  // namespace nn_initialise_tests
