#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/isa.hpp>

#include <Kokkos_Core.hpp>

#include <stdlib.h>  // setenv is POSIX, not C++
#include <unistd.h>

#include <algorithm>
#include <string_view>

/// For programs: include this in the file that holds `main`, and begin `main` with a `glyphdiff::Runtime`. A
/// host program that starts Kokkos itself needs neither.

namespace glyphdiff {
namespace detail {

GLYPHDIFF_BASELINE_ISA inline void print_error(char const* text) noexcept {
  unsigned long length = 0;
  while (text[length] != '\0') ++length;
  [[maybe_unused]] auto const written = write(STDERR_FILENO, text, length);
}

// Runs before the constructors of global objects, which may already hold instructions this CPU lacks; so
// nothing but system calls here.
GLYPHDIFF_BASELINE_ISA __attribute__((constructor(101))) static void stop_on_foreign_cpu() {
  char const* const missing = missing_instruction_set();
  if (missing == nullptr) return;
  print_error("glyphdiff: this program was compiled for a CPU with ");
  print_error(missing);
  print_error(", which this CPU lacks; compile it on this machine, or with -DGLYPHDIFF_NATIVE=OFF.\n");
  _exit(2);
}

}  // namespace detail

/// Starts Kokkos for the lifetime of the object. Takes `--kokkos-...` options out of the command line and
/// leaves every other argument, `--help` included, to the program.
class Runtime {
 public:
  /// Throws Error on a machine without the device that the program was compiled for.
  Runtime(int& argc, char** argv)
      : kokkos_argc_((require_device(), take_kokkos_options(argc, argv))), guard_(kokkos_argc_, argv + argc) {
    // The Kokkos options now lie behind the program's own, where main may not look for them.
    argv[argc] = nullptr;
  }
  Runtime(Runtime const&) = delete;
  Runtime& operator=(Runtime const&) = delete;

 private:
  // Kokkos itself would end the program with an exception that nobody can catch.
  static void require_device() {
#if defined(KOKKOS_ENABLE_CUDA)
    int devices = 0;
    cudaError_t const status = cudaGetDeviceCount(&devices);
    if (status != cudaSuccess)
      throw Error("this machine", "an NVIDIA GPU, for which this program was compiled",
                  cudaGetErrorString(status));
#endif
  }

  /// Moves Kokkos options behind the others, shortens argc and returns their number.
  static int take_kokkos_options(int& argc, char** argv) {
    // Kokkos warns when OMP_PROC_BIND is unset. GCC's OpenMP has read its environment by now, so this states
    // what is so (threads are not bound) and changes nothing; whoever wants binding sets the variable
    // herself.
    setenv("OMP_PROC_BIND", "false", /*overwrite=*/0);
    auto const is_own = [](char const* argument) {
      return !std::string_view(argument).starts_with("--kokkos-");
    };
    auto const end = std::stable_partition(argv, argv + argc, is_own);
    int const taken = static_cast<int>(argv + argc - end);
    argc -= taken;
    return taken;
  }

  int kokkos_argc_;
  Kokkos::ScopeGuard guard_;
};

}  // namespace glyphdiff
