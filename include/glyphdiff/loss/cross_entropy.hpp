#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/kernels/cross_entropy.hpp>
#include <glyphdiff/kernels/runner.hpp>
#include <glyphdiff/tensor.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace glyphdiff {

/// What a classifier's answers are worth.
struct CrossEntropyReport {
  std::vector<double> loss;    ///< of each image, -log p(label) in nats, not weighted
  std::vector<int> predicted;  ///< the likeliest class of each image
};

namespace detail {

/// Error unless these are labels of n images, of so many classes.
inline void require_labels(std::size_t n, int classes, std::span<int const> labels) {
  if (labels.size() != n)
    throw Error("labels of the cross entropy", std::to_string(n) + " of them", std::to_string(labels.size()));
  for (int label : labels)
    if (label < 0 || label >= classes)
      throw Error("labels of the cross entropy", "classes in [0, " + std::to_string(classes) + ")",
                  std::to_string(label));
}

/// cross_entropy() by way of these blocks.
template <class Exec, class Uploads, class Results>
CrossEntropyReport cross_entropy(Exec const& exec, Uploads& uploads, Results& results,
                                 Logits<Exec> const& logits, std::span<int const> labels,
                                 std::span<double const> weights, Logits<Exec> const& gradient) {
  std::size_t const n = logits.extent(0), classes = logits.extent(1);
  auto const require = [](char const* what, std::size_t count, std::size_t expected) {
    if (count != expected) throw Error(what, std::to_string(expected) + " of them", std::to_string(count));
  };
  require_labels(n, int(classes), labels);
  if (!weights.empty()) require("weights of the cross entropy", weights.size(), n);
  if (gradient.size() > 0) require("gradient of the cross entropy", gradient.size(), logits.size());

  uploads.clear();
  auto const weight = uploads.template add<double>(n);
  auto const label = uploads.template add<int>(n);
  for (std::size_t k = 0; k < n; ++k)
    uploads.host(weight)[k] = weights.empty() ? 1.0 / double(n) : weights[k];
  std::copy(labels.begin(), labels.end(), uploads.host(label).begin());
  uploads.upload(exec);
  fence(exec, "labels and weights to the space");
  results.clear();
  auto const loss = results.template add<double>(n);
  auto const predicted = results.template add<int>(n);
  results.make_room();
  run(exec, kernels::CrossEntropy{int(n), int(classes)}, logits.data(), uploads.device(label),
      uploads.device(weight), results.device(loss), results.device(predicted),
      gradient.size() > 0 ? gradient.data() : nullptr);
  results.download(exec);
  fence(exec, "losses to the host");
  auto const losses = results.host(loss);
  auto const classes_found = results.host(predicted);
  return {{losses.begin(), losses.end()}, {classes_found.begin(), classes_found.end()}};
}

}  // namespace detail

/// The cross entropy of logits (N,K) and N labels, and, unless `gradient` is empty, the gradient of sum_n
/// weights[n] loss[n] by the logits (N,K). `weights`: empty for 1 / N. With weights of -1 the gradient is
/// that of log p(label), which guides sampling. `exec`: an execution space instance or a Runner. Error if a
/// number or a label doesn't fit.
template <class Exec>
CrossEntropyReport cross_entropy(Exec const& exec, Logits<Exec> const& logits, std::span<int const> labels,
                                 std::span<double const> weights, Logits<Exec> const& gradient) {
  auto&& runner = runner_on(exec);
  using On = std::remove_cvref_t<decltype(runner)>;
  return detail::cross_entropy<On>(runner, runner.uploads(), runner.results(), logits, labels, weights,
                                   gradient);
}

}  // namespace glyphdiff
