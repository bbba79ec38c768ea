#include <doctest/doctest.h>
#include <glyphdiff/isa.hpp>

namespace isa_tests {

TEST_CASE("this machine has the instruction sets this program was compiled for") {
  CHECK(glyphdiff::missing_instruction_set() == nullptr);
}

}  // namespace isa_tests
