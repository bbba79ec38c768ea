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

  struct Tape {
    float *sinusoid, *hidden, *activated_hidden, *embedding, *activated;
  };

  void declare(ParameterList& list) {
    first.declare(list, "time_embed.0");
    second.declare(list, "time_embed.2");
    if constexpr (config.classes > 0)
      labels = list.add("label_emb.weight", {config.classes, wide}, Initialisation::normal, wide);
  }

  /// timesteps: N floats; label_ids: N class numbers, null without classes. The result lives until release().
  template <class Pass>
  Embedding forward(Pass& pass, int n, float const* timesteps, int const* label_ids, Tape& tape) const {
    std::int64_t const size = std::int64_t(n) * wide;
    tape.sinusoid = pass.acquire(std::int64_t(n) * narrow);
    tape.hidden = pass.acquire(size);
    tape.activated_hidden = pass.acquire(size);
    tape.embedding = pass.acquire(size);
    tape.activated = pass.acquire(size);
    if (!pass.planning()) kernels::timestep_embedding(pass.exec, n, narrow, timesteps, tape.sinusoid);
    first.forward(pass, n, {tape.sinusoid, narrow}, tape.hidden);
    if (!pass.planning()) kernels::silu_forward(pass.exec, tape.hidden, tape.activated_hidden, size);
    second.forward(pass, n, {tape.activated_hidden, wide}, tape.embedding);
    if (!pass.planning()) {
      if constexpr (config.classes > 0)
        kernels::label_embedding_forward(pass.exec, n, wide, label_ids, pass.parameters + labels,
                                         tape.embedding);
      kernels::silu_forward(pass.exec, tape.embedding, tape.activated, size);
    }
    return {tape.activated, nullptr};
  }

  /// Turns the blocks' gradient of the activated embedding into the parameters' (added). Overwrites
  /// `gradient`.
  template <class Pass>
  void backward(Pass& pass, int n, int const* label_ids, float* gradient, Tape& tape) const {
    std::int64_t const size = std::int64_t(n) * wide;
    if (!pass.planning()) {
      kernels::silu_backward(pass.exec, tape.embedding, gradient, gradient, size);
      if constexpr (config.classes > 0)
        if (pass.trains(labels))
          kernels::label_embedding_backward(pass.exec, n, wide, label_ids, gradient, pass.gradient(labels));
    }
    second.backward_parameters(pass, n, {tape.activated_hidden, wide}, gradient);
    float* d_hidden = pass.acquire(size);
    second.backward_data(pass, n, gradient, {{d_hidden, false}, wide});
    if (!pass.planning()) kernels::silu_backward(pass.exec, tape.hidden, d_hidden, d_hidden, size);
    first.backward_parameters(pass, n, {tape.sinusoid, narrow}, d_hidden);
    pass.release(d_hidden);
  }

  template <class Pass>
  void release(Pass& pass, Tape& tape) const {
    pass.release(tape.sinusoid);
    pass.release(tape.hidden);
    pass.release(tape.activated_hidden);
    pass.release(tape.embedding);
    pass.release(tape.activated);
  }
};

}  // namespace glyphdiff::nn
