#pragma once

#include <glyphdiff/kernels/pack.hpp>

#include <type_traits>

/// Which implementation of a kernel runs. Every kernel has a portable one that is correct on any execution
/// space, also one whose memory the host can't touch; spaces that run on the host's own cores have vectorised
/// ones as well.
namespace glyphdiff::kernels {

struct Portable {
  static constexpr int width = 1;  ///< elements per Pack
  static constexpr bool one_element_per_item = true;
};

/// Vectors of W floats. The width is part of the type, so that code for one processor is never linked in
/// place of code for another.
template <int W>
struct VectorisedBy {
  static constexpr int width = W;
  static constexpr bool one_element_per_item = false;
};
using Vectorised = VectorisedBy<native_width>;

/// Whether Exec runs on the host's own cores and has done what it was given when a launch returns. Asked by
/// name: devices can share the host's memory (Grace Hopper, MI300A), and HPX launches only begin.
template <class Exec>
inline constexpr bool runs_on_host = false;
#if defined(KOKKOS_ENABLE_SERIAL)
template <>
inline constexpr bool runs_on_host<Kokkos::Serial> = true;
#endif
#if defined(KOKKOS_ENABLE_OPENMP)
template <>
inline constexpr bool runs_on_host<Kokkos::OpenMP> = true;
#endif
#if defined(KOKKOS_ENABLE_THREADS)
template <>
inline constexpr bool runs_on_host<Kokkos::Threads> = true;
#endif

/// Vectorised where runs_on_host, Portable elsewhere.
template <class Exec>
using DefaultPath = std::conditional_t<runs_on_host<Exec>, Vectorised, Portable>;

}  // namespace glyphdiff::kernels
