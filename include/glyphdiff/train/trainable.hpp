#pragma once

#include <glyphdiff/kernels/matmul.hpp>
#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/kernels/random.hpp>
#include <glyphdiff/nn/parameter.hpp>
#include <glyphdiff/optim/adamw.hpp>
#include <glyphdiff/unet.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// What training moves: all parameters of a network, some of them, or low-rank corrections of some of its
/// matrices. Optimiser, averages and checkpoints work on values(), the flat arena of what is trained, and
/// never need to know which it is. The network must outlive it.
template <class Net>
class Trainable {
 public:
  using Exec = typename Net::execution_space;

  /// All parameters: values() is the network's own arena.
  Trainable(Exec const& exec, Net& net) : net_(&net), values_(net.parameters()) {
    gradients_ = network_gradients_ = arena("glyphdiff::gradients", values_.extent(0));
    fence(exec, "gradients");
  }

  /// The chosen parameters; the others stay as they are and take no gradient, moment or average. Throws Error
  /// if none is chosen.
  Trainable(Exec const& exec, Net& net, ParameterSelection selection) : Trainable(net, std::move(selection)) {
    values_ = arena("glyphdiff::trained", selection_->total());
    gradients_ = network_gradients_;
    gather(exec, values_);
  }

  /// Low-rank adaptation (Hu et al. 2021, section 4.1): each chosen matrix W (Out, In) becomes W + B A with A
  /// (rank, In) uniform as a fresh layer's weights and B (Out, rank) zero; A and B are trained. Throws Error
  /// if none is chosen, one is no matrix (a 3x3 convolution or a vector), or the rank is below 1.
  Trainable(Exec const& exec, Net& net, ParameterSelection matrices, int rank, std::uint64_t seed)
      : Trainable(net, std::move(matrices)) {
    if (rank < 1) throw Error("rank of a low-rank adaptation", "1 or more", std::to_string(rank));
    rank_ = rank;
    for (ParameterInfo const& w : selection_->list()) {
      if (!is_matrix(w)) throw Error("low-rank adaptation", "matrices", w.name + ", which is none");
      std::string const name = w.name.substr(0, w.name.rfind(".weight"));
      factors_.add(name + ".lora_A.weight", {rank, w.shape[1]}, Initialisation::uniform_fan_in, w.shape[1]);
      factors_.add(name + ".lora_B.weight", {w.shape[0], rank}, Initialisation::zero, rank);
    }
    base_ = arena("glyphdiff::low_rank::base", selection_->total());
    gather(exec, base_);
    values_ = arena("glyphdiff::low_rank::factors", factors_.total());
    gradients_ = arena("glyphdiff::gradients", factors_.total());
    initialise(Runner<Exec, typename Net::backend>(exec), factors_, values_, seed,
               1u << 16);  // behind the parts of the network's own tensors
  }

  /// Whether a parameter can have a low-rank correction: a linear layer's or a 1x1 convolution's weight.
  static bool is_matrix(ParameterInfo const& info) {
    return info.shape.size() >= 2 && info.name.ends_with(".weight") &&
           std::all_of(info.shape.begin() + 2, info.shape.end(), [](auto extent) { return extent == 1; });
  }

  /// Names, shapes and offsets of what is trained.
  ParameterList const& list() const {
    return rank_ > 0 ? factors_ : selection_ != nullptr ? selection_->list() : net_->parameter_list();
  }
  Arena<Exec> const& values() const { return values_; }
  Arena<Exec> const& gradients() const { return gradients_; }  ///< of values(), after find_gradients()
  bool all() const { return selection_ == nullptr; }

  /// For the network's tape: the parameters whose gradients backward() adds to network_gradients().
  ParameterSelection const* selection() const { return selection_.get(); }
  Arena<Exec> const& network_gradients() const { return network_gradients_; }

  /// gradients() from network_gradients(), which end at zero: for W = W0 + B A, dB = dW A^T and dA = B^T dW.
  template <class On>
  void find_gradients(On const& exec) {
    if (rank_ == 0) return;
    auto&& runner = runner_on<typename Net::backend>(exec);
    using kernels::Transpose;
    std::size_t k = 0;
    for (ParameterInfo const& w : selection_->list()) {
      ParameterInfo const &a = factors_.all()[k], &b = factors_.all()[k + 1];
      int const out = int(w.shape[0]), in = int(w.shape[1]);
      float const* const dw = network_gradients_.data() + w.offset;
      multiply(runner, {out, rank_, in}, dw, in, Transpose::no, values_.data() + a.offset, in, Transpose::yes,
               gradients_.data() + b.offset, rank_);
      multiply(runner, {rank_, in, out}, values_.data() + b.offset, rank_, Transpose::yes, dw, in,
               Transpose::no, gradients_.data() + a.offset, in);
      k += 2;
    }
    runner.run(kernels::FillZero{std::int64_t(network_gradients_.extent(0))}, network_gradients_.data());
  }

