#include "golden_check.hpp"

namespace unet_golden_cond_tests {

using namespace glyphdiff::test;

TEST_CASE_TEMPLATE("cond_tiny agrees with the reference", On, GLYPHDIFF_TEST_LAYER_BACKENDS) {
  check_golden<On, golden::CondTiny<true>>(5e-5);
}

TEST_CASE("cond_tiny agrees with the reference, with Winograd convolutions") {
  check_golden<ParallelVectorised, golden::CondTiny<false>>(2e-4);
}

}  // namespace unet_golden_cond_tests
