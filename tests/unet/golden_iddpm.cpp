#include "golden_check.hpp"

namespace unet_golden_iddpm_tests {

using namespace glyphdiff::test;

TEST_CASE_TEMPLATE("iddpm_tiny agrees with the reference", On, GLYPHDIFF_TEST_LAYER_BACKENDS) {
  check_golden<On, golden::IddpmTiny<true>>(5e-5);
}

TEST_CASE("iddpm_tiny agrees with the reference, with Winograd convolutions") {
  check_golden<ParallelVectorised, golden::IddpmTiny<false>>(2e-4);
}

}  // namespace unet_golden_iddpm_tests
