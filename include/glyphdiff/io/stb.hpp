#pragma once

// stb_image and stb_image_write as static functions in a namespace of ours: they need no source file to hold
// them and do not clash with a host program's own copies, before or after this header. Only io/image.hpp
// includes this.

// What stb includes must come first, or it would land in the namespace.
#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wsign-compare"
#endif
#pragma push_macro("STBIDEF")
#pragma push_macro("STBIWDEF")
#pragma push_macro("STBI_INCLUDE_STB_IMAGE_H")
#pragma push_macro("INCLUDE_STB_IMAGE_WRITE_H")
#pragma push_macro("STB_IMAGE_IMPLEMENTATION")
#pragma push_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#pragma push_macro("STB_IMAGE_WRITE_STATIC")
#pragma push_macro("STBI_NO_STDIO")
#pragma push_macro("STBI_WRITE_NO_STDIO")
#pragma push_macro("STBI_MALLOC")
#pragma push_macro("STBI_REALLOC")
#pragma push_macro("STBI_FREE")
#undef STBIDEF
#undef STBIWDEF
#undef STBI_INCLUDE_STB_IMAGE_H
#undef INCLUDE_STB_IMAGE_WRITE_H
#undef STB_IMAGE_IMPLEMENTATION
#undef STB_IMAGE_WRITE_IMPLEMENTATION
#undef STB_IMAGE_WRITE_STATIC
#undef STBI_NO_STDIO
#undef STBI_WRITE_NO_STDIO
#undef STBI_MALLOC
#undef STBI_REALLOC
#undef STBI_FREE
#define STBIDEF static
#define STBIWDEF static
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_NO_STDIO
#define STBI_WRITE_NO_STDIO
// Zeros: stb reads the Huffman tables of a JPEG that has none, and fails an assertion or worse where they
// hold what memory held before.
#define STBI_MALLOC(size) calloc(1, size)
#define STBI_REALLOC(pointer, size) realloc(pointer, size)
#define STBI_FREE(pointer) free(pointer)
#if defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
#pragma GCC push_options
// At -O3 stb takes 3 s more of every file that includes this, and reads 7 % faster.
#pragma GCC optimize("O1")
#endif
namespace glyphdiff::stb {
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
}  // namespace glyphdiff::stb
#if defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
#pragma GCC pop_options
#endif
#pragma pop_macro("STBI_FREE")
#pragma pop_macro("STBI_REALLOC")
#pragma pop_macro("STBI_MALLOC")
#pragma pop_macro("STBI_WRITE_NO_STDIO")
#pragma pop_macro("STBI_NO_STDIO")
#pragma pop_macro("STB_IMAGE_WRITE_STATIC")
#pragma pop_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#pragma pop_macro("STB_IMAGE_IMPLEMENTATION")
#pragma pop_macro("INCLUDE_STB_IMAGE_WRITE_H")
#pragma pop_macro("STBI_INCLUDE_STB_IMAGE_H")
#pragma pop_macro("STBIWDEF")
#pragma pop_macro("STBIDEF")
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
