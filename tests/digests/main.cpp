// Prints one digest for each thing that glyphdiff computes: of bits, not of rounded numbers. It is compiled
// with flags of its own (CMakeLists.txt beside it), so that all x86-64 machines with AVX2 print the same;
// compare.sh holds what it prints against expected.txt. With names of parts (training, samplers...) it prints
// those alone, and with
// --seconds, on the error output, what each takes.
#include "sections.hpp"

#include <glyphdiff/kernels/pack.hpp>
#include <glyphdiff/runtime.hpp>

#include <gnu/libc-version.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string_view>
#include <utility>

#if !defined(__AVX2__) || !defined(__FMA__) || defined(__AVX512F__) || defined(__FAST_MATH__) || \
    !defined(NDEBUG)
#error "digests are those of the flags in tests/digests/CMakeLists.txt alone"
#endif
static_assert(glyphdiff::kernels::native_width == 8);

int main(int argc, char** argv) try {
  glyphdiff::Runtime const runtime(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  auto const has = [&](std::string_view word) {
    return std::find(argv + 1, argv + argc, word) != argv + argc;
  };
  bool const timed = has("--seconds"), all = argc == 1 + int(timed);
  std::printf("# g++ %s, %s; glibc %s\n", __VERSION__, GLYPHDIFF_DIGEST_FLAGS, gnu_get_libc_version());
  std::pair<char const*, void (*)()> const parts[] = {
      {"training", training_digests}, {"classifier", classifier_digests},
      {"letters", letter_digests},    {"sampling", sampling_digests},
      {"data", data_digests},         {"outlines", outline_digests},
      {"metrics", metric_digests}};
  for (auto const& [name, part] : parts) {
    if (!all && !has(name)) continue;
    auto const start = std::chrono::steady_clock::now();
    part();
    double const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (timed) std::fprintf(stderr, "%-20s %6.2f s\n", name, seconds);
  }
} catch (std::exception const& error) {
  std::fprintf(stderr, "glyphdiff_digests: %s\n", error.what());
  return 1;
}
