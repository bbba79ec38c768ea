#pragma once

#include <glyphdiff/kernels/embedding.hpp>
#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/nn/linear.hpp>
#include <glyphdiff/nn/res_block.hpp>

namespace glyphdiff::nn {

/// Timestep and class to the embedding that modulates every block: sinusoid, Linear, SiLU, Linear, + label
/// row, SiLU.
template <class Spec>
struct TimeEmbedding {
  static constexpr UNetConfig config = Spec::config;
  static constexpr int narrow = config.model_channels, wide = config.embedding();
  static constexpr std::int64_t parameter_count = Linear<narrow, wide>::parameter_count +
                                                  Linear<wide, wide>::parameter_count +
                                                  std::int64_t(config.classes) * wide;

  Linear<narrow, wide> first;
  Linear<wide, wide> second;
  std::int64_t labels = 0;  // offset of (classes, wide)

  /// The inputs of both layers and of both SiLUs, which backward() needs, and the result, which every block
  /// reads.
  struct Tape {
    Owned<Buffer<float>> sinusoid, hidden, activated_hidden, embedding, activated;
  };

  void declare(ParameterList& list) {
    first.declare(list, "time_embed.0");
    second.declare(list, "time_embed.2");
    if constexpr (config.classes > 0)
      labels = list.add("label_emb.weight", {config.classes, wide}, Initialisation::normal, wide);
  }

  /// timesteps: N floats; label_ids: N class numbers, none without classes. The result lives as long as the
  /// tape.
  template <class Pass>
  Embedding forward(Pass& pass, int n, Buffer<float const> timesteps, Buffer<int const> label_ids,
                    Tape& tape) const {
    pass.layer = first.weight;
    std::int64_t const size = std::int64_t(n) * wide;
    tape.sinusoid = pass.floats(std::int64_t(n) * narrow);
    tape.hidden = pass.floats(size);
    tape.activated_hidden = pass.floats(size);
    tape.embedding = pass.floats(size);
    tape.activated = pass.floats(size);
    pass.run(kernels::TimestepEmbedding{n, narrow}, timesteps, tape.sinusoid);
    first.forward(pass, n, Columns<float>{tape.sinusoid, narrow}, tape.hidden);
    pass.run(kernels::SiluForward{size}, tape.hidden, tape.activated_hidden);
    second.forward(pass, n, Columns<float>{tape.activated_hidden, wide}, tape.embedding);
    if constexpr (config.classes > 0)
      pass.run(kernels::LabelEmbeddingForward{n, wide}, label_ids, pass.parameter(labels), tape.embedding);
    pass.run(kernels::SiluForward{size}, tape.embedding, tape.activated);
    return {tape.activated};
  }

  /// Turns the blocks' gradient of the activated embedding into the parameters' (added). Overwrites
  /// `gradient`.
  template <class Pass>
  void backward(Pass& pass, int n, Buffer<int const> label_ids, Buffer<float> gradient, Tape& tape) const {
    pass.layer = first.weight;
    std::int64_t const size = std::int64_t(n) * wide;
    pass.run(kernels::SiluBackward{size}, tape.embedding, gradient, gradient);
    if constexpr (config.classes > 0)
      if (pass.trains(labels))
        pass.run(kernels::LabelEmbeddingBackward{n, wide}, label_ids, gradient, pass.gradient(labels));
    second.backward_parameters(pass, n, Columns<float>{tape.activated_hidden, wide}, gradient);
    auto const d_hidden = pass.floats(size);
    second.backward_data(pass, n, gradient, ColumnsSink<float>{{d_hidden, false}, wide});
    pass.run(kernels::SiluBackward{size}, tape.hidden, d_hidden, d_hidden);
    first.backward_parameters(pass, n, Columns<float>{tape.sinusoid, narrow}, d_hidden);
  }
};

}  // namespace glyphdiff::nn
