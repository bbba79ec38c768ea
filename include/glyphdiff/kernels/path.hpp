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

template <class Exec>
inline constexpr bool runs_on_host =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename Exec::memory_space>::accessible &&
    !std::is_same_v<typename Exec::memory_space, void> &&
    Kokkos::SpaceAccessibility<Exec, Kokkos::HostSpace>::accessible;

/// Vectorised on the host's cores, Portable elsewhere.
template <class Exec>
using DefaultPath = std::conditional_t<runs_on_host<Exec>, Vectorised, Portable>;

}  // namespace glyphdiff::kernels
