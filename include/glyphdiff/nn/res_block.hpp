#pragma once

#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/nn/conv2d.hpp>
#include <glyphdiff/nn/group_norm.hpp>
#include <glyphdiff/nn/linear.hpp>
#include <glyphdiff/nn/resample.hpp>

namespace glyphdiff::nn {

/// The timestep (and class) embedding as every block reads it: silu(embedding), (N, width), and its gradient.
struct Embedding {
  float const* activated = nullptr;
  float* gradient = nullptr;  ///< blocks add to it
};

/// The residual block of ADM: norm, SiLU, [resample], convolution; the embedding; norm, SiLU, dropout,
/// convolution; plus the skip. Reads one activation (B = 0) or the pair [h | skip] without concatenating it.
///
/// Of what the backward pass needs, only the middle activation and the output are kept; the normalised inputs
/// of both convolutions are computed again, and so is the middle activation if Recompute.
template <class Spec, int A, int B, int Out, Resampling R = Resampling::none, bool Recompute = false>
struct ResBlock {
  static constexpr UNetConfig config = Spec::config;
  static constexpr int In = A + B;
  static constexpr bool modulated = config.scale_shift_norm;
  static constexpr int embedding_out = modulated ? 2 * Out : Out;
  static constexpr bool projected_skip = In != Out;
  static_assert(B == 0 || (R == Resampling::none && projected_skip),
                "ResBlock: one that reads a pair of activations does not resample and changes the channels");
  static_assert(!projected_skip || R == Resampling::none,
                "ResBlock: one that resamples does not change the channels");

  using NormIn = GroupNorm<In, config.norm_groups>;
  using NormOut = GroupNorm<Out, config.norm_groups>;

  static constexpr std::int64_t parameter_count =
      NormIn::parameter_count + Conv2d<In, Out>::parameter_count +
      Linear<config.embedding(), embedding_out>::parameter_count + NormOut::parameter_count +
      Conv2d<Out, Out>::parameter_count + (projected_skip ? Linear<In, Out>::parameter_count : 0);

  NormIn norm_in;
  Conv2d<In, Out> conv_in;
  Linear<config.embedding(), embedding_out> embedding;
  NormOut norm_out;
  Conv2d<Out, Out> conv_out;
  Linear<In, Out> skip;  // unused unless projected_skip
  std::uint32_t dropout_part = 0;

  struct Tape {
    float* statistics_in;
    float* statistics_out;
    float* embedding;  // (N, embedding_out), kept if modulated or recomputing
    Tensor<Out> middle, output;
  };

  void declare(ParameterList& list, std::string const& name) {
    dropout_part = std::uint32_t(list.all().size());  // any number that no other block has
    norm_in.declare(list, name + ".in_layers.0");
    conv_in.declare(list, name + ".in_layers.2");
    embedding.declare(list, name + ".emb_layers.1");
    norm_out.declare(list, name + ".out_layers.0");
    conv_out.declare(list, name + ".out_layers.3", true);
    if constexpr (projected_skip) skip.declare(list, name + ".skip_connection", 2);
  }

  template <class Pass>
  void forward(Pass& pass, Source<A, B> x, Embedding e, Tape& tape) const {
    Extent const in = x.extent(), out = resampled<R>(in);
    tape.statistics_in = pass.acquire(NormIn::statistics_size(in));
    tape.embedding = pass.acquire(std::int64_t(out.n) * embedding_out);
    embedding.forward(pass, out.n, {e.activated, config.embedding()}, tape.embedding);
    compute_middle<false>(pass, x, tape);
    pass.release_unless_training(tape.statistics_in);

    tape.statistics_out = pass.acquire(NormOut::statistics_size(out));
    auto modulated_out = pass.template tensor<Out>(out);
    norm_out.template forward<true>(pass, out, middle(tape), tape.statistics_out, scale_shift(tape),
                                    modulated_out.data);
    drop(pass, modulated_out);
    tape.output = pass.template tensor<Out>(out);
    float const* residual = tape.output.data;
    if constexpr (projected_skip)
      skip.forward(pass, in.pixels(), x.view(), tape.output.data);
    else if constexpr (R != Resampling::none)
      resample_forward<R>(pass, in, In, x.first.data, tape.output.data);
    else
      residual = x.first.data;
    conv_out.forward(pass, modulated_out, tape.output, residual);
    pass.release(modulated_out);
    if (!(modulated || Recompute) || !pass.training) pass.release(tape.embedding);
    if (Recompute || !pass.training) pass.release(tape.middle);
    pass.release_unless_training(tape.statistics_out);
  }

