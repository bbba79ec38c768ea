#include "golden_check.hpp"

namespace unet_golden_adm_tests {

using namespace glyphdiff::test;

TEST_CASE_TEMPLATE("adm_tiny agrees with the reference", On, GLYPHDIFF_TEST_LAYER_BACKENDS) {
  check_golden<On, golden::AdmTiny<true>>(5e-5);
}

TEST_CASE("adm_tiny agrees with the reference, with Winograd convolutions") {
  check_golden<ParallelVectorised, golden::AdmTiny<false>>(2e-4);
}

}  // namespace unet_golden_adm_tests
