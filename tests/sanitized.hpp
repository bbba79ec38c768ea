#pragma once

/// Whether sanitizers watch. They look at what code does to memory, for which a part of a test's repetitions
/// is enough, and make them ten times slower.
namespace glyphdiff::test {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace glyphdiff::test
