#pragma once

#include <glyphdiff/nn/level.hpp>
#include <glyphdiff/nn/network.hpp>
#include <glyphdiff/nn/stem.hpp>
#include <glyphdiff/nn/time_embedding.hpp>
#include <glyphdiff/valid_config.hpp>

#include <span>
#include <utility>
#include <vector>

namespace glyphdiff {

namespace nn {

/// Every layer of the network a Spec describes, in state-dict order. Holds offsets, no numbers.
template <class Spec>
struct UNetLayers {
  static_assert(ValidConfig<Spec>::value);
  static constexpr UNetConfig config = Spec::config;
  static constexpr int width = config.width(0);
  using OutNorm = GroupNorm<width, config.norm_groups>;
  using OutConv = Conv2d<width, config.stem_out()>;
  static constexpr std::int64_t parameter_count =
      TimeEmbedding<Spec>::parameter_count + Stem<Spec>::parameter_count + Level<Spec, 0>::parameter_count +
      OutNorm::parameter_count + OutConv::parameter_count;

  TimeEmbedding<Spec> time;
  Stem<Spec> stem;
  Level<Spec, 0> level;
  OutNorm out_norm;
  OutConv out_conv;

  struct Tape {
    typename TimeEmbedding<Spec>::Tape time;
    Embedding embedding;
    typename Stem<Spec>::Tape stem;
    typename Level<Spec, 0>::Tape level;
    Owned<Buffer<float>> out_statistics;  // kept for backward()
  };

  ParameterList declare() {
    ParameterList list;
    time.declare(list);
    stem.declare(list);
    int input = 1, output = 0;
    level.declare(list, input, output);
    out_norm.declare(list, "out.0");
    out_conv.declare(list, "out.2", true);
    return list;
  }

  /// image: (N,H,W,in_channels); output: (N,H,W,out_channels).
  template <class Pass>
  void forward(Pass& pass, Extent image_extent, Buffer<float const> image, Buffer<float const> timesteps,
               Buffer<int const> labels, Buffer<float> output, Tape& tape) const {
    constexpr int factor = config.space_to_depth;
    tape.embedding = time.forward(pass, image_extent.n, timesteps, labels, tape.time);
    stem.forward(pass, image_extent, image, tape.stem);
    Extent const e = tape.stem.output->extent;
    level.forward(pass, tape.stem.output, tape.embedding, tape.level);
    pass.keep_for_backward(tape.stem.output);
    pass.layer = out_norm.weight;
    tape.out_statistics = pass.floats(OutNorm::statistics_size(e));
    auto normed = pass.template tensor<width>(e);
    out_norm.template forward<true>(pass, e, columns(tape.level.output()), tape.out_statistics, {},
                                    normed->data);
    pass.keep_for_backward(tape.level.output());
    pass.keep_for_backward(tape.out_statistics);
    auto const folded_output = pass.template tensor<config.stem_out()>(e);
    out_conv.forward(pass, normed, folded_output);
    normed.give_back();
    pass.run(kernels::DepthToSpace{e, config.out_channels(), factor, 0}, folded_output, output);
    if (!pass.training) tape.time = {};
  }

  /// d_output: (N,H,W,out_channels); d_image: none, or (N,H,W,in_channels), assigned.
  template <class Pass>
  void backward(Pass& pass, Buffer<int const> labels, Buffer<float const> d_output, Buffer<float> d_image,
                Tape& tape) const {
    constexpr int factor = config.space_to_depth;
    Extent const e = tape.stem.output->extent;
    pass.layer = out_norm.weight;
    auto const d_embedding = pass.floats(std::int64_t(e.n) * config.embedding());
    pass.run(kernels::FillZero{std::int64_t(e.n) * config.embedding()}, d_embedding);
    tape.embedding.gradient = d_embedding;

    auto const top = columns(tape.level.output());
    auto d_folded = pass.template tensor<config.stem_out()>(e);
    pass.run(kernels::SpaceToDepth{e, config.out_channels(), factor, false}, d_output, d_folded);
    auto gradient = pass.template tensor<width>(e);
    out_norm.template reapply<true>(pass, e, top, tape.out_statistics, {}, gradient->data);
    out_conv.backward_parameters(pass, gradient, d_folded);
    out_conv.backward_data(pass, e, d_folded, {gradient->data, false});
    d_folded.give_back();
    out_norm.template backward<true>(pass, e, top, tape.out_statistics, {}, gradient->data,
                                     assigned(gradient));
    tape.out_statistics.give_back();

    Gradient<width> d_stem;
    level.backward(pass, tape.stem.output, tape.embedding, std::move(gradient), d_stem, tape.level);
    stem.backward(pass, std::move(d_stem.tensor), d_image, tape.stem);
    time.backward(pass, e.n, labels, d_embedding, tape.time);
    tape.time = {};
  }
};

}  // namespace nn

/// Parameters of the network that a Spec describes.
template <class Spec>
inline constexpr std::int64_t parameter_count = nn::UNetLayers<Spec>::parameter_count;

/// The UNet of ADM and IDDPM for a configuration (Spec::config, see UNetConfig) on a Kokkos execution space.
template <class Spec, class Exec = Kokkos::DefaultExecutionSpace,
          class Backend = kernels::DefaultBackend<Exec>>
class UNet : public nn::Network<nn::UNetLayers<Spec>, Exec, Backend> {
  using Base = nn::Network<nn::UNetLayers<Spec>, Exec, Backend>;

