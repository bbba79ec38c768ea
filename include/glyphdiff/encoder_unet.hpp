#pragma once

#include <glyphdiff/encoder_config.hpp>
#include <glyphdiff/nn/attention_pool.hpp>
#include <glyphdiff/nn/descending_level.hpp>
#include <glyphdiff/nn/initialise.hpp>
#include <glyphdiff/nn/mean_pool.hpp>
#include <glyphdiff/nn/spatial_pool.hpp>
#include <glyphdiff/nn/stem.hpp>
#include <glyphdiff/nn/time_embedding.hpp>
#include <glyphdiff/per_image.hpp>

#include <map>
#include <span>
#include <tuple>

namespace glyphdiff {

namespace nn {

template <class Spec>
constexpr auto pool_of() {
  if constexpr (Spec::pool == Pool::adaptive) return MeanPool<Spec>{};
  if constexpr (Spec::pool == Pool::attention) return AttentionPool<Spec>{};
  if constexpr (Spec::pool == Pool::spatial) return SpatialPool<Spec, false>{};
  if constexpr (Spec::pool == Pool::spatial_v2) return SpatialPool<Spec, true>{};
}

/// Every layer of the classifier a Spec describes, in state-dict order. Holds offsets, no numbers.
template <class Spec>
struct EncoderLayers {
  static_assert(ValidEncoder<Spec>::value);
  static constexpr UNetConfig config = Spec::config;
  using PoolLayer = decltype(pool_of<Spec>());
  static constexpr std::int64_t parameter_count =
      TimeEmbedding<Spec>::parameter_count + Stem<Spec>::parameter_count +
      DescendingLevel<Spec, 0>::parameter_count + PoolLayer::parameter_count;

  TimeEmbedding<Spec> time;
  Stem<Spec> stem;
  DescendingLevel<Spec, 0> level;
  PoolLayer pool;

  struct Tape {
    typename TimeEmbedding<Spec>::Tape time;
    Embedding embedding;
    typename Stem<Spec>::Tape stem;
    typename DescendingLevel<Spec, 0>::Tape level;
    typename PoolLayer::Tape pool;
  };

  ParameterList declare() {
    ParameterList list;
    time.declare(list);
    stem.declare(list);
    int input = 1;
    level.declare(list, input);
    pool.declare(list);
    return list;
  }

  /// image: (N,H,W,channels); logits: (N, classes_out).
  template <class Pass>
  void forward(Pass& pass, Extent image_extent, float const* image, float const* timesteps, float* logits,
               Tape& tape) const {
    tape.embedding = time.forward(pass, image_extent.n, timesteps, nullptr, tape.time);
    stem.forward(pass, image_extent, image, tape.stem);
    auto const means = pool.collect(pass, image_extent.n, tape.pool);
    means.take(pass, tape.stem.output, 0);
    level.forward(pass, tape.stem.output, tape.embedding, means, tape.level);
    pass.release_unless_training(tape.stem.output);
    pool.forward(pass, tape.level.output(), logits, tape.pool);
    pass.release_unless_training(tape.level.output());
    if (!pass.training) time.release(pass, tape.time);
  }

  /// d_logits: (N, classes_out); d_image: null, or (N,H,W,channels), assigned.
  template <class Pass>
  void backward(Pass& pass, float const* d_logits, float* d_image, Tape& tape) const {
    Extent const e = tape.stem.output.extent;
    float* d_embedding = pass.acquire(std::int64_t(e.n) * config.embedding());
    if (!pass.planning()) kernels::fill_zero(pass.exec, d_embedding, std::int64_t(e.n) * config.embedding());
    tape.embedding.gradient = d_embedding;

    auto const d_bottom = pool.backward(pass, tape.level.output(), d_logits, tape.pool);
    auto const means = pool.gradients(tape.pool);
    Gradient<Stem<Spec>::Out> d_stem;
    level.backward(pass, tape.stem.output, tape.embedding, means, d_bottom, d_stem, tape.level);
    means.give_back(pass, e, 0, d_stem);
    pool.release(pass, tape.pool);
    stem.backward(pass, d_stem.tensor, d_image, tape.stem);
    time.backward(pass, e.n, nullptr, d_embedding, tape.time);
    pass.release(d_embedding);
    time.release(pass, tape.time);
  }
};

}  // namespace nn

/// Parameters of the classifier that a Spec describes.
template <class Spec>
inline constexpr std::int64_t encoder_parameter_count = nn::EncoderLayers<Spec>::parameter_count;

/// The descending half of a UNet with a pool at its end: the classifier of noisy images that guides sampling
/// (Dhariwal & Nichol 2021, section 4), for a configuration (see ValidEncoder) on a Kokkos execution space.
///
/// As UNet, it holds parameters and nothing else.
template <class Spec, class Exec = Kokkos::DefaultExecutionSpace, class Path = kernels::DefaultPath<Exec>>
class EncoderUNet {
  using Layers = nn::EncoderLayers<Spec>;
  using EncoderPass = Pass<Exec, Path>;

