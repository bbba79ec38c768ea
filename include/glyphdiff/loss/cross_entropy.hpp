#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/kernels/cross_entropy.hpp>
#include <glyphdiff/kernels/diffusion.hpp>
#include <glyphdiff/tensor.hpp>

#include <span>
#include <string>
#include <vector>

namespace glyphdiff {

/// What a classifier's answers are worth.
struct CrossEntropyReport {
  std::vector<double> loss;    ///< of each image, -log p(label) in nats, not weighted
  std::vector<int> predicted;  ///< the likeliest class of each image
};

/// The cross entropy of logits (N,K) and N labels, and, unless `gradient` is empty, the gradient of sum_n
/// weights[n] loss[n] by the logits (N,K). `weights`: empty for 1 / N. With weights of -1 the gradient is
/// that of log p(label), which guides sampling. Error if a number or a label doesn't fit.
template <class Exec>
CrossEntropyReport cross_entropy(Exec const& exec, Logits<Exec> const& logits, std::span<int const> labels,
                                 std::span<double const> weights, Logits<Exec> const& gradient) {
  int const n = int(logits.extent(0)), classes = int(logits.extent(1));
  auto const require = [](char const* what, std::size_t count, std::size_t expected) {
    if (count != expected) throw Error(what, std::to_string(expected) + " of them", std::to_string(count));
  };
  require("labels of the cross entropy", labels.size(), n);
  if (!weights.empty()) require("weights of the cross entropy", weights.size(), n);
  if (gradient.size() > 0) require("gradient of the cross entropy", gradient.size(), logits.size());
  for (int label : labels)
    if (label < 0 || label >= classes)
      throw Error("labels of the cross entropy", "classes in [0, " + std::to_string(classes) + ")",
                  std::to_string(label));

  auto const device_labels = kernels::upload(exec, std::vector<int>(labels.begin(), labels.end()));
  auto const device_weights =
      kernels::upload(exec, weights.empty() ? std::vector<double>(n, 1.0 / n)
                                            : std::vector<double>(weights.begin(), weights.end()));
  Kokkos::View<double*, typename Exec::memory_space> const loss("glyphdiff::cross_entropy::loss", n);
  Kokkos::View<int*, typename Exec::memory_space> const predicted("glyphdiff::cross_entropy::predicted", n);
  run(exec, kernels::CrossEntropy{n, classes}, logits.data(), device_labels.data(), device_weights.data(),
      loss.data(), predicted.data(), gradient.size() > 0 ? gradient.data() : nullptr);
  CrossEntropyReport report{std::vector<double>(n), std::vector<int>(n)};
  copy_values(exec, HostValues(report.loss.data(), n), loss);
  copy_values(exec, HostValues(report.predicted.data(), n), predicted);
  exec.fence();
  return report;
}

}  // namespace glyphdiff