 public:
  using Base::config;
  using typename Base::Tape;

  /// A network with fresh parameters: PyTorch's default initialisation, and zeros where ADM has them (the
  /// last layer of every residual branch, and the output).
  explicit UNet(Exec const& exec = Exec(), std::uint64_t seed = 0) : Base(exec, seed) {}

  /// One whose parameters are zero, for a checkpoint to fill.
  UNet(Exec const& exec, ZeroParameters zero) : Base(exec, zero) {}

  /// Another network with a copy of the parameters.
  UNet clone(Exec const& exec) const { return UNet(exec, *this); }

  /// out (N,H,W,out_channels) = the network at x (N,H,W,in_channels) and N timesteps, keeping what backward()
  /// needs. `labels`: N classes, or no_class, if the network has any. Error if a shape, the number of
  /// timesteps or a label doesn't fit.
  void forward(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
               std::span<int const> labels, Images<Exec> const& out, Tape& tape, DropoutKey dropout = {},
               bool with_image_gradient = false) const {
    Extent const e = require_shapes(x, out);
    require_told(e.n, timesteps, labels);
    this->forward_pass(exec, e, x.data(), Base::tell(exec, timesteps, labels, dropout, tape), out.data(),
                       tape, with_image_gradient);
  }

  /// The same with timesteps, labels and dropout in the space's memory, which must stay as they are until
  /// after backward(); nothing is waited for. Labels are not checked: see require_labels.
  void forward(Exec const& exec, Images<Exec> const& x, Told const& told, Images<Exec> const& out, Tape& tape,
               bool with_image_gradient = false) const {
    Extent const e = require_shapes(x, out);
    this->forward_pass(exec, e, x.data(), told, out.data(), tape, with_image_gradient);
  }

  /// Error unless these are labels for n images.
  static void require_labels(int n, std::span<int const> labels) {
    if (int(labels.size()) != (config.classes > 0 ? n : 0))
      throw Error("UNet labels", std::to_string(config.classes > 0 ? n : 0) + " of them",
                  std::to_string(labels.size()));
    for (int label : labels)
      if (label < no_class || label >= config.classes)
        throw Error("UNet labels", "classes in [0, " + std::to_string(config.classes) + ") or no_class",
                    std::to_string(label));
  }

  /// Adds dL/dparameters to `gradients` (an arena like parameters(), or of the tape's selection) from d_out =
  /// dL/dout (N,H,W,out_channels) of the last forward(); d_image (N,H,W,in_channels) is assigned dL/dx, and
  /// is given exactly if forward() was told so. Error if a shape doesn't fit, or if there was no forward()
  /// since the last backward(), which uses up the tape.
  void backward(Exec const& exec, Images<Exec> const& d_out, Arena<Exec> const& gradients, Tape& tape,
                Images<Exec> const* d_image = nullptr) const {
    check_backward(d_out, gradients, tape, d_image);
    this->backward_pass(exec, d_out.data(), gradients, tape, d_image != nullptr ? d_image->data() : nullptr);
  }

  /// What the network reads: x (N,H,W,channels), and beside it the condition (N,H,W,condition_channels) if it
  /// reads one, in `memory`, which is made to fit. Error if a shape doesn't fit.
  template <class On>
  static Images<Exec> beside_condition(On const& exec, Images<Exec> const& x, Images<Exec> const& condition,
                                       Images<Exec>& memory) {
    if constexpr (config.condition_channels == 0) {
      return x;
    } else {
      std::string const expected = shape_text({std::int64_t(x.extent(0)), std::int64_t(x.extent(1)),
                                               std::int64_t(x.extent(2)), config.condition_channels});
      if (shape_text(condition) != expected) throw Error("UNet condition", expected, shape_text(condition));
      if (int(x.extent(3)) != config.channels)
        throw Error("UNet input", std::to_string(config.channels) + " channels and a condition",
                    shape_text(x));
      if (memory.extent(0) != x.extent(0) || memory.extent(1) != x.extent(1) ||
          memory.extent(2) != x.extent(2))
        memory = Images<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::unet::input"),
                              x.extent(0), x.extent(1), x.extent(2), config.in_channels());
      runner_on<Backend>(exec).run(
          kernels::ConcatenateChannels{std::int64_t(x.extent(0) * x.extent(1) * x.extent(2)), config.channels,
                                       config.condition_channels},
          x.data(), condition.data(), memory.data());
      return memory;
    }
  }