 public:
  static constexpr UNetConfig config = Spec::config;
  static constexpr int classes_out = Spec::classes_out;
  using execution_space = Exec;

  /// A classifier with fresh parameters: PyTorch's default initialisation, and zeros where ADM has them (the
  /// last layer of every residual branch, and that of adaptive pooling).
  explicit EncoderUNet(Exec const& exec = Exec(), std::uint64_t seed = 0) : list_(layers_.declare()) {
    parameters_ =
        Arena<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::parameters"), list_.total());
    initialise(exec, list_, parameters_, seed);
  }

  /// All parameters in state-dict order; the arena is what optimisers, EMAs and checkpoints work on.
  Arena<Exec> const& parameters() const { return parameters_; }
  ParameterList const& parameter_list() const { return list_; }

  /// Everything that a training pass keeps between forward and backward. Reused from step to step; allocates
  /// only when a batch is larger than any before.
  class Tape {
   public:
    /// `trained`: the parameters that backward() finds gradients for, which must outlive the tape; null: all.
    explicit Tape(ParameterSelection const* trained = nullptr) : trained_(trained) {}

    /// Peak bytes of activations, their gradients and scratch for a batch of this size.
    std::int64_t bytes(EncoderUNet const& net, Exec const& exec, Extent image) {
      return plan(net, exec, image, false).bytes();
    }

   private:
    friend class EncoderUNet;

    MemoryPlan const& plan(EncoderUNet const& net, Exec const& exec, Extent image, bool with_image_gradient) {
      return plan_once(plans_, std::tuple(image.n, image.h, image.w, with_image_gradient), [&] {
        return workspace_.plan([&] {
          EncoderPass pass = net.pass(exec, workspace_, nullptr, true);
          pass.trained = trained_;
          typename Layers::Tape tape;
          float token;
          net.layers_.forward(pass, image, nullptr, nullptr, nullptr, tape);
          net.layers_.backward(pass, nullptr, with_image_gradient ? &token : nullptr, tape);
        });
      });
    }

    ParameterSelection const* trained_;
    Workspace<Exec> workspace_;
    std::map<std::tuple<int, int, int, bool>, MemoryPlan> plans_;
    typename Layers::Tape tape_;
    Extent extent_{};  // of the images that wait for backward(); n is 0 if there are none
    bool with_image_gradient_ = false;
    DropoutKey dropout_;
    PerImage<float, Exec> timesteps_;
  };

  /// logits (N, classes_out) of images x (N,H,W,channels) at N timesteps, keeping what backward() needs.
  /// Error if a shape or the number of timesteps doesn't fit; attention pooling takes images of the training
  /// size alone.
  void forward(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
               Logits<Exec> const& logits, Tape& tape, DropoutKey dropout = {},
               bool with_image_gradient = false) const {
    Extent const e = check(x, logits, timesteps);
    tape.extent_ = {};
    tape.workspace_.follow(tape.plan(*this, exec, e, with_image_gradient));
    tape.dropout_ = dropout;
    tape.timesteps_.upload(exec, timesteps);
    EncoderPass pass = this->pass(exec, tape.workspace_, parameters_.data(), true);
    pass.dropout = dropout;
    layers_.forward(pass, e, x.data(), tape.timesteps_.data(), logits.data(), tape.tape_);
    tape.extent_ = e;
    tape.with_image_gradient_ = with_image_gradient;
  }

  /// Adds dL/dparameters to `gradients` (an arena like parameters(), or of the tape's selection) from
  /// d_logits = dL/dlogits (N, classes_out) of the last forward(); d_image (N,H,W,channels) is assigned
  /// dL/dx, and is given exactly if forward() was told so. Error if a shape doesn't fit, or if there was no
  /// forward() since the last backward(), which uses up the tape.
  void backward(Exec const& exec, Logits<Exec> const& d_logits, Arena<Exec> const& gradients, Tape& tape,
                Images<Exec> const* d_image = nullptr) const {
    check_backward(d_logits, gradients, tape, d_image);
    tape.extent_ = {};
    EncoderPass pass = this->pass(exec, tape.workspace_, parameters_.data(), true);
    pass.gradients = gradients.data();
    pass.trained = tape.trained_;
    pass.dropout = tape.dropout_;
    layers_.backward(pass, d_logits.data(), d_image != nullptr ? d_image->data() : nullptr, tape.tape_);
  }

