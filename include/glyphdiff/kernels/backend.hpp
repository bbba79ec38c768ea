#pragma once

#include <glyphdiff/fence.hpp>
#include <glyphdiff/kernels/pack.hpp>
#include <glyphdiff/kernels/packed_weights.hpp>
#include <glyphdiff/profile.hpp>

#include <cstdint>
#include <type_traits>

/// Which implementation of a kernel runs. Every kernel has a portable one that is correct on any execution
/// space, also one whose memory the host can't touch; spaces that run on the host's own cores have vectorised
/// ones as well.
namespace glyphdiff::kernels {

/// What the backends of this folder share. A backend has `Value`, the type of activations; `Context`, what it
/// keeps from launch to launch (packed weights); and launch(), which runs an operation.
///
/// An operation is a struct of the extents that it needs, with a `name`, `run(backend, exec, [scratch,]
/// pointers...)`, `work(bytes of a value)`, and, if it needs scratch memory, `scratch(backend, exec)`: how
/// many floats. Each header of this folder has the operations of its kernels.
template <class Self, class Value_, template <class> class Context_>
struct KernelBackend {
  using Value = Value_;
  template <class Exec>
  using Context = Context_<Exec>;

  /// Floats of scratch memory that the operation needs.
  template <class Exec, class Op>
  static std::int64_t scratch(Exec const& exec, Context<Exec>&, Op const& op) {
    if constexpr (requires { op.scratch(Self{}, exec); }) return op.scratch(Self{}, exec);
    return 0;
  }
  template <class Exec, class Op, class... Pointers>
  static void launch(Exec const& exec, Context<Exec>&, Op const& op, float* scratch, Pointers... pointers) {
    if constexpr (requires { op.scratch(Self{}, exec); })
      op.run(Self{}, exec, scratch, pointers...);
    else
      op.run(Self{}, exec, pointers...);
  }
};

/// Launches an operation on a backend: what Pass and Runner end in. `layer`: for the profiler, if there is
/// one.
template <class Backend, class Exec, class Op, class... Pointers>
void launch(Exec const& exec, typename Backend::template Context<Exec>& context, Profiler* profiler,
            std::int64_t layer, Op const& op, float* scratch, Pointers... pointers) {
  if (profiler == nullptr) return Backend::launch(exec, context, op, scratch, pointers...);
  profiler->time(
      Op::name, layer, op.work(int(sizeof(typename Backend::Value))),
      [&] { Backend::launch(exec, context, op, scratch, pointers...); },
      [&] { fence(exec, "an operation that is timed"); });
}

/// Activations are floats or bfloat16, and so are the weights that products and convolutions read. Everything
/// else is float: the parameters themselves, embeddings, statistics, softmax, sums, images, outputs and
/// losses.
template <class Value>
struct PortableContext {
  template <class Exec>
  using On = PackedWeights<Value, Exec>;
};
template <class Value>
struct PortableIn : KernelBackend<PortableIn<Value>, Value, PortableContext<Value>::template On> {
  static constexpr int width = 1;  ///< elements per Pack
  static constexpr bool one_element_per_item = true;
};
using Portable = PortableIn<float>;

/// Vectors of W floats. The width is part of the type, so that code for one processor is never linked in
/// place of code for another.
template <class>
using UnpackedWeightsOn = UnpackedWeights;
template <int W>
struct VectorisedBy : KernelBackend<VectorisedBy<W>, float, UnpackedWeightsOn> {
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
using DefaultBackend = std::conditional_t<runs_on_host<Exec>, Vectorised, Portable>;

}  // namespace glyphdiff::kernels