  /// Evaluates the network without gradients, with its own parameters or another arena's (an EMA). A Denoiser
  /// for the samplers. The network must outlive it.
  class Evaluator : public Base::Evaluation {
   public:
    explicit Evaluator(UNet const& net) : Base::Evaluation(net) {}
    Evaluator(UNet const& net, ConstParameters<Exec> parameters)
        : Base::Evaluation(net, std::move(parameters)) {}

    /// Classes of the samples to come, one for each image of a batch; no_class where it is not said.
    void set_labels(std::vector<int> labels) { labels_ = std::move(labels); }

    /// What else the network reads in the samples to come: (N,H,W,condition_channels).
    void set_condition(Images<Exec> condition) { condition_ = std::move(condition); }

    /// out (N,H,W,out_channels) = the network at x (N,H,W,channels), the condition and N timesteps. Error if
    /// a shape, the number of timesteps or a label doesn't fit.
    void operator()(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
                    Images<Exec> const& out) {
      Images<Exec> const input = beside_condition(exec, x, condition_, input_);
      Extent const e = require_shapes(input, out);
      require_told(e.n, timesteps, labels_);
      this->run(exec, e, input.data(), timesteps, labels_, out.data());
    }

   private:
    std::vector<int> labels_;
    Images<Exec> condition_, input_;
  };

 private:
  UNet(Exec const& exec, UNet const& other) : Base(exec, other) {}

  void check_backward(Images<Exec> const& d_out, Arena<Exec> const& gradients, Tape const& tape,
                      Images<Exec> const* d_image) const {
    Extent const e = Base::waiting(tape);
    bool const with_image_gradient = Base::with_image_gradient(tape);
    if (e.n == 0) throw Error("UNet::backward", "a tape that forward() has just filled", "none");
    if (d_image != nullptr && !with_image_gradient)
      throw Error("UNet::backward", "no image gradient, as forward() was told", "one");
    if (d_image == nullptr && with_image_gradient)
      throw Error("UNet::backward", "an image gradient, as forward() was told", "none");
    auto const require = [&](char const* what, Images<Exec> const& v, int channels) {
      std::string const expected = shape_text({e.n, e.h, e.w, channels});
      if (shape_text(v) != expected) throw Error(what, expected, shape_text(v));
    };
    require("UNet output gradient", d_out, config.out_channels());
    if (d_image != nullptr) require("UNet image gradient", *d_image, config.in_channels());
    std::int64_t const trained = this->trained_count(tape);
    if (std::int64_t(gradients.extent(0)) != trained)
      throw Error("UNet gradients", std::to_string(trained) + " values", std::to_string(gradients.extent(0)));
  }

  static void require_told(int n, std::span<float const> timesteps, std::span<int const> labels) {
    if (int(timesteps.size()) != n)
      throw Error("UNet timesteps", std::to_string(n) + " of them", std::to_string(timesteps.size()));
    require_labels(n, labels);
  }

  static Extent require_shapes(Images<Exec> const& x, Images<Exec> const& out) {
    Extent const e{int(x.extent(0)), int(x.extent(1)), int(x.extent(2))};
    constexpr int multiple = config.space_to_depth << (config.levels() - 1);
    if (int(x.extent(3)) != config.in_channels() || e.n < 1 || e.h < 1 || e.w < 1 || e.h % multiple ||
        e.w % multiple)
      throw Error("UNet input",
                  "(N, H, W, " + std::to_string(config.in_channels()) + ") with H and W multiples of " +
                      std::to_string(multiple),
                  shape_text(x));
    if (out.extent(0) != x.extent(0) || out.extent(1) != x.extent(1) || out.extent(2) != x.extent(2) ||
        int(out.extent(3)) != config.out_channels())
      throw Error("UNet output",
                  "the input's N, H, W and " + std::to_string(config.out_channels()) + " channels",
                  shape_text(out));
    return e;
  }
};

}  // namespace glyphdiff
