#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/pack_weights.hpp>
#include <glyphdiff/nn/buffer.hpp>
#include <glyphdiff/nn/parameter.hpp>
#include <glyphdiff/random.hpp>
#include <glyphdiff/workspace.hpp>

#include <span>
#include <type_traits>

namespace glyphdiff {

/// One way through a network, on a backend: layers acquire buffers and run operations, and know nothing of
/// planning, of scratch memory or of addresses. The same code finds the memory plan and follows it.
template <class Exec_, class Backend_>
struct Pass {
  using Exec = Exec_;
  using Backend = Backend_;
  using Context = typename Backend::template Context<Exec>;

  Exec const& exec;
  Context& context;
  Workspace<Exec>& workspace;
  float const* parameters = nullptr;       ///< arena
  float* gradients = nullptr;              ///< arena of the trained parameters; layers add to it
  std::span<void const* const> outside{};  ///< addresses of what outside_buffer() means
  bool training = false;                   ///< keep what the backward pass needs
  bool exact = false;                      ///< exact convolutions
  Buffer<RandomBatch const> dropout{};     ///< one: which numbers drop activations; `part` is a layer's own
  ParameterSelection const* trained = nullptr;  ///< null: all parameters are
  Profiler* profiler = nullptr;
  std::int64_t layer = -1;  ///< for the profiler: where the parameters of the layer at work begin

  /// The parameter at this offset of the arena.
  Buffer<float const> parameter(std::int64_t offset) const { return {Memory::parameters, 0, offset}; }
  /// The weights that begin at this offset as products and convolutions of activations (T) read them; for
  /// floats, the parameter itself.
  template <class T>
  Buffer<T const> weights(std::int64_t offset, kernels::WeightPacking const& packing) const {
    int const number = std::is_same_v<T, float> ? -1 : context.find(offset, packing);
    if (number < 0) return {Memory::parameters, 0, offset};
    return {Memory::packed, number};
  }
  /// Packs what is older than this version of the parameters. To be called before the first operation.
  void refresh_weights(ArenaVersion const& version) const {
    context.refresh(version, [&](auto const& entry, auto* packed) {
      kernels::launch<Backend>(exec, context, profiler, entry.offset, kernels::PackWeights{entry.packing},
                               nullptr, parameters + entry.offset, packed);
    });
  }
  /// Whether it is trained.
  bool trains(std::int64_t offset) const { return trained == nullptr || trained->place(offset) >= 0; }
  /// Where its gradient is added; no buffer if it is not trained.
  Buffer<float> gradient(std::int64_t offset) const {
    if (trained != nullptr) offset = trained->place(offset);
    return offset < 0 ? Buffer<float>{} : Buffer<float>{Memory::gradients, 0, offset};
  }

  /// A new activation, uninitialised.
  template <int C>
  Owned<Tensor<C>> tensor(Extent extent) {
    using Value = typename Backend::Value;
    int const number = workspace.acquire(extent.pixels() * C * std::int64_t(sizeof(Value)));
    return {planner(), number, Tensor<C>{{Memory::workspace, number}, extent}};
  }
  /// So many new floats, uninitialised: statistics, embeddings, scratch.
  Owned<Buffer<float>> floats(std::int64_t count) {
    int const number = workspace.acquire(count * std::int64_t(sizeof(float)));
    return {planner(), number, Buffer<float>{Memory::workspace, number}};
  }
  /// Gives back what only a backward pass would need.
  template <class T>
  void keep_for_backward(Owned<T>& buffer) const {
    if (!training) buffer.give_back();
  }

  /// The one place where an operation of the network is planned, gets its scratch memory and addresses, and
  /// is launched. Operands are Buffers, Tensors, Columns and Sinks, owned or not.
  template <class Op, class... Operands>
  void run(Op const& op, Operands const&... operands) {
    run_on(op, operand(operands)...);
  }

 private:
  /// Null while a plan is followed: the lifetimes are known then.
  MemoryPlanner* planner() const { return workspace.planning() ? &workspace : nullptr; }

  // Operands without what only layers know (their channels), so that run_on is compiled once for an
  // operation.
  template <class T>
  static Buffer<T> operand(Buffer<T> x) {
    return x;
  }
  template <int C>
  static Buffer<Activation> operand(Tensor<C> x) {
    return x.data;
  }
  template <class T>
  static auto operand(Owned<T> const& x) {
    return operand(x.get());
  }
  template <int A, int B>
  static Columns<Activation> operand(Source<A, B> x) {
    return x;
  }
  template <class T>
  static kernels::ChannelsOf<Buffer<T>> operand(kernels::ChannelsOf<Buffer<T>> x) {
    return x;
  }
  template <class T>
  static Sink<T> operand(Sink<T> x) {
    return x;
  }
  template <class T>
  static ColumnsSink<T> operand(ColumnsSink<T> x) {
    return x;
  }

  template <class Op, class... Operands>
  void run_on(Op const& op, Operands const&... operands) {
    Owned<Buffer<float>> const scratch = floats(Backend::scratch(exec, context, op));
    if (workspace.planning())
      (require_in_use(Op::name, operands), ...);
    else
      kernels::launch<Backend>(exec, context, profiler, layer, op, at(scratch.get()), at(operands)...);
  }

  template <class T>
  using Resolved = std::conditional_t<
      std::is_same_v<std::remove_const_t<T>, Activation>,
      std::conditional_t<std::is_const_v<T>, typename Backend::Value const, typename Backend::Value>, T>;

  template <class T>
  Resolved<T>* at(Buffer<T> x) const {
    return x ? static_cast<Resolved<T>*>(begin(x.memory, x.number)) + x.offset : nullptr;
  }
  template <class T>
  kernels::ChannelsOf<Resolved<T>*> at(kernels::ChannelsOf<Buffer<T>> const& x) const {
    return {at(x.first), x.first_channels, at(x.second), x.second_channels};
  }
  template <class T>
  kernels::GradientSinkOf<Resolved<T>*> at(Sink<T> const& x) const {
    return {at(x.data), x.accumulate};
  }
  template <class T>
  kernels::ChannelsGradientOf<Resolved<T>*> at(ColumnsSink<T> const& x) const {
    return {at(x.first), x.first_channels, at(x.second), x.second_channels};
  }

  void* begin(Memory memory, int number) const {
    switch (memory) {
      case Memory::workspace:
        return workspace.address(number);
      case Memory::parameters:
        return const_cast<float*>(parameters);
      case Memory::packed:
        return context.address(number);
      case Memory::gradients:
        return gradients;
      case Memory::outside:
        return const_cast<void*>(outside[std::size_t(number)]);
      case Memory::none:
        break;
    }
    return nullptr;
  }

  template <class T>
  void require_in_use(char const* operation, Buffer<T> x) const {
    if (x.memory == Memory::workspace) workspace.require_in_use(x.number, operation);
  }
  template <class T>
  void require_in_use(char const* operation, Sink<T> const& x) const {
    require_in_use(operation, x.data);
  }
  template <class Pair>
  void require_in_use(char const* operation, Pair const& x) const {
    require_in_use(operation, x.first);
    require_in_use(operation, x.second);
  }
};

}  // namespace glyphdiff
