#pragma once

#include <Kokkos_Core.hpp>

namespace glyphdiff {
namespace detail {
/// Told the reason of each fence, if not null. For tests.
inline void (*fence_hook)(char const* reason) = nullptr;
}  // namespace detail

/// Waits until everything that was launched on an execution space instance or a Runner is done. The library
/// waits in no other way. `reason`: what must not go on before.
template <class On>
void fence(On const& on, char const* reason) {
  if (detail::fence_hook != nullptr) detail::fence_hook(reason);
  on.fence();
}

/// The same for all spaces.
inline void fence_all(char const* reason) {
  if (detail::fence_hook != nullptr) detail::fence_hook(reason);
  Kokkos::fence();
}

}  // namespace glyphdiff
