#pragma once

#include <glyphdiff/fence.hpp>
#include <glyphdiff/kernels/backend.hpp>
#include <glyphdiff/tensor.hpp>
#include <glyphdiff/transfer_block.hpp>

#include <cstdint>
#include <type_traits>

namespace glyphdiff {

/// Runs operations outside of a network's pass: optimiser, averages, losses, noise, samplers. It is an
/// execution space instance with a backend, its context, and scratch memory that grows to what the largest
/// operation needs. What functions take to its memory and back goes through its uploads() and results(),
/// which grow likewise. Functions that take an execution space instance take a Runner as well; given the
/// instance alone, they run on its default backend.
template <class Exec, class Backend_ = kernels::DefaultBackend<Exec>>
class Runner {
 public:
  using backend = Backend_;
  using execution_space = Exec;
  using memory_space = typename Exec::memory_space;
  using Context = typename Backend_::template Context<Exec>;

  explicit Runner(Exec const& exec = Exec()) : exec_(exec) {}
  Runner(Runner const&) = delete;  // contexts and scratch memory belong to one instance
  Runner& operator=(Runner const&) = delete;

  Exec const& space() const { return exec_; }
  operator Exec const&() const { return exec_; }
  void fence() const { exec_.fence(); }

  /// For what a function uploads, or reads back: each begins a layout of its own, and leaves nothing there.
  TransferBlock<Exec>& uploads() const { return uploads_; }
  TransferBlock<Exec>& results() const { return results_; }

  /// Operations are recorded from here on; null: not.
  void set_profiler(Profiler* profiler) { profiler_ = profiler; }

  template <class Op, class... Pointers>
  void run(Op const& op, Pointers... pointers) const {
    std::int64_t const needed = backend::scratch(exec_, context_, op);
    if (std::int64_t(scratch_.extent(0)) < needed) {
      scratch_ = Arena<Exec>();  // gives its memory back first
      scratch_ =
          Arena<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::runner::scratch"), needed);
    }
    kernels::launch<backend>(exec_, context_, profiler_, -1, op, scratch_.data(), pointers...);
  }

 private:
  Exec exec_;
  Profiler* profiler_ = nullptr;
  Context mutable context_;  // what operations leave behind, like the instance's own queue
  Arena<Exec> mutable scratch_;
  TransferBlock<Exec> mutable uploads_, results_;
};

template <class On>
inline constexpr bool is_runner = false;
template <class Exec, class Backend>
inline constexpr bool is_runner<Runner<Exec, Backend>> = true;

/// The execution space of an instance or a Runner.
template <class On>
struct SpaceOf {
  using type = On;
};
template <class Exec, class Backend>
struct SpaceOf<Runner<Exec, Backend>> {
  using type = Exec;
};

/// The backend of a network or a model that says which it is, else the default one of the space.
template <class Model, class Exec>
struct BackendOf {
  using type = kernels::DefaultBackend<typename SpaceOf<Exec>::type>;
};
template <class Model, class Exec>
requires requires { typename std::remove_reference_t<Model>::backend; }
struct BackendOf<Model, Exec> {
  using type = typename std::remove_reference_t<Model>::backend;
};

/// The backend of a Runner, else the default one of the space.
template <class On>
using DefaultBackendOn = typename BackendOf<On, On>::type;

/// `on` if it is a Runner, or a Runner on that instance with this backend.
template <class Backend = void, class On>
decltype(auto) runner_on(On const& on) {
  if constexpr (is_runner<On>)
    return static_cast<On const&>(on);
  else
    return Runner<On, std::conditional_t<std::is_void_v<Backend>, DefaultBackendOn<On>, Backend>>(on);
}

/// Runs an operation on an execution space instance (its default backend) or a Runner.
template <class On, class Op, class... Pointers>
void run(On const& on, Op const& op, Pointers... pointers) {
  runner_on(on).run(op, pointers...);
}

}  // namespace glyphdiff
