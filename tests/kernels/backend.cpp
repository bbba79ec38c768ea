#include "../spaces.hpp"

#include <doctest/doctest.h>

namespace kernels_backend_tests {

using namespace glyphdiff;
using kernels::DefaultBackend, kernels::Portable, kernels::runs_on_host, kernels::Vectorised;

namespace {

/// A device whose memory is the host's, as CUDA's is on Grace Hopper with unified memory and HIP's on MI300A;
/// or a host space whose launches only begin, such as HPX.
struct Device {
  using execution_space = Device;
  using memory_space = Kokkos::HostSpace;
  using device_type = Kokkos::Device<Device, memory_space>;
  using array_layout = Kokkos::LayoutRight;
  using size_type = std::size_t;
  using scratch_memory_space = Kokkos::ScratchMemorySpace<Device>;
};

}  // namespace

TEST_CASE("what runs on the host is known by name, not by whose memory it can reach") {
  CHECK(Kokkos::SpaceAccessibility<Device, Kokkos::HostSpace>::accessible);
  CHECK(!runs_on_host<Device>);
  CHECK(std::is_same_v<DefaultBackend<Device>, Portable>);
  CHECK(runs_on_host<test::Parallel>);
  CHECK(std::is_same_v<DefaultBackend<test::Single>, Vectorised>);
}

}  // namespace kernels_backend_tests
