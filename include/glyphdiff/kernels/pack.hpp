#pragma once

#include <glyphdiff/bfloat16.hpp>

#include <Kokkos_Core.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>

/// Short vectors of floats for kernels. On a host space a Pack is a compiler vector (AVX-512, AVX2 or NEON
/// from the same source); on a device each thread takes one element and a Pack is a plain float.
namespace glyphdiff::kernels {

#if defined(__AVX512F__)
inline constexpr int native_width = 16;
#elif defined(__AVX__)
inline constexpr int native_width = 8;
#else
inline constexpr int native_width = 4;
#endif

template <int W>
struct Pack {
  typedef float Vector __attribute__((vector_size(W * 4)));
  typedef std::int32_t Bits __attribute__((vector_size(W * 4)));
  Vector v;

  static Pack load(float const* p) {
    Pack r;
    std::memcpy(&r.v, p, sizeof r.v);
    return r;
  }
  void store(float* p) const { std::memcpy(p, &v, sizeof v); }
  static Pack broadcast(float x) { return Pack{Vector{} + x}; }

  friend Pack operator+(Pack a, Pack b) { return Pack{a.v + b.v}; }
  friend Pack operator-(Pack a, Pack b) { return Pack{a.v - b.v}; }
  friend Pack operator*(Pack a, Pack b) { return Pack{a.v * b.v}; }
  friend Pack operator/(Pack a, Pack b) { return Pack{a.v / b.v}; }
  Pack& operator+=(Pack b) { return v += b.v, *this; }
};

template <>
struct Pack<1> {
  float v;
  template <class T>
  KOKKOS_FUNCTION static Pack load(T const* p) {
    return Pack{to_float(*p)};
  }
  template <class T>
  KOKKOS_FUNCTION void store(T* p) const {
    put(v, p);
  }
  KOKKOS_FUNCTION static Pack broadcast(float x) { return Pack{x}; }

  KOKKOS_FUNCTION friend Pack operator+(Pack a, Pack b) { return Pack{a.v + b.v}; }
  KOKKOS_FUNCTION friend Pack operator-(Pack a, Pack b) { return Pack{a.v - b.v}; }
  KOKKOS_FUNCTION friend Pack operator*(Pack a, Pack b) { return Pack{a.v * b.v}; }
  KOKKOS_FUNCTION friend Pack operator/(Pack a, Pack b) { return Pack{a.v / b.v}; }
  KOKKOS_FUNCTION Pack& operator+=(Pack b) { return v += b.v, *this; }
};

/// a * b + c, rounded once on every CPU that can, and on every device. Left to itself a compiler fuses
/// whichever product it likes, another one after the next edit, and packs and tails, CPU and GPU would
/// differ in the last bit.
KOKKOS_INLINE_FUNCTION float fused(float a, float b, float c) {
#if defined(FP_FAST_FMAF) || defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__CUDA_ARCH__)
  return ::fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

template <int W>
inline Pack<W> fused(Pack<W> a, Pack<W> b, Pack<W> c) {
#if defined(FP_FAST_FMAF) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  for (int lane = 0; lane < W; ++lane) c.v[lane] = ::fmaf(a.v[lane], b.v[lane], c.v[lane]);
  return c;
#else
  return a * b + c;
#endif
}

KOKKOS_INLINE_FUNCTION Pack<1> fused(Pack<1> a, Pack<1> b, Pack<1> c) {
  return Pack<1>{fused(a.v, b.v, c.v)};
}

/// e^x for x <= 88; underflows to about 1e-38 below -87. Cephes-style range reduction with a degree-5
/// polynomial, relative error below 2e-7, the same formula on every execution space. NaN stays NaN.
template <int W>
inline Pack<W> exp(Pack<W> x) {
  using V = typename Pack<W>::Vector;
  using Bits = typename Pack<W>::Bits;
  V const high = V{} + 88.0f, low = V{} - 87.0f;
  V a = x.v > high ? high : x.v;
  a = a < low ? low : a;
  V const rounder = V{} + 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  V const shifted = a * 1.44269504f + rounder;
  V const n = shifted - rounder;
  V const r = (a - n * 0.693359375f) + n * 2.12194440e-4f;
  V p = V{} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  Bits const exponent = ((Bits)shifted + 127) << 23;  // the low bits of `shifted` hold n
  return Pack<W>{p * (V)exponent};
}

KOKKOS_INLINE_FUNCTION Pack<1> exp(Pack<1> x) { return Pack<1>{::expf(x.v)}; }

/// Logistic function 1 / (1 + e^-x).
template <int W>
KOKKOS_INLINE_FUNCTION Pack<W> sigmoid(Pack<W> x) {
  auto const one = Pack<W>::broadcast(1.0f);
  return one / (one + exp(Pack<W>::broadcast(0.0f) - x));
}

/// x * sigmoid(x).
template <int W>
KOKKOS_INLINE_FUNCTION Pack<W> silu(Pack<W> x) {
  return x * sigmoid(x);
}

/// d silu(x) / dx = s (1 + x (1 - s)) with s = sigmoid(x).
template <int W>
KOKKOS_INLINE_FUNCTION Pack<W> silu_derivative(Pack<W> x) {
  auto const one = Pack<W>::broadcast(1.0f);
  auto const s = sigmoid(x);
  return s * (one + x * (one - s));
}

}  // namespace glyphdiff::kernels
