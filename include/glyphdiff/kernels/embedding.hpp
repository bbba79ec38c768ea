#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>

#include <cmath>

namespace glyphdiff::kernels {

/// Sinusoidal timestep embedding (Vaswani et al. 2017; cosines first, as in DDPM): y (N, width) with
/// y[i] = cos(t f_i), y[half + i] = sin(t f_i), f_i = 10000^(-i / half), half = width / 2; a zero is appended
/// if width is odd.
template <class Exec>
void timestep_embedding(Exec const& exec, int n, int width, float const* timesteps, float* y) {
  int const half = width / 2;
  for_each(
      "glyphdiff::timestep_embedding", exec, std::int64_t(n) * width, KOKKOS_LAMBDA(std::int64_t item) {
        int const i = int(item % width);
        float const t = timesteps[item / width];
        float const angle = t * float(::exp(-9.210340371976184 * (i % half) / half));
        y[item] = i < half ? ::cosf(angle) : i < 2 * half ? ::sinf(angle) : 0.0f;
      });
}

/// y (N, width) += table[labels[n]]; table: (classes, width). A negative label adds nothing.
template <class Exec>
void label_embedding_forward(Exec const& exec, int n, int width, int const* labels, float const* table,
                             float* y) {
  for_each(
      "glyphdiff::label_embedding::forward", exec, std::int64_t(n) * width, KOKKOS_LAMBDA(std::int64_t item) {
        int const label = labels[item / width];
        if (label >= 0) y[item] += table[std::int64_t(label) * width + item % width];
      });
}

/// table gradient += dy of the images with that label, in index order.
template <class Exec>
void label_embedding_backward(Exec const& exec, int n, int width, int const* labels, float const* dy,
                              float* dtable) {
  for_each(
      "glyphdiff::label_embedding::backward", exec, width, KOKKOS_LAMBDA(std::int64_t c) {
        for (int i = 0; i < n; ++i)
          if (labels[i] >= 0) dtable[std::int64_t(labels[i]) * width + c] += dy[std::int64_t(i) * width + c];
      });
}

struct TimestepEmbedding {
  static constexpr char const* name = "timestep_embedding";
  int n, width;

  Work work(int) const { return {4.0 * n * width, 0}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* timesteps, float* y) const {
    timestep_embedding(exec, n, width, timesteps, y);
  }
};

struct LabelEmbeddingForward {
  static constexpr char const* name = "label_embedding::forward";
  int n, width;

  Work work(int) const { return {12.0 * n * width, 1.0 * n * width}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, int const* labels, float const* table, float* y) const {
    label_embedding_forward(exec, n, width, labels, table, y);
  }
};

struct LabelEmbeddingBackward {
  static constexpr char const* name = "label_embedding::backward";
  int n, width;

  Work work(int) const { return {12.0 * n * width, 1.0 * n * width}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, int const* labels, float const* dy, float* dtable) const {
    label_embedding_backward(exec, n, width, labels, dy, dtable);
  }
};

#define GLYPHDIFF_EMBEDDING_KERNELS(MAKE, Exec) \
  MAKE(timestep_embedding<Exec>)                \
  MAKE(label_embedding_forward<Exec>)           \
  MAKE(label_embedding_backward<Exec>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_EMBEDDING_KERNELS)

}  // namespace glyphdiff::kernels