  /// Makes the network's parameters those that `values` (of the size of values(): itself, or an average of
  /// it) stands for.
  template <class On>
  void apply(On const& exec, Arena<Exec> const& values) {
    net_->parameters_changed();
    if (all()) {
      if (values.data() != values_.data())
        run(runner_on<typename Net::backend>(exec), kernels::Copy{std::int64_t(values.size())}, values.data(),
            values_.data());
      return;
    }
    if (rank_ == 0) return scatter(exec, values);
    scatter(exec, base_);
    auto&& runner = runner_on<typename Net::backend>(exec);
    using kernels::Transpose;
    std::size_t k = 0;
    for (ParameterInfo const& w : selection_->list()) {
      ParameterInfo const &a = factors_.all()[k], &b = factors_.all()[k + 1];
      int const out = int(w.shape[0]), in = int(w.shape[1]);
      multiply(runner, {out, in, rank_}, values.data() + b.offset, rank_, Transpose::no,
               values.data() + a.offset, in, Transpose::no,
               net_->parameters().data() + net_->parameter_list()[w.name].offset, in);
      k += 2;
    }
  }

  /// Calls use(arena) with the network's parameters as `values` stands for them; the network is what it was
  /// afterwards. No second copy of a network is needed for it.
  template <class On, class Use>
  void with(On const& exec, Arena<Exec> const& values, Use&& use) {
    if (all()) return use(values);
    try {
      apply(exec, values);
      use(net_->parameters());
    } catch (...) {
      apply(exec, values_);
      throw;
    }
    apply(exec, values_);
  }

  /// Bytes beside the network's own parameters: gradients, copies and, with `averages` moving averages in
  /// memory, everything of the size of values().
  std::int64_t bytes(int averages, MomentFormat moments = MomentFormat::float32) const {
    std::int64_t const trained = std::int64_t(values_.extent(0));
    std::int64_t floats = (1 + averages) * trained;  // gradients
    if (!all()) floats += trained;                   // values()
    if (rank_ > 0) floats += std::int64_t(base_.extent(0) + network_gradients_.extent(0));
    return floats * std::int64_t(sizeof(float)) + 2 * trained * moment_bytes(moments);
  }

 private:
  Trainable(Net& net, ParameterSelection selection)
      : net_(&net), selection_(std::make_unique<ParameterSelection>(std::move(selection))) {
    if (selection_->total() == 0) throw Error("parameters to train", "at least one", "none");
    network_gradients_ = arena("glyphdiff::gradients", selection_->total());
  }

  static Arena<Exec> arena(std::string const& label, std::int64_t count) { return Arena<Exec>(label, count); }

  /// visit(piece of the chosen arena, piece of the network's) for every chosen parameter.
  template <class Visit>
  void for_each_piece(Arena<Exec> const& chosen, Visit const& visit) {
    using Piece =
        Kokkos::View<float*, Kokkos::LayoutRight, typename Exec::memory_space, Kokkos::MemoryUnmanaged>;
    for (ParameterInfo const& info : net_->parameter_list())
      if (std::int64_t const place = selection_->place(info.offset); place >= 0)
        visit(Piece(chosen.data() + place, info.count),
              Piece(net_->parameters().data() + info.offset, info.count));
  }
  void gather(Exec const& exec, Arena<Exec> const& to) {
    Runner<Exec, typename Net::backend> const runner(exec);
    for_each_piece(to, [&](auto chosen, auto whole) {
      runner.run(kernels::Copy{std::int64_t(chosen.size())}, whole.data(), chosen.data());
    });
    fence(exec, "the trained parameters' copy");
  }
  template <class On>
  void scatter(On const& exec, Arena<Exec> const& from) {
    auto&& runner = runner_on<typename Net::backend>(exec);
    for_each_piece(from, [&](auto chosen, auto whole) {
      runner.run(kernels::Copy{std::int64_t(chosen.size())}, chosen.data(), whole.data());
    });
  }

  /// c += op(a) op(b)
  template <class On>
  static void multiply(On const& runner, kernels::MatmulShape shape, float const* a, int lda,
                       kernels::Transpose ta, float const* b, int ldb, kernels::Transpose tb, float* c,
                       int ldc) {
    float const* const none = nullptr;
    runner.run(kernels::Matmul{shape, lda, ta, ldb, tb, ldc, true}, a, b, none, none, c);
  }

  Net* net_;
  std::unique_ptr<ParameterSelection> selection_;
  ParameterList factors_;
  int rank_ = 0;
  Arena<Exec> values_, gradients_, network_gradients_, base_;
};

}  // namespace glyphdiff
