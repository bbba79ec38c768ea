// Lets Kokkos 3.4 to 4.6 compile with CUDA 13. Included by force (-include) before everything else, in Kokkos
// itself and in whatever includes it; Kokkos 4.7 and newer need none of this.
#pragma once

#if defined(__CUDACC__)
#include <cuda_runtime.h>

#if CUDART_VERSION >= 13000
// CUDA 13 takes a place and flags instead of a device number.
inline cudaError_t cudaMemPrefetchAsync(void const* pointer, size_t bytes, int device,
                                        cudaStream_t stream = nullptr) {
  bool const host = device == cudaCpuDeviceId;
  cudaMemLocation place{};
  place.type = host ? cudaMemLocationTypeHost : cudaMemLocationTypeDevice;
  place.id = host ? 0 : device;
  return cudaMemPrefetchAsync(pointer, bytes, place, 0u, stream);
}

// CUDA 13 takes data of each edge.
inline cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, cudaGraphNode_t const* from,
                                            cudaGraphNode_t const* to, size_t count) {
  return cudaGraphAddDependencies(graph, from, to, nullptr, count);
}

// The half-precision type of Kokkos 3.4 and 3.5 redefines what CUDA's own header has by now. glyphdiff uses
// none, so its header is passed over; newer releases guard theirs by another name.
#define KOKKOS_CUDA_HALF_HPP_
#endif
#endif
