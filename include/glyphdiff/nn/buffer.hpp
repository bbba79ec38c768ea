#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/workspace.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

/// What layers hand to operations instead of addresses. A Pass finds the addresses when it runs an operation.
namespace glyphdiff {

/// Stands for the type of activations, which the backend chooses (Backend::Value).
struct Activation;

/// Where the values of a Buffer are.
enum class Memory : std::uint8_t {
  none,
  workspace,
  parameters,
  packed,  ///< weights as the backend reads them
  gradients,
  outside,  ///< what the pass was given: images, timesteps, the output
};

/// Values that an operation reads or writes: T is Activation, float or int; const if it is not written
/// through this buffer. Copies are shallow. One that is default is no buffer at all.
template <class T>
struct Buffer {
  Memory memory = Memory::none;
  int number = 0;           ///< of the workspace's buffer, or of what is outside
  std::int64_t offset = 0;  ///< in values

  explicit operator bool() const { return memory != Memory::none; }
  /// To a Buffer<T const>; a template, so that there is none from a Buffer of const values to itself.
  template <class Const>
  requires(!std::is_const_v<T> && std::is_same_v<Const, T const>) operator Buffer<Const>() const {
    return {memory, number, offset};
  }
  /// The same without its first values.
  Buffer from(std::int64_t values) const { return {memory, number, offset + values}; }
};

/// Activations inside the network, (N,H,W,C). The channel count is part of the type, so that layers which
/// don't fit together don't compile; height and width are free, so a network trained at 256 can sample at
/// 512. Copies are shallow, and const does not reach the values (as with a View).
template <int C>
struct Tensor {
  static constexpr int channels = C;
  Buffer<Activation> data;
  Extent extent{};

  std::int64_t size() const { return extent.pixels() * C; }
};

/// A Buffer or Tensor of the workspace with its owner: it is given back with this object, or before. Whoever
/// only reads or writes it takes a plain Buffer or Tensor.
template <class T>
class Owned {
 public:
  Owned() = default;
  /// `planner`: who is told that it is given back; null: nobody.
  Owned(MemoryPlanner* planner, int number, T const& value)
      : planner_(planner), number_(number), value_(value) {}
  Owned(Owned&& other) noexcept { *this = std::move(other); }
  /// What this one held is given back.
  Owned& operator=(Owned&& other) noexcept {
    if (this == &other) return *this;
    give_back();
    planner_ = std::exchange(other.planner_, nullptr);
    number_ = other.number_;
    value_ = std::exchange(other.value_, T{});
    return *this;
  }
  ~Owned() { give_back(); }

  /// Others may use its memory from here on.
  void give_back() {
    if (planner_ != nullptr) planner_->release(number_);
    planner_ = nullptr;
    value_ = {};
  }

  T const& get() const { return value_; }
  operator T() const { return value_; }
  template <class V>
  requires std::is_same_v<T, Buffer<V>>
  operator Buffer<V const>() const { return value_; }
  T const* operator->() const { return &value_; }

 private:
  MemoryPlanner* planner_ = nullptr;
  int number_ = 0;
  T value_{};
};

/// A parameter of a template that another one decides.
template <class T>
using Same = std::type_identity_t<T>;

/// One buffer, or two as if side by side: rows of so many values each.
template <class T>
using Columns = kernels::ChannelsOf<Buffer<T const>>;
/// Where a gradient goes, and whether it is added to what is there.
template <class T>
using Sink = kernels::GradientSinkOf<Buffer<T>>;
/// The gradient counterpart of Columns.
template <class T>
using ColumnsSink = kernels::ChannelsGradientOf<Buffer<T>>;

template <int C>
Columns<Activation> columns(Tensor<C> x) {
  return {x.data, C};
}
template <int C>
Columns<Activation> columns(Owned<Tensor<C>> const& x) {
  return columns(x.get());
}
/// A gradient that nothing has contributed to yet.
template <int C>
ColumnsSink<Activation> assigned(Owned<Tensor<C>> const& dx) {
  return {{dx->data, false}, C};
}

/// What a layer reads: one activation, or two as if concatenated along the channels (B = 0: one).
template <int A, int B = 0>
struct Source {
  static constexpr int channels = A + B;
  Tensor<A> first;
  Tensor<B> second{};

  Extent extent() const { return first.extent; }
  operator Columns<Activation>() const { return {first.data, A, second.data, B}; }
};

/// The gradient of an activation: the first layer that contributes allocates and assigns it, later ones add.
template <int C>
struct Gradient {
  Owned<Tensor<C>> tensor{};

  template <class Pass>
  Sink<Activation> open(Pass& pass, Extent extent) {
    bool const there = bool(tensor->data);
    if (!there) tensor = pass.template tensor<C>(extent);
    return {tensor->data, there};
  }
};

template <>
struct Gradient<0> {
  template <class Pass>
  Sink<Activation> open(Pass&, Extent) {
    return {};
  }
};

}  // namespace glyphdiff
