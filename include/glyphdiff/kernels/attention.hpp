#pragma once

#include <glyphdiff/kernels/host/attention.hpp>
#include <glyphdiff/kernels/portable/attention.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>

namespace glyphdiff::kernels {

/// Floats of scratch for both passes.
template <class Value, class Exec>
std::int64_t attention_workspace(PortableIn<Value>, Exec const&, AttentionShape s) {
  return portable::attention_workspace(s, !std::is_same_v<Value, float>);
}

/// y (N,T,C) = softmax(q k^T / sqrt(ch)) v per head, from qkv (N,T,3C); C = heads * ch.
template <class Value, class Exec, class T>
void attention_forward(PortableIn<Value>, Exec const& exec, AttentionShape s, T const* qkv, T* y,
                       float* workspace) {
  portable::attention_forward(exec, s, qkv, y, workspace);
}

/// dqkv (N,T,3C; assigned) from dy (N,T,C), recomputing the probabilities from qkv; y is the forward pass's
/// result.
template <class Value, class Exec, class T>
void attention_backward(PortableIn<Value>, Exec const& exec, AttentionShape s, T const* qkv, T const* /*y*/,
                        T const* dy, T* dqkv, float* workspace) {
  portable::attention_backward(exec, s, qkv, dy, dqkv, workspace);
}

template <class Exec>
std::int64_t attention_workspace(Vectorised, Exec const& exec, AttentionShape s) {
  return host::attention_workspace(exec, s);
}

template <class Exec>
void attention_forward(Vectorised, Exec const& exec, AttentionShape s, float const* qkv, float* y,
                       float* workspace) {
  host::attention_forward(exec, s, qkv, y, workspace);
}

template <class Exec>
void attention_backward(Vectorised, Exec const& exec, AttentionShape s, float const* qkv, float const* y,
                        float const* dy, float* dqkv, float* workspace) {
  host::attention_backward(exec, s, qkv, y, dy, dqkv, workspace);
}

struct AttentionForward {
  static constexpr char const* name = "attention::forward";
  AttentionShape shape;

  Work work(int value) const { return attention_work(shape, value, 4, 2); }
  template <class Backend, class Exec>
  std::int64_t scratch(Backend backend, Exec const& exec) const {
    return attention_workspace(backend, exec, shape);
  }
  template <class Backend, class Exec, class T>
  void run(Backend backend, Exec const& exec, float* scratch, T const* qkv, T* y) const {
    attention_forward(backend, exec, shape, qkv, y, scratch);
  }
};

struct AttentionBackward {
  static constexpr char const* name = "attention::backward";
  AttentionShape shape;

  Work work(int value) const { return attention_work(shape, value, 8, 5); }
  template <class Backend, class Exec>
  std::int64_t scratch(Backend backend, Exec const& exec) const {
    return attention_workspace(backend, exec, shape);
  }
  template <class Backend, class Exec, class T>
  void run(Backend backend, Exec const& exec, float* scratch, T const* qkv, T const* y, T const* dy,
           T* dqkv) const {
    attention_backward(backend, exec, shape, qkv, y, dy, dqkv, scratch);
  }
};

#define GLYPHDIFF_ATTENTION_KERNELS(MAKE, Exec)  \
  MAKE(host::attention_workspace<Exec>)          \
  MAKE(host::attention_forward<Exec>)            \
  MAKE(host::attention_backward<Exec>)           \
  MAKE(portable::attention_forward<Exec, float>) \
  MAKE(portable::attention_backward<Exec, float>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_ATTENTION_KERNELS)

}  // namespace glyphdiff::kernels
