#pragma once

#include <glyphdiff/encoder_config.hpp>
#include <glyphdiff/nn/attention_pool.hpp>
#include <glyphdiff/nn/descending_level.hpp>
#include <glyphdiff/nn/mean_pool.hpp>
#include <glyphdiff/nn/network.hpp>
#include <glyphdiff/nn/spatial_pool.hpp>
#include <glyphdiff/nn/stem.hpp>
#include <glyphdiff/nn/time_embedding.hpp>

#include <span>
#include <string>
#include <utility>

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

  /// image: (N,H,W,channels); logits: (N, classes_out). A classifier is given no labels.
  template <class Pass>
  void forward(Pass& pass, Extent image_extent, Buffer<float const> image, Buffer<float const> timesteps,
               Buffer<int const>, Buffer<float> logits, Tape& tape) const {
    tape.embedding = time.forward(pass, image_extent.n, timesteps, {}, tape.time);
    stem.forward(pass, image_extent, image, tape.stem);
    auto const means = pool.collect(pass, image_extent.n, tape.pool);
    means.take(pass, tape.stem.output.get(), 0);
    level.forward(pass, tape.stem.output, tape.embedding, means, tape.level);
    pass.keep_for_backward(tape.stem.output);
    pool.forward(pass, tape.level.output(), logits, tape.pool);
    pass.keep_for_backward(tape.level.output());
    if (!pass.training) tape.time = {};
  }

  /// d_logits: (N, classes_out); d_image: none, or (N,H,W,channels), assigned.
  template <class Pass>
  void backward(Pass& pass, Buffer<int const>, Buffer<float const> d_logits, Buffer<float> d_image,
                Tape& tape) const {
    Extent const e = tape.stem.output->extent;
    auto const d_embedding = pass.floats(std::int64_t(e.n) * config.embedding());
    pass.run(kernels::FillZero{std::int64_t(e.n) * config.embedding()}, d_embedding);
    tape.embedding.gradient = d_embedding;

    auto d_bottom = pool.backward(pass, tape.level.output(), d_logits, tape.pool);
    auto const means = pool.gradients(tape.pool);
    Gradient<Stem<Spec>::Out> d_stem;
    level.backward(pass, tape.stem.output, tape.embedding, means, std::move(d_bottom), d_stem, tape.level);
    means.give_back(pass, e, 0, d_stem);
    pool.release(tape.pool);
    stem.backward(pass, std::move(d_stem.tensor), d_image, tape.stem);
    time.backward(pass, e.n, {}, d_embedding, tape.time);
    tape.time = {};
  }
};

}  // namespace nn

/// Parameters of the classifier that a Spec describes.
template <class Spec>
inline constexpr std::int64_t encoder_parameter_count = nn::EncoderLayers<Spec>::parameter_count;

/// The descending half of a UNet with a pool at its end: the classifier of noisy images that guides sampling
/// (Dhariwal & Nichol 2021, section 4), for a configuration (see ValidEncoder) on a Kokkos execution space.
template <class Spec, class Exec = Kokkos::DefaultExecutionSpace,
          class Backend = kernels::DefaultBackend<Exec>>
class EncoderUNet : public nn::Network<nn::EncoderLayers<Spec>, Exec, Backend> {
  using Base = nn::Network<nn::EncoderLayers<Spec>, Exec, Backend>;

 public:
  using Base::config;
  using typename Base::Tape;
  static constexpr int classes_out = Spec::classes_out;
  static constexpr Pool pool = Spec::pool;

  /// A classifier with fresh parameters: PyTorch's default initialisation, and zeros where ADM has them (the
  /// last layer of every residual branch, and that of adaptive pooling).
  explicit EncoderUNet(Exec const& exec = Exec(), std::uint64_t seed = 0) : Base(exec, seed) {}

  /// One whose parameters are zero, for a checkpoint to fill.
  EncoderUNet(Exec const& exec, ZeroParameters zero) : Base(exec, zero) {}

  /// Another network with a copy of the parameters.
  EncoderUNet clone(Exec const& exec) const { return EncoderUNet(exec, *this); }

