#pragma once

#include <glyphdiff/kernels/host/conv2d.hpp>
#include <glyphdiff/kernels/portable/conv2d.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>

namespace glyphdiff::kernels {

/// Floats of scratch for a forward pass or a data gradient.
template <class Value, class Exec>
std::int64_t conv2d_workspace(PortableIn<Value>, Exec const&, ConvShape, bool) {
  return 0;
}
/// The same for the weights' gradients.
template <class Value, class Exec>
std::int64_t conv2d_weight_workspace(PortableIn<Value>, Exec const&, ConvShape s, bool) {
  return portable::conv2d_weight_workspace(s);
}

/// y (N,Ho,Wo,K) = x (N,H,W,C) convolved with weight (K,C,k,k), packed if the backend packs, + bias (K) [+
/// residual, of y's shape; null: none]. `exact`: no Winograd transforms.
template <class Value, class Exec>
void conv2d_forward(PortableIn<Value>, Exec const& exec, ConvShape s, bool, Value const* x,
                    Value const* weight, float const* bias, Value const* residual, Value* y, float*) {
  portable::conv2d_forward(exec, s, x, weight, bias, residual, y);
}

/// dx (N,H,W,C) = [accumulate: dx +] the data gradient of dy (N,Ho,Wo,K).
template <class Value, class Exec>
void conv2d_backward_data(PortableIn<Value>, Exec const& exec, ConvShape s, bool, Value const* dy,
                          Value const* weight, Value* dx, bool accumulate, float*) {
  portable::conv2d_backward_data(exec, s, dy, weight, dx, accumulate);
}

/// dweight (K,C,k,k) += and dbias (K) += (null: none) from x (N,H,W,C) and dy (N,Ho,Wo,K).
template <class Value, class Exec>
void conv2d_backward_weight(PortableIn<Value>, Exec const& exec, ConvShape s, bool, Value const* x,
                            Value const* dy, float* dweight, float* dbias, float* workspace) {
  portable::conv2d_backward_weight(exec, s, x, dy, dweight, dbias, workspace);
}

template <class Exec>
std::int64_t conv2d_workspace(Vectorised, Exec const& exec, ConvShape s, bool exact) {
  return host::conv2d_workspace(exec, s, exact);
}
template <class Exec>
std::int64_t conv2d_weight_workspace(Vectorised, Exec const& exec, ConvShape s, bool exact) {
  return host::conv2d_workspace(exec, s, exact);
}

template <class Exec>
void conv2d_forward(Vectorised, Exec const& exec, ConvShape s, bool exact, float const* x,
                    float const* weight, float const* bias, float const* residual, float* y,
                    float* workspace) {
  host::conv2d_forward(exec, s, exact, x, weight, bias, residual, y, workspace);
}

template <class Exec>
void conv2d_backward_data(Vectorised, Exec const& exec, ConvShape s, bool exact, float const* dy,
                          float const* weight, float* dx, bool accumulate, float* workspace) {
  host::conv2d_backward_data(exec, s, exact, dy, weight, dx, accumulate, workspace);
}

template <class Exec>
void conv2d_backward_weight(Vectorised, Exec const& exec, ConvShape s, bool exact, float const* x,
                            float const* dy, float* dweight, float* dbias, float* workspace) {
  host::conv2d_backward_weight(exec, s, exact, x, dy, dweight, dbias, workspace);
}

struct Conv2dForward {
  static constexpr char const* name = "conv2d::forward";
  ConvShape shape;
  bool exact;

  Work work(int value) const { return conv2d_work(shape, value); }
  template <class Backend, class Exec>
  std::int64_t scratch(Backend backend, Exec const& exec) const {
    return conv2d_workspace(backend, exec, shape, exact);
  }
  template <class Backend, class Exec, class T>
  void run(Backend backend, Exec const& exec, float* scratch, T const* x, T const* weight, float const* bias,
           T const* residual, T* y) const {
    conv2d_forward(backend, exec, shape, exact, x, weight, bias, residual, y, scratch);
  }
};

struct Conv2dBackwardData {
  static constexpr char const* name = "conv2d::backward_data";
  ConvShape shape;
  bool exact;

  Work work(int value) const { return conv2d_work(shape, value); }
  template <class Backend, class Exec>
  std::int64_t scratch(Backend backend, Exec const& exec) const {
    return conv2d_workspace(backend, exec, shape, exact);
  }
  template <class Backend, class Exec, class T>
  void run(Backend backend, Exec const& exec, float* scratch, T const* dy, T const* weight,
           GradientSinkOf<T*> dx) const {
    conv2d_backward_data(backend, exec, shape, exact, dy, weight, dx.data, dx.accumulate, scratch);
  }
};

struct Conv2dBackwardWeight {
  static constexpr char const* name = "conv2d::backward_weight";
  ConvShape shape;
  bool exact;

  Work work(int value) const { return conv2d_work(shape, value); }
  template <class Backend, class Exec>
  std::int64_t scratch(Backend backend, Exec const& exec) const {
    return conv2d_weight_workspace(backend, exec, shape, exact);
  }
  template <class Backend, class Exec, class T>
  void run(Backend backend, Exec const& exec, float* scratch, T const* x, T const* dy, float* dweight,
           float* dbias) const {
    conv2d_backward_weight(backend, exec, shape, exact, x, dy, dweight, dbias, scratch);
  }
};

#define GLYPHDIFF_CONV2D_KERNELS(MAKE, Exec)        \
  MAKE(host::conv2d_workspace<Exec>)                \
  MAKE(host::conv2d_forward<Exec>)                  \
  MAKE(host::conv2d_backward_data<Exec>)            \
  MAKE(host::conv2d_backward_weight<Exec>)          \
  MAKE(portable::conv2d_forward<Exec, float>)       \
  MAKE(portable::conv2d_backward_data<Exec, float>) \
  MAKE(portable::conv2d_backward_weight<Exec, float>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_CONV2D_KERNELS)

}  // namespace glyphdiff::kernels