  /// Consumes dy and the tape.
  template <class Pass>
  void backward(Pass& pass, Source<A, B> x, Embedding e, Tensor<Out> dy, Gradient<A>& da, Gradient<B>& db,
                Tape& tape) const {
    Extent const in = x.extent(), out = resampled<R>(in);
    pass.release(tape.output);
    if constexpr (Recompute) compute_middle<true>(pass, x, tape);

    auto gradient = pass.template tensor<Out>(out);  // the second convolution's input, then gradients
    norm_out.template reapply<true>(pass, out, middle(tape), tape.statistics_out, scale_shift(tape),
                                    gradient.data);
    drop(pass, gradient);
    conv_out.backward_parameters(pass, gradient, dy);
    conv_out.backward_data(pass, out, dy, {gradient.data, false});
    drop(pass, gradient);
    float* d_embedding = pass.acquire(std::int64_t(out.n) * embedding_out);
    auto modulation = scale_shift(tape);
    if constexpr (modulated) modulation.gradient = d_embedding;
    norm_out.template backward<true>(pass, out, middle(tape), tape.statistics_out, modulation, gradient.data,
                                     {{gradient.data, false}, Out});
    if constexpr (!modulated) {
      if (!pass.planning())
        kernels::sum_per_image<typename Pass::Path>(pass.exec, out, Out, gradient.data, d_embedding, Out);
    }
    pass.release(tape.middle);
    pass.release(tape.statistics_out);
    if constexpr (modulated || Recompute) pass.release(tape.embedding);
    kernels::Channels const embedding_input{e.activated, config.embedding()};
    embedding.backward_parameters(pass, out.n, embedding_input, d_embedding);
    embedding.backward_data(pass, out.n, d_embedding, {{e.gradient, true}, config.embedding()});
    pass.release(d_embedding);

    auto activated = pass.template tensor<In>(in);  // the first convolution's input, then its gradient
    norm_in.template reapply<true>(pass, in, x.view(), tape.statistics_in, {}, activated.data);
    resample(pass, activated);
    conv_in.backward_parameters(pass, activated, gradient);
    conv_in.backward_data(pass, activated.extent, gradient, {activated.data, false});
    pass.release(gradient);
    if constexpr (R != Resampling::none) {
      auto larger = pass.template tensor<In>(in);
      resample_backward<R>(pass, in, In, activated.data, {larger.data, false});
      pass.release(activated);
      activated = larger;
    }
    kernels::ChannelsGradient dx{da.open(pass, in), A, db.open(pass, in), B};
    norm_in.template backward<true>(pass, in, x.view(), tape.statistics_in, {}, activated.data, dx);
    pass.release(activated);
    pass.release(tape.statistics_in);

    dx.first.accumulate = dx.second.accumulate = true;
    if constexpr (projected_skip) {
      skip.backward_parameters(pass, in.pixels(), x.view(), dy.data);
      skip.backward_data(pass, in.pixels(), dy.data, dx);
    } else if constexpr (R != Resampling::none) {
      resample_backward<R>(pass, in, In, dy.data, dx.first);
    } else {
      if (!pass.planning()) kernels::add(pass.exec, dy.data, dx.first.data, dy.size());
    }
    pass.release(dy);
  }

 private:
  /// tape.middle: norm, SiLU, [resample], convolution, and the embedding unless it modulates the norm.
  /// `Again`: the norm's statistics are known.
  template <bool Again, class Pass>
  void compute_middle(Pass& pass, Source<A, B> x, Tape& tape) const {
    Extent const in = x.extent(), out = resampled<R>(in);
    auto activated = pass.template tensor<In>(in);  // (N,H,W,In)
    if constexpr (Again)
      norm_in.template reapply<true>(pass, in, x.view(), tape.statistics_in, {}, activated.data);
    else
      norm_in.template forward<true>(pass, in, x.view(), tape.statistics_in, {}, activated.data);
    resample(pass, activated);
    tape.middle = pass.template tensor<Out>(out);
    conv_in.forward(pass, activated, tape.middle);
    pass.release(activated);
    if constexpr (!modulated)
      if (!pass.planning())
        kernels::add_per_image<typename Pass::Path>(pass.exec, out, Out, tape.embedding, tape.middle.data);
  }

  static kernels::Channels middle(Tape const& tape) { return {tape.middle.data, Out}; }

  static kernels::ScaleShift scale_shift(Tape const& tape) {
    if constexpr (modulated) return {tape.embedding};
    return {};
  }

  template <class Pass>
  static void resample(Pass& pass, Tensor<In>& x) {
    if constexpr (R != Resampling::none) {
      auto y = pass.template tensor<In>(resampled<R>(x.extent));
      resample_forward<R>(pass, x.extent, In, x.data, y.data);
      pass.release(x);
      x = y;
    }
  }

  template <class Pass>
  void drop(Pass& pass, Tensor<Out> x) const {
    if constexpr (config.dropout > 0) {
      if (!pass.training || pass.planning()) return;
      RandomKey const key{pass.dropout.seed, Stream::dropout, pass.dropout.step, dropout_part};
      kernels::dropout(pass.exec, x.data, x.extent.n, x.size() / x.extent.n, float(config.dropout), key,
                       pass.dropout.first_sample);
    }
  }
};

}  // namespace glyphdiff::nn
