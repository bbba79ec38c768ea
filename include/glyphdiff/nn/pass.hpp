#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/nn/parameter.hpp>
#include <glyphdiff/random.hpp>
#include <glyphdiff/workspace.hpp>

namespace glyphdiff {

/// Which random numbers a training pass drops activations by.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::int64_t first_sample = 0;  ///< global number of the batch's first sample
};

/// One way through a network: what every layer needs to know. Layers ask `planning()` before they launch
/// anything, so that the same code finds the memory plan and follows it.
template <class Exec_, class Path_>
struct Pass {
  using Exec = Exec_;
  using Path = Path_;

  Exec const& exec;
  Workspace<Exec>& workspace;
  float const* parameters = nullptr;  ///< arena
  float* gradients = nullptr;         ///< arena of the trained parameters; layers add to it
  bool training = false;              ///< keep what the backward pass needs
  bool exact = false;                 ///< exact convolutions
  DropoutKey dropout{};
  ParameterSelection const* trained = nullptr;  ///< null: all parameters are

  /// Whether the parameter at this offset of the arena is trained.
  bool trains(std::int64_t parameter) const { return trained == nullptr || trained->place(parameter) >= 0; }
  /// Where the gradient of the parameter at this offset is added; null if it is not trained.
  float* gradient(std::int64_t parameter) const {
    std::int64_t const place = trained == nullptr ? parameter : trained->place(parameter);
    return place < 0 || planning() ? nullptr : gradients + place;
  }

  bool planning() const { return workspace.planning(); }

  template <int C>
  Tensor<C> tensor(Extent extent) {
    return workspace.template tensor<C>(extent);
  }
  float* acquire(std::int64_t floats) { return workspace.acquire(floats); }
  template <class Buffer>
  void release(Buffer& buffer) {
    workspace.release(buffer);
  }
  /// Releases what only a backward pass would need.
  template <class Buffer>
  void release_unless_training(Buffer& buffer) {
    if (!training) workspace.release(buffer);
  }
};

/// What a layer reads: one activation, or two as if concatenated along the channels (B = 0: one).
template <int A, int B = 0>
struct Source {
  static constexpr int channels = A + B;
  Tensor<A> first;
  Tensor<B> second{};

  Extent extent() const { return first.extent; }
  kernels::Channels view() const { return {first.data, A, second.data, B}; }
};

/// The gradient of an activation: the first layer that contributes allocates and assigns it, later ones add.
template <int C>
struct Gradient {
  Tensor<C> tensor{};

  template <class Pass>
  kernels::GradientSink open(Pass& pass, Extent extent) {
    if (tensor.data != nullptr) return {tensor.data, true};
    tensor = pass.template tensor<C>(extent);
    return {tensor.data, false};
  }
};

template <>
struct Gradient<0> {
  template <class Pass>
  kernels::GradientSink open(Pass&, Extent) {
    return {};
  }
};

}  // namespace glyphdiff
