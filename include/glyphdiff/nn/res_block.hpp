#pragma once

#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/nn/conv2d.hpp>
#include <glyphdiff/nn/group_norm.hpp>
#include <glyphdiff/nn/linear.hpp>
#include <glyphdiff/nn/resample.hpp>

namespace glyphdiff::nn {

/// The timestep (and class) embedding as every block reads it: silu(embedding), (N, width), and its gradient.
struct Embedding {
  Buffer<float const> activated{};
  Buffer<float> gradient{};  ///< blocks add to it
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

  /// Kept for backward(), unless it recomputes: the input of the second norm, and what normalised both.
  struct Tape {
    Owned<Buffer<float>> statistics_in, statistics_out;
    Owned<Buffer<float>>
        embedding;  // (N, embedding_out): modulates the second norm, or its input is recomputed
    Owned<Tensor<Out>> middle;
    Owned<Tensor<Out>> output;  // what comes after it reads it, forward and backward
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
    pass.layer = norm_in.weight;
    Extent const in = x.extent(), out = resampled<R>(in);
    tape.statistics_in = pass.floats(NormIn::statistics_size(in));
    tape.embedding = pass.floats(std::int64_t(out.n) * embedding_out);
    embedding.forward(pass, out.n, activated(e), tape.embedding);
    compute_middle<false>(pass, x, tape);
    pass.keep_for_backward(tape.statistics_in);

    tape.statistics_out = pass.floats(NormOut::statistics_size(out));
    auto modulated_out = pass.template tensor<Out>(out);
    norm_out.template forward<true>(pass, out, columns(tape.middle), tape.statistics_out, modulation(tape),
                                    modulated_out->data);
    drop(pass, modulated_out);
    tape.output = pass.template tensor<Out>(out);
    if constexpr (projected_skip) {
      skip.forward(pass, in.pixels(), Columns<Activation>(x), tape.output->data);
      conv_out.forward(pass, modulated_out, tape.output, tape.output);
    } else if constexpr (R != Resampling::none) {
      resample_forward<R>(pass, x.first, tape.output);
      conv_out.forward(pass, modulated_out, tape.output, tape.output);
    } else {
      conv_out.forward(pass, modulated_out, tape.output, x.first);
    }
    modulated_out.give_back();
    if (!(modulated || Recompute) || !pass.training) tape.embedding.give_back();
    if (Recompute || !pass.training) tape.middle.give_back();
    pass.keep_for_backward(tape.statistics_out);
  }

  /// Uses up the tape.
  template <class Pass>
  void backward(Pass& pass, Source<A, B> x, Embedding e, Owned<Tensor<Out>> dy, Gradient<A>& da,
                Gradient<B>& db, Tape& tape) const {
    pass.layer = norm_in.weight;
    Extent const in = x.extent(), out = resampled<R>(in);
    tape.output.give_back();
    if constexpr (Recompute) compute_middle<true>(pass, x, tape);

    auto gradient = pass.template tensor<Out>(out);  // the second convolution's input, then gradients
    auto const middle = columns(tape.middle);
    norm_out.template reapply<true>(pass, out, middle, tape.statistics_out, modulation(tape), gradient->data);
    drop(pass, gradient);
    conv_out.backward_parameters(pass, gradient, dy);
    conv_out.backward_data(pass, out, dy, {gradient->data, false});
    drop(pass, gradient);
    auto d_embedding = pass.floats(std::int64_t(out.n) * embedding_out);
    Modulation modulates = modulation(tape);
    if constexpr (modulated) modulates.gradient = d_embedding;
    norm_out.template backward<true>(pass, out, middle, tape.statistics_out, modulates, gradient->data,
                                     assigned(gradient));
    if constexpr (!modulated) pass.run(kernels::SumPerImage{out, Out}, gradient, d_embedding);
    tape.middle.give_back();
    tape.statistics_out.give_back();
    tape.embedding.give_back();
    embedding.backward_parameters(pass, out.n, activated(e), d_embedding);
    embedding.backward_data(pass, out.n, d_embedding,
                            ColumnsSink<float>{{e.gradient, true}, config.embedding()});
    d_embedding.give_back();

    auto activated = pass.template tensor<In>(in);  // the first convolution's input, then its gradient
    norm_in.template reapply<true>(pass, in, Columns<Activation>(x), tape.statistics_in, {}, activated->data);
    resample(pass, activated);
    conv_in.backward_parameters(pass, activated, gradient);
    conv_in.backward_data(pass, activated->extent, gradient, {activated->data, false});
    gradient.give_back();
    if constexpr (R != Resampling::none) {
      auto before = pass.template tensor<In>(in);
      resample_backward<R, In>(pass, activated, {before->data, false}, in);
      activated = std::move(before);
    }
    ColumnsSink<Activation> dx{da.open(pass, in), A, db.open(pass, in), B};
    norm_in.template backward<true>(pass, in, Columns<Activation>(x), tape.statistics_in, {}, activated->data,
                                    dx);
    activated.give_back();
    tape.statistics_in.give_back();

    dx.first.accumulate = dx.second.accumulate = true;
    if constexpr (projected_skip) {
      skip.backward_parameters(pass, in.pixels(), Columns<Activation>(x), dy->data);
      skip.backward_data(pass, in.pixels(), dy->data, dx);
    } else if constexpr (R != Resampling::none) {
      resample_backward<R, Out>(pass, dy, dx.first, in);
    } else {
      pass.run(kernels::Add{dy->size()}, dy, dx.first.data);
    }
  }

 private:
  /// tape.middle: norm, SiLU, [resample], convolution, and the embedding unless it modulates the norm.
  /// `Again`: the norm's statistics are known.
  template <bool Again, class Pass>
  void compute_middle(Pass& pass, Source<A, B> x, Tape& tape) const {
    Extent const in = x.extent(), out = resampled<R>(in);
    auto activated = pass.template tensor<In>(in);  // (N,H,W,In)
    if constexpr (Again)
      norm_in.template reapply<true>(pass, in, Columns<Activation>(x), tape.statistics_in, {},
                                     activated->data);
    else
      norm_in.template forward<true>(pass, in, Columns<Activation>(x), tape.statistics_in, {},
                                     activated->data);
    resample(pass, activated);
    tape.middle = pass.template tensor<Out>(out);
    conv_in.forward(pass, activated, tape.middle);
    activated.give_back();
    if constexpr (!modulated) pass.run(kernels::AddPerImage{out, Out}, tape.embedding, tape.middle);
  }

  static Columns<float> activated(Embedding e) { return {e.activated, config.embedding()}; }

  static Modulation modulation(Tape const& tape) {
    if constexpr (modulated) return {tape.embedding};
    return {};
  }

  template <class Pass>
  static void resample(Pass& pass, Owned<Tensor<In>>& x) {
    if constexpr (R != Resampling::none) {
      auto y = pass.template tensor<In>(resampled<R>(x->extent));
      resample_forward<R, In>(pass, x, y);
      x = std::move(y);
    }
  }

  template <class Pass>
  void drop(Pass& pass, Tensor<Out> x) const {
    if constexpr (config.dropout > 0) {
      if (!pass.training) return;
      pass.run(kernels::Dropout{x.extent.n, x.size() / x.extent.n, float(config.dropout), dropout_part}, x,
               pass.dropout);
    }
  }
};

}  // namespace glyphdiff::nn
