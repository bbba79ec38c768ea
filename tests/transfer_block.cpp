// What goes between the host's memory and a space's.
#include "arenas.hpp"
#include "arrays.hpp"

#include <glyphdiff/fence.hpp>
#include <glyphdiff/transfer_block.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace transfer_block_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

static_assert(std::is_same_v<TransferHostSpace<Kokkos::DefaultHostExecutionSpace>, Kokkos::HostSpace>);
static_assert(Kokkos::SpaceAccessibility<Kokkos::DefaultHostExecutionSpace,
                                         TransferHostSpace<Kokkos::DefaultExecutionSpace>>::accessible);

TEST_CASE_TEMPLATE("the values of each step lie where those of the others do", Exec, GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  StepBlock<Exec> block;
  for (int round = 0; round < 2; ++round) {
    block.clear();
    typename StepBlock<Exec>::template Part<float> numbers, more;
    typename StepBlock<Exec>::template Part<std::int64_t> step;
    for (int k = 0; k < 100; ++k) {  // the host's memory grows meanwhile
      block.next();
      step = block.add_value(std::int64_t(k));
      numbers = block.template add<float>(3);
      std::ranges::fill(block.host(numbers), float(k) / 2);
      if (k == 7) {  // longer than the others
        more = block.template add<float>(1000);
        std::ranges::fill(block.host(more), 7.0f);
      }
    }
    auto const read = [&](float const* from, std::size_t count) {
      std::vector<float> host(count);
      copy_values(exec, HostValues(host.data(), count),
                  Kokkos::View<float const*, Kokkos::LayoutRight, typename Exec::memory_space,
                               Kokkos::MemoryUnmanaged>(from, count));
      fence(exec, "a test's values to the host");
      return host;
    };
    block.upload(exec, 0);
    float const* const place = block.device(numbers);
    for (std::size_t k : {0, 99, 7, 8}) {  // in any order
      block.upload(exec, k);
      CHECK(block.device(numbers) == place);
      CHECK(read(place, 3) == std::vector<float>(3, float(k) / 2));
      if (k == 7) CHECK(read(block.device(more), 1000) == std::vector<float>(1000, 7.0f));
    }
    CHECK(static_cast<void const*>(block.device(step)) < place);
  }
}

TEST_CASE_TEMPLATE("the host's arrays arrive, through pinned memory or not", Exec, GLYPHDIFF_TEST_SPACES) {
  Exec const exec;
  auto const check = [&](auto uploads) {
    for (std::size_t const size : {5, 30, 12}) {
      auto const a = values(std::int64_t(size), 1), b = values(7, 2);
      auto const to_a = unset<Exec>(std::int64_t(size)), to_b = unset<Exec>(7);
      uploads.begin(size + 7);
      uploads.upload(exec, to_a, a.data());
      uploads.upload(exec, to_b, b.data());
      fence(exec, "a test's arrays to the space");
      CHECK(to_host(to_a) == a);
      CHECK(to_host(to_b) == b);
    }
  };
  check(HostUploads<Exec, true>());
  check(HostUploads<Exec, false>());
}

}  // namespace transfer_block_tests
