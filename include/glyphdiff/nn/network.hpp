#pragma once

#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/nn/initialise.hpp>
#include <glyphdiff/nn/pass.hpp>
#include <glyphdiff/per_image.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>

namespace glyphdiff::nn {

/// What every network shares, whatever its layers: parameters, and how a pass is planned and run. UNet and
/// EncoderUNet derive from it; they check what they are given and say what it means.
///
/// `Layers` has declare(), forward(pass, extent, images, timesteps, labels, output, tape) and backward(pass,
/// labels, d_output, d_images, tape), which are given Buffers.
///
/// The network itself holds parameters and nothing else; what a pass needs lives in a Tape (training) or in
/// an Evaluator (sampling), and gradients in an arena of the caller's.
template <class Layers, class Exec, class Backend>
class Network {
 public:
  using execution_space = Exec;
  using backend = Backend;
  using Context = typename Backend::template Context<Exec>;
  static constexpr UNetConfig config = Layers::config;

  /// Copies would share their parameters (see clone()), and trainers and evaluators point to the network.
  Network(Network const&) = delete;
  Network& operator=(Network const&) = delete;

  /// All parameters in state-dict order; the arena is what optimisers, EMAs and checkpoints work on. Whoever
  /// writes through a View that is kept from an earlier call says so with parameters_changed().
  Arena<Exec> const& parameters() {
    parameters_changed();
    return parameters_;
  }
  ConstArena<Exec> parameters() const { return parameters_; }
  ParameterList const& parameter_list() const { return list_; }

  /// Tapes and evaluators keep weights as their backend reads them, and make them anew after this.
  void parameters_changed() { ++*version_; }

  /// Tells a profiler what the layers are called: as in the state dict, without the names of their parts.
  void name_layers(Profiler& profiler) const {
    for (ParameterInfo const& info : list_) {
      std::string name = info.name.substr(0, info.name.rfind('.'));
      for (char const* part : {".in_layers.0", ".norm", ".op", ".conv", ".0"})
        if (name.ends_with(part)) {
          name.resize(name.size() - std::string(part).size());
          break;
        }
      profiler.name_layer(info.offset, name);
    }
  }

  /// Everything that a training pass keeps between forward and backward. Reused from step to step; allocates
  /// only when a batch is larger than any before.
  class Tape {
   public:
    /// `trained`: the parameters that backward() finds gradients for, which must outlive the tape; null: all.
    explicit Tape(ParameterSelection const* trained = nullptr) : trained_(trained) {}
    Tape(Tape&&) = default;  // what waits for backward() goes along; a copy would share the memory
    Tape& operator=(Tape&&) = default;

    /// Peak bytes of activations, their gradients and scratch for a batch of this size, and of packed
    /// weights.
    std::int64_t bytes(Network const& net, Exec const& exec, Extent image) {
      std::int64_t const planned = plan(net, exec, image, false).bytes();
      return planned + context_.bytes();
    }

    /// Passes with this tape are recorded from here on; null: not. See Network::name_layers.
    void set_profiler(Profiler* profiler) { profiler_ = profiler; }

   private:
    friend class Network;

    MemoryPlan const& plan(Network const& net, Exec const& exec, Extent image, bool with_image_gradient) {
      return plan_once(plans_, std::tuple(image.n, image.h, image.w, worker_count(exec), with_image_gradient),
                       [&] {
                         return workspace_.plan([&] {
                           NetworkPass pass = net.pass(exec, context_, workspace_, nullptr, true);
                           pass.trained = trained_;
                           typename Layers::Tape tape;
                           net.forward_on(pass, image, tape);
                           net.backward_on(pass, with_image_gradient, tape);
                         });
                       });
    }

    ParameterSelection const* trained_;
    Profiler* profiler_ = nullptr;
    Context context_;
    Workspace<Exec> workspace_;
    std::map<std::tuple<int, int, int, int, bool>, MemoryPlan> plans_;
    typename Layers::Tape tape_;
    Extent extent_{};  // of the images that wait for backward(); n is 0 if there are none
    int workers_ = 0;  // of the execution space instance that forward() was given
    bool with_image_gradient_ = false;
    PerImage<Exec> per_image_;
    Told told_;
  };

 protected:
  Network(Exec const& exec, std::uint64_t seed) : list_(layers_.declare()), parameters_(uninitialised()) {
    initialise(Runner<Exec, Backend>(exec), list_, parameters_, seed);
  }
  Network(Exec const& exec, ZeroParameters) : list_(layers_.declare()), parameters_(uninitialised()) {
    Runner<Exec, Backend>(exec).run(kernels::FillZero{list_.total()}, parameters_.data());
    fence(exec, "a network's parameters");
  }
  /// The same layers with a copy of the parameters.
  Network(Exec const& exec, Network const& other)
      : layers_(other.layers_), list_(other.list_), parameters_(uninitialised()) {
    Runner<Exec, Backend>(exec).run(kernels::Copy{list_.total()}, other.parameters_.data(),
                                    parameters_.data());
    fence(exec, "a network's parameters");
  }

  /// N timesteps, N labels, or none, and the dropout in the space's memory, until the tape's next forward
  /// pass.
  static Told tell(Exec const& exec, std::span<float const> timesteps, std::span<int const> labels,
                   DropoutKey const& dropout, Tape& tape) {
    return tape.per_image_.upload(exec, timesteps, labels, dropout);
  }

