#include <glyphdiff/train/machine.hpp>

#include <doctest/doctest.h>

#include <unistd.h>

namespace train_machine_tests {

TEST_CASE("the memory that is free is some, and not more than the machine has") {
  std::int64_t const all = std::int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  CHECK(glyphdiff::available_memory() > 1'000'000);
  CHECK(glyphdiff::available_memory() < all);
}

}  // namespace train_machine_tests
