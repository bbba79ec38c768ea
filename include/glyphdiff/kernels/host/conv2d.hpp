#pragma once

#include <glyphdiff/kernels/host/conv2d_direct.hpp>
#include <glyphdiff/kernels/host/winograd.hpp>

/// Convolutions on the host's cores: Winograd where it is faster, unless exact ones are asked for, else direct.
namespace glyphdiff::kernels::host {

/// Whether a convolution goes through Winograd F(4x4, 3x3). With few channels on either side the transforms cost more than
/// they save.
constexpr bool takes_winograd(ConvShape s, bool exact) {
  return !exact && s.kernel == 3 && s.stride == 1 && s.in >= 16 && s.out >= 16;
}

/// Floats of workspace, enough for all three passes.
template <class Exec>
std::int64_t conv2d_workspace(Exec const& exec, ConvShape s, bool exact) {
  return takes_winograd(s, exact) ? winograd::conv2d_workspace(exec, s) : direct::conv2d_workspace(exec, s);
}

template <class Exec>
void conv2d_forward(Exec const& exec, ConvShape s, bool exact, float const* x, float const* weight, float const* bias,
                    float const* residual, float* y, float* workspace) {
  if (takes_winograd(s, exact)) winograd::conv2d_forward(exec, s, x, weight, bias, residual, y, workspace);
  else direct::conv2d_forward(exec, s, x, weight, bias, residual, y, workspace);
}

template <class Exec>
void conv2d_backward_data(Exec const& exec, ConvShape s, bool exact, float const* dy, float const* weight, float* dx,
                          bool accumulate, float* workspace) {
  if (takes_winograd(s, exact)) winograd::conv2d_backward_data(exec, s, dy, weight, dx, accumulate, workspace);
  else direct::conv2d_backward_data(exec, s, dy, weight, dx, accumulate, workspace);
}

template <class Exec>
void conv2d_backward_weight(Exec const& exec, ConvShape s, bool exact, float const* x, float const* dy,
                            float* dweight, float* dbias, float* workspace) {
  if (takes_winograd(s, exact)) winograd::conv2d_backward_weight(exec, s, x, dy, dweight, dbias, workspace);
  else direct::conv2d_backward_weight(exec, s, x, dy, dweight, dbias, workspace);
}

}  // namespace glyphdiff::kernels::host