  /// logits (N, classes_out) of images x (N,H,W,channels) at N timesteps, keeping what backward() needs.
  /// Error if a shape or the number of timesteps doesn't fit; attention pooling takes images of the training
  /// size alone.
  void forward(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
               Logits<Exec> const& logits, Tape& tape, DropoutKey dropout = {},
               bool with_image_gradient = false) const {
    Extent const e = require_shapes(x, logits);
    require_timesteps(e.n, timesteps);
    this->forward_pass(exec, e, x.data(), Base::tell(exec, timesteps, {}, dropout, tape), logits.data(), tape,
                       with_image_gradient);
  }

  /// The same with timesteps and dropout in the space's memory, which must stay as they are until after
  /// backward(); nothing is waited for.
  void forward(Exec const& exec, Images<Exec> const& x, Told const& told, Logits<Exec> const& logits,
               Tape& tape, bool with_image_gradient = false) const {
    Extent const e = require_shapes(x, logits);
    this->forward_pass(exec, e, x.data(), told, logits.data(), tape, with_image_gradient);
  }

  /// Adds dL/dparameters to `gradients` (an arena like parameters(), or of the tape's selection) from
  /// d_logits = dL/dlogits (N, classes_out) of the last forward(); d_image (N,H,W,channels) is assigned
  /// dL/dx, and is given exactly if forward() was told so. Error if a shape doesn't fit, or if there was no
  /// forward() since the last backward(), which uses up the tape.
  void backward(Exec const& exec, Logits<Exec> const& d_logits, Arena<Exec> const& gradients, Tape& tape,
                Images<Exec> const* d_image = nullptr) const {
    check_backward(d_logits, gradients, tape, d_image);
    this->backward_pass(exec, d_logits.data(), gradients, tape,
                        d_image != nullptr ? d_image->data() : nullptr);
  }

  /// Classifies without gradients, with the network's own parameters or another arena's (an EMA). The network
  /// must outlive it.
  class Evaluator : public Base::Evaluation {
   public:
    explicit Evaluator(EncoderUNet const& net) : Base::Evaluation(net) {}
    Evaluator(EncoderUNet const& net, ConstParameters<Exec> parameters)
        : Base::Evaluation(net, std::move(parameters)) {}

    /// logits (N, classes_out) of images x (N,H,W,channels) at N timesteps.
    void operator()(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
                    Logits<Exec> const& logits) {
      Extent const e = require_shapes(x, logits);
      require_timesteps(e.n, timesteps);
      this->run(exec, e, x.data(), timesteps, {}, logits.data());
    }
  };

 private:
  EncoderUNet(Exec const& exec, EncoderUNet const& other) : Base(exec, other) {}

  static void require(char const* what, std::string const& expected, std::string const& found) {
    if (found != expected) throw Error(what, expected, found);
  }

  void check_backward(Logits<Exec> const& d_logits, Arena<Exec> const& gradients, Tape const& tape,
                      Images<Exec> const* d_image) const {
    Extent const e = Base::waiting(tape);
    if (e.n == 0) throw Error("EncoderUNet::backward", "a tape that forward() has just filled", "none");
    char const* const answers[] = {"no image gradient", "an image gradient"};
    require("EncoderUNet::backward, as forward() was told", answers[Base::with_image_gradient(tape)],
            answers[d_image != nullptr]);
    require("EncoderUNet logits' gradient", shape_text({e.n, classes_out}), shape_text(d_logits));
    if (d_image != nullptr)
      require("EncoderUNet image gradient", shape_text({e.n, e.h, e.w, config.channels}),
              shape_text(*d_image));
    require("EncoderUNet gradients, in floats", std::to_string(this->trained_count(tape)),
            std::to_string(gradients.extent(0)));
  }

  static void require_timesteps(int n, std::span<float const> timesteps) {
    require("EncoderUNet timesteps, in number", std::to_string(n), std::to_string(timesteps.size()));
  }

  static Extent require_shapes(Images<Exec> const& x, Logits<Exec> const& logits) {
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
    return e;
  }
};

}  // namespace glyphdiff
