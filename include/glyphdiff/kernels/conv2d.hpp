#pragma once

#include <glyphdiff/kernels/host/conv2d.hpp>
#include <glyphdiff/kernels/portable/conv2d.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>

namespace glyphdiff::kernels {

/// Floats of scratch for any of the three passes.
template <class Exec>
std::int64_t conv2d_workspace(Portable, Exec const&, ConvShape s, bool) {
  return portable::conv2d_workspace(s);
}

/// y (N,Ho,Wo,K) = x (N,H,W,C) convolved with weight (K,C,k,k) + bias (K) [+ residual, of y's shape; null:
/// none]. `exact`: no Winograd transforms.
template <class Exec>
void conv2d_forward(Portable, Exec const& exec, ConvShape s, bool, float const* x, float const* weight,
                    float const* bias, float const* residual, float* y, float* workspace) {
  portable::conv2d_forward(exec, s, x, weight, bias, residual, y, workspace);
}

/// dx (N,H,W,C) = [accumulate: dx +] the data gradient of dy (N,Ho,Wo,K).
template <class Exec>
void conv2d_backward_data(Portable, Exec const& exec, ConvShape s, bool, float const* dy, float const* weight,
                          float* dx, bool accumulate, float* workspace) {
  portable::conv2d_backward_data(exec, s, dy, weight, dx, accumulate, workspace);
}

/// dweight (K,C,k,k) += and dbias (K) += from x (N,H,W,C) and dy (N,Ho,Wo,K).
template <class Exec>
void conv2d_backward_weight(Portable, Exec const& exec, ConvShape s, bool, float const* x, float const* dy,
                            float* dweight, float* dbias, float* workspace) {
  portable::conv2d_backward_weight(exec, s, x, dy, dweight, dbias, workspace);
}

template <class Exec>
std::int64_t conv2d_workspace(Vectorised, Exec const& exec, ConvShape s, bool exact) {
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
  template <class Backend, class Exec>
  void run(Backend backend, Exec const& exec, float* scratch, float const* x, float const* weight,
           float const* bias, float const* residual, float* y) const {
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
  template <class Backend, class Exec>
  void run(Backend backend, Exec const& exec, float* scratch, float const* dy, float const* weight,
           GradientSink dx) const {
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
    return conv2d_workspace(backend, exec, shape, exact);
  }
  template <class Backend, class Exec>
  void run(Backend backend, Exec const& exec, float* scratch, float const* x, float const* dy, float* dweight,
           float* dbias) const {
    conv2d_backward_weight(backend, exec, shape, exact, x, dy, dweight, dbias, scratch);
  }
};

#define GLYPHDIFF_CONV2D_KERNELS(MAKE, Exec) \
  MAKE(host::conv2d_workspace<Exec>)         \
  MAKE(host::conv2d_forward<Exec>)           \
  MAKE(host::conv2d_backward_data<Exec>)     \
  MAKE(host::conv2d_backward_weight<Exec>)   \
  MAKE(portable::conv2d_forward<Exec>)       \
  MAKE(portable::conv2d_backward_data<Exec>) \
  MAKE(portable::conv2d_backward_weight<Exec>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_CONV2D_KERNELS)

}  // namespace glyphdiff::kernels
