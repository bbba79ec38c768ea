#pragma once

#include <glyphdiff/kernels/host/conv2d_direct.hpp>
#include <glyphdiff/kernels/host/tuning.hpp>
#include <glyphdiff/kernels/host/winograd.hpp>

/// Convolutions on the host's cores, by Winograd's algorithm where it is the faster one.
namespace glyphdiff::kernels::host {

/// Whether a convolution takes Winograd's algorithm; `exact` rules it out. The choice depends on the shape
/// only.
constexpr bool takes_winograd(ConvShape s, bool exact) { return !exact && tuning::winograd_is_faster(s); }

/// Floats of workspace, enough for all three passes.
template <class Exec, int W = native_width>
std::int64_t conv2d_workspace(Exec const& exec, ConvShape s, bool exact) {
  return takes_winograd(s, exact) ? winograd::conv2d_workspace<Exec, W>(exec, s)
                                  : direct::conv2d_workspace<Exec, W>(exec, s);
}

/// y (N,Ho,Wo,K) = x (N,H,W,C) convolved with weight (K,C,k,k) [+ bias (K)] [+ residual, of y's shape; may be
/// y itself]. Kernels of 1 or 3, strides of 1 or 2, padding k / 2; null bias or residual: none. `exact`: no
/// Winograd transforms, whose rounding error is about 1.5 times larger. workspace: conv2d_workspace floats,
/// best aligned to 64 bytes (and on huge pages). The bits of the result don't depend on the number of
/// threads.
template <class Exec, int W = native_width>
void conv2d_forward(Exec const& exec, ConvShape s, bool exact, float const* x, float const* weight,
                    float const* bias, float const* residual, float* y, float* workspace) {
  if (takes_winograd(s, exact))
    winograd::conv2d_forward<Exec, W>(exec, s, x, weight, bias, residual, y, workspace);
  else
    direct::conv2d_forward<Exec, W>(exec, s, x, weight, bias, residual, y, workspace);
}

/// dx (N,H,W,C) = [accumulate: dx +] the data gradient of dy (N,Ho,Wo,K).
template <class Exec, int W = native_width>
void conv2d_backward_data(Exec const& exec, ConvShape s, bool exact, float const* dy, float const* weight,
                          float* dx, bool accumulate, float* workspace) {
  if (takes_winograd(s, exact))
    winograd::conv2d_backward_data<Exec, W>(exec, s, dy, weight, dx, accumulate, workspace);
  else
    direct::conv2d_backward_data<Exec, W>(exec, s, dy, weight, dx, accumulate, workspace);
}

/// dweight (K,C,k,k) += and dbias (K; null: none) += the gradients from x (N,H,W,C) and dy (N,Ho,Wo,K).
template <class Exec, int W = native_width>
void conv2d_backward_weight(Exec const& exec, ConvShape s, bool exact, float const* x, float const* dy,
                            float* dweight, float* dbias, float* workspace) {
  if (takes_winograd(s, exact))
    winograd::conv2d_backward_weight<Exec, W>(exec, s, x, dy, dweight, dbias, workspace);
  else
    direct::conv2d_backward_weight<Exec, W>(exec, s, x, dy, dweight, dbias, workspace);
}

}  // namespace glyphdiff::kernels::host
