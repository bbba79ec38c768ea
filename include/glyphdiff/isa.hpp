#pragma once

namespace glyphdiff {

// The check must itself run on any CPU of the family, whatever flags the rest of the file is compiled with.
// Only GCC takes back what -march gave; Clang keeps the flags, and there the check is as good as the code
// around it.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define GLYPHDIFF_BASELINE_ISA __attribute__((target("arch=x86-64")))
#else
#define GLYPHDIFF_BASELINE_ISA
#endif

/// The first instruction set this code was compiled for and this CPU lacks, or nullptr when it has them all.
/// Knows x86-64; on other architectures (NEON is part of every aarch64) there is nothing to ask.
GLYPHDIFF_BASELINE_ISA inline char const* missing_instruction_set() noexcept {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_cpu_init();  // needed before main
#if defined(__SSE4_2__)
  if (!__builtin_cpu_supports("sse4.2")) return "SSE4.2";
#endif
#if defined(__POPCNT__)
  if (!__builtin_cpu_supports("popcnt")) return "POPCNT";
#endif
#if defined(__AVX__)
  if (!__builtin_cpu_supports("avx")) return "AVX";
#endif
#if defined(__FMA__)
  if (!__builtin_cpu_supports("fma")) return "FMA";
#endif
#if defined(__BMI__)
  if (!__builtin_cpu_supports("bmi")) return "BMI";
#endif
#if defined(__BMI2__)
  if (!__builtin_cpu_supports("bmi2")) return "BMI2";
#endif
#if defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2")) return "AVX2";
#endif
#if defined(__AVX512F__)
  if (!__builtin_cpu_supports("avx512f")) return "AVX-512 F";
#endif
#if defined(__AVX512CD__)
  if (!__builtin_cpu_supports("avx512cd")) return "AVX-512 CD";
#endif
#if defined(__AVX512DQ__)
  if (!__builtin_cpu_supports("avx512dq")) return "AVX-512 DQ";
#endif
#if defined(__AVX512BW__)
  if (!__builtin_cpu_supports("avx512bw")) return "AVX-512 BW";
#endif
#if defined(__AVX512VL__)
  if (!__builtin_cpu_supports("avx512vl")) return "AVX-512 VL";
#endif
#if defined(__AVX512IFMA__)
  if (!__builtin_cpu_supports("avx512ifma")) return "AVX-512 IFMA";
#endif
#if defined(__AVX512VBMI__)
  if (!__builtin_cpu_supports("avx512vbmi")) return "AVX-512 VBMI";
#endif
#if defined(__AVX512VBMI2__)
  if (!__builtin_cpu_supports("avx512vbmi2")) return "AVX-512 VBMI2";
#endif
#if defined(__AVX512VNNI__)
  if (!__builtin_cpu_supports("avx512vnni")) return "AVX-512 VNNI";
#endif
#if defined(__AVX512BITALG__)
  if (!__builtin_cpu_supports("avx512bitalg")) return "AVX-512 BITALG";
#endif
#if defined(__AVX512VPOPCNTDQ__)
  if (!__builtin_cpu_supports("avx512vpopcntdq")) return "AVX-512 VPOPCNTDQ";
#endif
#if defined(__AVX512BF16__)
  if (!__builtin_cpu_supports("avx512bf16")) return "AVX-512 BF16";
#endif
#endif
  return nullptr;
}

}  // namespace glyphdiff