  /// Classifies without gradients, with the network's own parameters or another arena's (an EMA). The network
  /// must outlive it.
  class Evaluator {
   public:
    explicit Evaluator(EncoderUNet const& net) : Evaluator(net, net.parameters()) {}
    Evaluator(EncoderUNet const& net, Arena<Exec> parameters)
        : net_(&net), parameters_(std::move(parameters)) {}

    /// logits (N, classes_out) of images x (N,H,W,channels) at N timesteps.
    void operator()(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
                    Logits<Exec> const& logits) {
      Extent const e = net_->check(x, logits, timesteps);
      workspace_.follow(plan_once(plans_, std::tuple(e.n, e.h, e.w), [&] {
        return workspace_.plan([&] {
          EncoderPass pass = net_->pass(exec, workspace_, nullptr, false);
          net_->layers_.forward(pass, e, nullptr, nullptr, nullptr, tape_);
        });
      }));
      timesteps_.upload(exec, timesteps);
      EncoderPass pass = net_->pass(exec, workspace_, parameters_.data(), false);
      net_->layers_.forward(pass, e, x.data(), timesteps_.data(), logits.data(), tape_);
    }

    std::int64_t workspace_bytes() const { return workspace_.bytes(); }

   private:
    EncoderUNet const* net_;
    Arena<Exec> parameters_;
    Workspace<Exec> workspace_;
    std::map<std::tuple<int, int, int>, MemoryPlan> plans_;
    typename Layers::Tape tape_;
    PerImage<float, Exec> timesteps_;
  };

 private:
  EncoderPass pass(Exec const& exec, Workspace<Exec>& workspace, float const* parameters,
                   bool training) const {
    return {exec, workspace, parameters, nullptr, training, config.exact_convolutions};
  }

  static void require(char const* what, std::string const& expected, std::string const& found) {
    if (found != expected) throw Error(what, expected, found);
  }

  void check_backward(Logits<Exec> const& d_logits, Arena<Exec> const& gradients, Tape const& tape,
                      Images<Exec> const* d_image) const {
    Extent const e = tape.extent_;
    if (e.n == 0) throw Error("EncoderUNet::backward", "a tape that forward() has just filled", "none");
    char const* const answers[] = {"no image gradient", "an image gradient"};
    require("EncoderUNet::backward, as forward() was told", answers[tape.with_image_gradient_],
            answers[d_image != nullptr]);
    require("EncoderUNet logits' gradient", shape_text({e.n, classes_out}), shape_text(d_logits));
    if (d_image != nullptr)
      require("EncoderUNet image gradient", shape_text({e.n, e.h, e.w, config.channels}),
              shape_text(*d_image));
    require("EncoderUNet gradients, in floats",
            std::to_string(tape.trained_ == nullptr ? list_.total() : tape.trained_->total()),
            std::to_string(gradients.extent(0)));
  }

  Extent check(Images<Exec> const& x, Logits<Exec> const& logits, std::span<float const> timesteps) const {
    Extent const e{int(x.extent(0)), int(x.extent(1)), int(x.extent(2))};
    constexpr int multiple = config.space_to_depth << (config.levels() - 1);
    bool const fits = Spec::pool == Pool::attention ? e.h == config.image_size && e.w == config.image_size
                                                    : e.h % multiple == 0 && e.w % multiple == 0;
    if (int(x.extent(3)) != config.channels || e.n < 1 || e.h < 1 || e.w < 1 || !fits) {
      std::string const size = std::to_string(config.image_size), channels = std::to_string(config.channels);
      throw Error("EncoderUNet input",
                  Spec::pool == Pool::attention
                      ? "(N, " + size + ", " + size + ", " + channels + ")"
                      : "(N, H, W, " + channels + ") with H and W multiples of " + std::to_string(multiple),
                  shape_text(x));
    }
    require("EncoderUNet logits", shape_text({e.n, classes_out}), shape_text(logits));
    require("EncoderUNet timesteps, in number", std::to_string(e.n), std::to_string(timesteps.size()));
    return e;
  }

  Layers layers_;
  ParameterList list_;
  Arena<Exec> parameters_;
};

}  // namespace glyphdiff