  /// output = the layers at images (N,H,W,channels) of this extent and what they are told of them, which must
  /// stay there for the way back.
  void forward_pass(Exec const& exec, Extent image, float const* images, Told const& told, float* output,
                    Tape& tape, bool with_image_gradient) const {
    tape.extent_ = {};
    tape.workspace_.follow(tape.plan(*this, exec, image, with_image_gradient));
    tape.told_ = told;
    NetworkPass pass = this->pass(exec, tape.context_, tape.workspace_, parameters_.data(), true);
    void const* const outside[] = {images, told.timesteps, told.labels, output, told.dropout};
    pass.outside = outside;
    pass.profiler = tape.profiler_;
    pass.refresh_weights(ArenaVersion(version_));
    forward_on(pass, image, tape.tape_);
    tape.extent_ = image;
    tape.workers_ = worker_count(exec);
    tape.with_image_gradient_ = with_image_gradient;
  }

  /// The way back of the last forward_pass, which it uses up; d_images null: none.
  void backward_pass(Exec const& exec, float const* d_output, Arena<Exec> const& gradients, Tape& tape,
                     float* d_images) const {
    if (worker_count(exec) != tape.workers_)
      throw Error("the execution space instance of a backward pass",
                  "as many workers as the forward pass had, " + std::to_string(tape.workers_),
                  std::to_string(worker_count(exec)));
    tape.extent_ = {};
    NetworkPass pass = this->pass(exec, tape.context_, tape.workspace_, parameters_.data(), true);
    void const* const outside[] = {d_images, nullptr, tape.told_.labels, d_output, tape.told_.dropout};
    pass.outside = outside;
    pass.profiler = tape.profiler_;
    pass.refresh_weights(ArenaVersion(version_));
    pass.gradients = gradients.data();
    pass.trained = tape.trained_;
    backward_on(pass, tape.with_image_gradient_, tape.tape_);
  }

  /// Of the images that wait for their way back; n is 0 if there are none.
  static Extent waiting(Tape const& tape) {
    return tape.workspace_.bytes() == 0 ? Extent{} : tape.extent_;  // a tape that was moved has no memory
  }
  static bool with_image_gradient(Tape const& tape) { return tape.with_image_gradient_; }
  /// Values in an arena of the tape's gradients.
  std::int64_t trained_count(Tape const& tape) const {
    return tape.trained_ == nullptr ? list_.total() : tape.trained_->total();
  }

  /// Passes without gradients, with the network's own parameters or another arena's (an EMA). Can be moved.
  class Evaluation {
   public:
    using backend = Backend;
    std::int64_t workspace_bytes() const { return workspace_.bytes(); }

    /// What it computes is recorded from here on, and so is what samplers do with it; null: not.
    void set_profiler(Profiler* profiler) {
      profiler_ = profiler;
      if (profiler != nullptr) net_->name_layers(*profiler);
    }
    Profiler* profiler() const { return profiler_; }

   protected:
    explicit Evaluation(Network const& net) : Evaluation(net, {net.parameters(), net.version_}) {}
    Evaluation(Network const& net, ConstParameters<Exec> parameters)
        : net_(&net), parameters_(std::move(parameters)) {}

    void run(Exec const& exec, Extent image, float const* images, std::span<float const> timesteps,
             std::span<int const> labels, float* output) {
      workspace_.follow(plan_once(plans_, std::tuple(image.n, image.h, image.w, worker_count(exec)), [&] {
        return workspace_.plan([&] {
          NetworkPass pass = net_->pass(exec, context_, workspace_, nullptr, false);
          typename Layers::Tape tape;
          net_->forward_on(pass, image, tape);
        });
      }));
      Told const told = per_image_.upload(exec, timesteps, labels);
      NetworkPass pass = net_->pass(exec, context_, workspace_, parameters_.values.data(), false);
      void const* const outside[] = {images, told.timesteps, told.labels, output, told.dropout};
      pass.outside = outside;
      pass.profiler = profiler_;
      pass.refresh_weights(parameters_.version());
      typename Layers::Tape tape;
      net_->forward_on(pass, image, tape);
    }

   private:
    Network const* net_;
    ConstParameters<Exec> parameters_;
    Profiler* profiler_ = nullptr;
    Context context_;
    Workspace<Exec> workspace_;
    std::map<std::tuple<int, int, int, int>, MemoryPlan> plans_;
    PerImage<Exec> per_image_;
  };

 private:
  using NetworkPass = Pass<Exec, Backend>;

  // What a pass is given, or its gradient, by its place in Pass::outside.
  static constexpr Buffer<float> images_{Memory::outside, 0}, timesteps_{Memory::outside, 1},
      output_{Memory::outside, 3};
  static constexpr Buffer<int> labels_{Memory::outside, 2};
  static constexpr Buffer<RandomBatch const> dropout_{Memory::outside, 4};

  void forward_on(NetworkPass& pass, Extent image, typename Layers::Tape& tape) const {
    layers_.forward(pass, image, images_, timesteps_, labels_, output_, tape);
  }
  void backward_on(NetworkPass& pass, bool with_image_gradient, typename Layers::Tape& tape) const {
    layers_.backward(pass, labels_, output_, with_image_gradient ? images_ : Buffer<float>{}, tape);
  }

  /// What scratch memory is measured by, so that a plan holds for instances of as many workers alone.
  static int worker_count(Exec const& exec) { return int(exec.concurrency()); }

  Arena<Exec> uninitialised() const {
    return Arena<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::parameters"),
                       list_.total());
  }

  NetworkPass pass(Exec const& exec, Context& context, Workspace<Exec>& workspace, float const* parameters,
                   bool training) const {
    return {.exec = exec,
            .context = context,
            .workspace = workspace,
            .parameters = parameters,
            .training = training,
            .exact = config.exact_convolutions,
            .dropout = dropout_};
  }

  Layers layers_;
  ParameterList list_;
  Arena<Exec> parameters_;
  std::shared_ptr<std::int64_t> version_ = std::make_shared<std::int64_t>(0);
};

}  // namespace glyphdiff::nn
