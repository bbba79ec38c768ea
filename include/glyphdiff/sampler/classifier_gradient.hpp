#pragma once

#include <glyphdiff/loss/cross_entropy.hpp>
#include <glyphdiff/nn/parameter.hpp>
#include <glyphdiff/tensor.hpp>

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// The gradient of log p(y | x_t) by the image, which classifier guidance adds to a sampling step (Dhariwal &
/// Nichol 2021, section 4, algorithms 1 and 2). `Net` is an EncoderUNet, which must outlive it. With the
/// classes set it is a GradientSource for ClassifierGuidance.
template <class Net>
class ClassifierGradient {
 public:
  using Exec = typename Net::execution_space;
  using backend = typename Net::backend;

  explicit ClassifierGradient(Net const& net)
      : net_(&net),
        no_parameters_(std::make_unique<ParameterSelection>(net.parameter_list(),
                                                            [](ParameterInfo const&) { return false; })),
        tape_(no_parameters_.get()) {}

  /// Classes of the samples to come, one for each image of a batch.
  void set_labels(std::vector<int> labels) { labels_ = std::move(labels); }

  /// out (N,H,W,channels) = d log p(y | x) / dx of images x at N network timesteps, y the classes that were
  /// set. Error as gradient().
  void operator()(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
                  Images<Exec> const& out) {
    gradient(exec, x, timesteps, labels_, out);
  }

  /// out (N,H,W,channels) = d log p(labels[n] | x[n]) / dx[n] of images x at N network timesteps. Returns the
  /// logarithms. Error if a shape, a number or a label doesn't fit.
  std::vector<double> gradient(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
                               std::span<int const> labels, Images<Exec> const& out) {
    if (logits_.extent(0) != x.extent(0)) {
      auto const logits = [&](std::string const& label) {
        return Logits<Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, label), x.extent(0),
                            Net::classes_out);
      };
      logits_ = logits("glyphdiff::classifier::logits");
      d_logits_ = logits("glyphdiff::classifier::d_logits");
    }
    net_->forward(exec, x, timesteps, logits_, tape_, {}, /*with_image_gradient=*/true);
    std::vector<double> const ascent(x.extent(0), -1.0);  // the loss is -log p
    std::vector<double> result =
        detail::cross_entropy<Runner<Exec, backend>>(Runner<Exec, backend>(exec), uploads_, results_, logits_,
                                                     labels, ascent, d_logits_)
            .loss;
    net_->backward(exec, d_logits_, Arena<Exec>(), tape_, &out);
    for (double& value : result) value = -value;
    return result;
  }

 private:
  Net const* net_;
  std::unique_ptr<ParameterSelection> no_parameters_;  // none is trained, so none gets a gradient
  typename Net::Tape tape_;
  Logits<Exec> logits_, d_logits_;
  TransferBlock<Exec> uploads_, results_;
  std::vector<int> labels_;
};

}  // namespace glyphdiff
